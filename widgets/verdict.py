"""The line on top: is anything wrong right now, and what?"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from cockpit.signals import Alert, AlertState, HealthState, severity_rank
from cockpit.stores.base import Stores
from cockpit.supervisor import SourceState, SourceStatus
from cockpit.targets import Environment
from widgets.rows import Piece
from widgets.text import HEALTH_MARK, SEVERITY_MARK, age, fit, safe

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
_PARTS = (
    "production", "disaster-recovery", "staging", "development", "critical", "warning", "ok", "muted",
)  # fmt: skip

ACTIVE = (AlertState.FIRING, AlertState.PENDING)


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


class Verdict(Widget):
    """One line: environment, counts, the worst thing and its age, who is on call, recording, own cost."""

    DEFAULT_CSS = _CSS
    COMPONENT_CLASSES = {f"verdict--{part}" for part in _PARTS}

    def __init__(self, stores: Stores, *, on_call: str = "", mode: str = "") -> None:
        super().__init__(id="verdict")
        self.stores = stores
        self.on_call = on_call
        self.mode = mode
        """Such as `read-only`, or an incident's name."""
        self.environment = Environment.PRODUCTION
        self.target = "local"
        self.recording = False
        self.cpu = 0.0
        """Own use of a core, as a ratio."""
        self.memory = 0
        """Own resident set in bytes."""
        self._now = 0
        self._counts = [0, 0, 0, 0, 0]
        self._trouble = Trouble(0, "")
        self._versions: object = None
        self._sources = ""

    def tick(self, now: int, statuses: Sequence[SourceStatus]) -> None:
        """Weigh what the stores hold, when they moved; the line is drawn again each second."""
        self._now = now
        versions = (self.stores.alerts.version, self.stores.health.version)
        if versions != self._versions:
            self._versions = versions
            self._weigh()
        down = [s.name for s in statuses if s.state in (SourceState.DOWN, SourceState.LATE)]
        self._sources = f"{len(down)} of {len(statuses)} sources down or late" if down else ""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line: what matters most survives a narrow screen."""
        width = self.size.width
        left: list[Piece] = [
            (f" {self.environment.value.upper()} {safe(self.target)} ", self.environment.value)
        ]
        if self.mode:
            left.append((f" {safe(self.mode)} ", "warning"))
        left.append((" ", ""))
        left.extend(self._count_pieces())
        right = self._right(width)
        used = sum(len(text) for text, _ in left) + sum(len(text) for text, _ in right)
        name = (
            "critical"
            if self._trouble.rank >= 3
            else "warning"
            if self._trouble.rank or self._sources
            else "ok"
        )
        room = max(0, width - used)
        pieces = [*left, (fit(self._words(), room), name), *right]
        base = self.rich_style
        segments = [
            Segment(text, self.get_component_rich_style(f"verdict--{style}") if style else base)
            for text, style in pieces
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _words(self) -> str:
        if not self._trouble.rank:
            if self._sources:
                return f"{HEALTH_MARK[HealthState.UNKNOWN]} nothing is known to be wrong, but {self._sources}"
            return f"{HEALTH_MARK[HealthState.OK]} nothing is wrong that the sources can see"
        text = self._trouble.text
        if self._trouble.since:
            text += f", for {age(self._now - self._trouble.since)}"
        return f"{text} · {self._sources}" if self._sources else text

    def _count_pieces(self) -> list[Piece]:
        names = ("", "info", "warning", "error", "critical")
        pieces: list[Piece] = []
        for rank in (4, 3, 2, 1):
            if self._counts[rank]:
                style = "critical" if rank >= 3 else "warning" if rank == 2 else "muted"
                pieces.append((f"{SEVERITY_MARK[rank]}{self._counts[rank]} {names[rank]} ", style))
        return pieces

    def _right(self, width: int) -> list[Piece]:
        pieces: list[Piece] = []
        if self.on_call and width >= 100:
            pieces.append((f" on call {safe(self.on_call)} ", ""))
        light = "● rec" if self.recording else "○ no record"
        pieces.append((f" {light} ", "critical" if not self.recording else "ok"))
        if width >= 70:
            pieces.append((f" {self.cpu * 100:.1f}% {self.memory // 1_000_000} MB ", "muted"))
        return pieces

    def _weigh(self) -> None:
        counts = [0, 0, 0, 0, 0]
        worst: Alert | None = None
        for alert in self.stores.alerts.alerts():
            if alert.state not in ACTIVE:
                continue
            counts[severity_rank(alert.severity)] += 1
            if worst is None or _weight(alert) > _weight(worst):
                worst = alert
        self._counts = counts
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

    def _worst_health(self) -> Trouble:
        rows = self.stores.health.rows()
        if not rows or rows[0].latest.state.rank < HealthState.DEGRADED.rank:
            return Trouble(0, "")
        row = rows[0]
        sample = row.latest
        down = sample.state is HealthState.DOWN
        text = safe(f"{sample.subject} {sample.state}: {sample.reason}", 300)
        return Trouble(3 if down else 2, text, row.since)


def _weight(alert: Alert) -> tuple[int, bool, int]:
    """The most severe, firing before pending, the youngest: what just broke is what woke somebody."""
    return severity_rank(alert.severity), alert.state is AlertState.FIRING, alert.starts_at
