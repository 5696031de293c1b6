"""The line on top: is anything wrong right now, and what?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

from msgspec import Struct
from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from cockpit.config.settings import OnCall
from cockpit.signals import SECOND, AlertState, HealthState, severity_rank
from cockpit.stores.alerts import HELD_BACK
from cockpit.stores.base import Stores
from cockpit.supervisor import SourceState, SourceStatus
from cockpit.targets import Environment, Target
from widgets.parts import Parts
from widgets.rows import Piece
from widgets.text import HEALTH_MARK, LATE_MARK, SEVERITY_MARK, age, clock, fit, safe

_CSS = """
Verdict {
    height: 1;
    background: $panel;
    color: $text;
    & > .verdict--production { background: $error; color: $background; text-style: bold; }
    & > .verdict--disaster-recovery { background: $error; color: $background; text-style: bold; }
    & > .verdict--staging { background: $warning; color: $background; text-style: bold; }
    & > .verdict--development { background: $success; color: $background; text-style: bold; }
    & > .verdict--critical { color: $text-error; text-style: bold; }
    & > .verdict--warning { color: $text-warning; text-style: bold; }
    & > .verdict--ok { color: $text-success; }
    & > .verdict--muted { color: $text-muted; }
}
"""

ACTIVE = (AlertState.FIRING, AlertState.PENDING)
YIELDING = ("counts", "contact", "duty", "cost", "handover")
"""What gives way to the sentence, in this order: the names of the counts, how to reach who is on call, who is on
call, what the cockpit itself costs, and that a duty ends or has ended."""
CLAIM = 100
"""Cells that the sentence may ask for; the rest of a longer one is cut before all else has yielded."""
HANDOVER = 30 * 60 * SECOND
"""How long before its end a duty is warned of."""
DAY = 86_400 * SECOND


class Trouble(Struct, frozen=True):
    """The most severe thing there is, in plain words.

    Attributes:
        rank: 0 for nothing, 1 to 4 as `severity_rank`.
        text: What.
        since: Since when, in nanoseconds; 0 where unknown.
    """

    rank: int
    text: str
    since: int = 0


class Verdict(Parts):
    """One line: environment, counts, the worst thing and its age, who is on call, recording, own cost."""

    DEFAULT_CSS = _CSS

    def __init__(self, stores: Stores, *, on_call: OnCall | None = None, mode: str = "") -> None:
        super().__init__(id="verdict")
        self.stores = stores
        self.on_call = on_call or OnCall()
        self.mode = mode
        """Such as `read-only`, or an incident's name."""
        self.environment = Environment.PRODUCTION
        self.target = "local"
        """What is named beside the gravest environment there is."""
        self.lands: Target | None = None
        """Where commands land, where that is neither this machine nor `target`."""
        self.recording: bool | None = None
        """Whether actions are recorded; None until the log was tried."""
        self.elevated_s = 0.0
        """Seconds for which production may still be changed."""
        self.cpu = 0.0
        """Own use of a core, as a ratio."""
        self.memory = 0
        """Own resident set in bytes."""
        self._now = 0
        self._counts = [0, 0, 0, 0, 0]
        self._held = 0
        self._trouble = Trouble(0, "")
        self._versions: object = None
        self._arranged = -1
        self._worst = ""
        """The fingerprint of the worst alert; empty where none is active."""
        self._sources = (0, 0)
        """(sources down or late, all sources)."""

    def tick(self, now: int, statuses: Sequence[SourceStatus]) -> None:
        """Weigh what the stores hold, when they moved; the line is drawn again each second."""
        self._now = now
        versions = (self.stores.alerts.version, self.stores.health.version)
        if versions != self._versions:
            self._versions = versions
            self._weigh()
        down = [status for status in statuses if status.state in (SourceState.DOWN, SourceState.LATE)]
        self._sources = (len(down), len(statuses))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line: what matters less yields, one thing after another, until the sentence has its room."""
        width = self.size.width
        words, since = self._words()
        claim = min(cell_len(words + since), CLAIM) + 1
        left, right = self._around(frozenset())
        for count in range(len(YIELDING) + 1):
            left, right = self._around(frozenset(YIELDING[:count]))
            if _cells(left) + _cells(right) + claim <= width:
                break
        room = max(0, width - _cells(left) - _cells(right))
        said = words + since
        if cell_len(said) > room:
            said = fit(words, max(0, room - len(since))) + since
        pieces = [*left, (fit(said, room), self._style()), *right]
        base = self.rich_style
        segments = [
            Segment(text, self.get_component_rich_style(f"verdict--{style}") if style else base)
            for text, style in pieces
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _words(self) -> tuple[str, str]:
        """Return the sentence, and how long it has been true."""
        down, known = self._sources
        if not self._trouble.rank:
            if down:
                missing = f"{LATE_MARK} {down} of {known} sources down or late"
                return f"{missing}; nothing else is known to be wrong", ""
            return f"{HEALTH_MARK[HealthState.OK]} nothing is wrong that the sources can see", ""
        since = self._trouble.since
        return self._trouble.text, f", for {age(self._now - since)}" if since else ""

    def _style(self) -> str:
        if self._trouble.rank >= 3:
            return "critical"
        return "warning" if self._trouble.rank or self._sources[0] else "ok"

    def _around(self, yielded: Set[str]) -> tuple[list[Piece], list[Piece]]:
        """Return what stands left and right of the sentence, without what has yielded."""
        left: list[Piece] = [
            (f" {self.environment.value.upper()} {safe(self.target, 40)} ", self.environment.value)
        ]
        if self.lands is not None:
            there = self.lands.environment.value
            left.append((f" → {there.upper()} {safe(self.lands.name, 32)} ", there))
        if self.mode:
            left.append((f" {safe(self.mode, 60)} ", "warning"))
        left.append((" ", ""))
        left.extend(self._count_pieces(named="counts" not in yielded))
        right: list[Piece] = []
        if self.on_call.name and "handover" not in yielded:
            right.extend(self._duty(yielded))
        if self.elevated_s > 0:
            minutes, seconds = divmod(int(self.elevated_s), 60)
            right.append((f" ▲ elevated {minutes}:{seconds:02} ", "production"))
        right.append(
            {True: (" ● rec ", "ok"), False: (" ○ no record ", "critical"), None: (" ○ ", "muted")}[
                self.recording
            ]
        )
        if "cost" not in yielded:
            right.append((f" {self.cpu * 100:.1f}% {self.memory // 1_000_000} MB ", "muted"))
        return left, right

    def _count_pieces(self, *, named: bool) -> list[Piece]:
        names = ("", "info", "warning", "error", "critical")
        pieces: list[Piece] = []
        for rank in (4, 3, 2, 1):
            if self._counts[rank]:
                style = "critical" if rank >= 3 else "warning" if rank == 2 else "muted"
                name = f" {names[rank]}" if named else ""
                pieces.append((f"{SEVERITY_MARK[rank]}{self._counts[rank]}{name} ", style))
        if self._held:
            pieces.append((f"{self._held} held back " if named else f"‖{self._held} ", "muted"))
        down, known = self._sources
        if down and self._trouble.rank:
            text = f"{down} of {known} sources down" if named else f"{down}/{known}"
            pieces.append((f"{LATE_MARK}{text} ", "warning"))
        return pieces

    def _duty(self, yielded: Set[str]) -> list[Piece]:
        """Say who is on call; that nobody is any more, or soon won't be, yields last."""
        text = f" on call {safe(self.on_call.name, 40)}"
        if self.on_call.contact and "contact" not in yielded:
            text += f" {safe(self.on_call.contact, 60)}"
        if self.on_call.until is None:
            return [] if "duty" in yielded else [(f"{text} ", "")]
        until = int(self.on_call.until.timestamp()) * SECOND
        left = until - self._now
        if left <= 0:
            gone = f"{text} ended {age(-left)} ago" if "duty" not in yielded else " nobody on call"
            return [(f" {SEVERITY_MARK[2]}{gone} ", "warning")]
        if left <= HANDOVER:
            text = " on call" if "duty" in yielded else text
            return [(f" {SEVERITY_MARK[2]}{text} for {age(left)} more ", "warning")]
        at = clock(until)[:5] if left < DAY else clock(until, date=True)[:10]
        return [] if "duty" in yielded else [(f"{text} until {at} ", "")]

    def _weigh(self) -> None:
        if self.stores.alerts.arranged != self._arranged:
            self._arranged = self.stores.alerts.arranged
            self._count()
        worst = self.stores.alerts.get(self._worst)
        trouble = Trouble(0, "")
        if worst is not None:
            summary = worst.annotations.get("summary") or worst.annotations.get("description") or ""
            text = safe(f"{worst.name}: {summary}" if summary else worst.name, 300)
            if worst.state is AlertState.PENDING:
                text = f"pending {text}"
            trouble = Trouble(max(1, severity_rank(worst.severity)), text, worst.starts_at)
        if trouble.rank < 3:
            trouble = max(trouble, self._worst_health(), key=lambda each: each.rank)
        self._trouble = trouble

    def _count(self) -> None:
        """Count the active alerts, and find the worst: the stores' order has it first."""
        alerts = self.stores.alerts.alerts()
        active = [alert for alert in alerts if alert.state in ACTIVE]
        self._held = sum(alert.state in HELD_BACK for alert in alerts)
        self._counts = [0, 0, 0, 0, 0]
        for severity, count in Counter(alert.severity for alert in active).items():
            self._counts[severity_rank(severity)] += count
        firing = next((alert for alert in active if alert.state is AlertState.FIRING), None)
        worst = firing or (active[0] if active else None)
        self._worst = worst.fingerprint if worst is not None else ""

    def _worst_health(self) -> Trouble:
        rows = self.stores.health.rows()
        if not rows or rows[0].latest.state.rank < HealthState.DEGRADED.rank:
            return Trouble(0, "")
        row = rows[0]
        sample = row.latest
        down = sample.state is HealthState.DOWN
        text = safe(f"{sample.subject} {sample.state}: {sample.reason}", 300)
        return Trouble(3 if down else 2, text, row.since)


def _cells(pieces: Sequence[Piece]) -> int:
    return sum(cell_len(text) for text, _ in pieces)
