"""What the line under the log rows says: errors, questions, progress, what came meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from cockpit.scope import Scope
from cockpit.signals import level_name
from cockpit.source import TimeRange
from cockpit.stores.logs import View
from widgets.logs_lines import LogLines
from widgets.logs_past import Past
from widgets.text import clock, safe


class LogStatus(Static):
    """One line that is there only while it has something to say."""

    DEFAULT_CSS = """
    LogStatus {
        height: 1; width: 1fr; padding: 0 1; background: $boost; color: $text-muted; display: none;
        &.-shown { display: block; }
        &.-error { color: $text-error; }
    }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._said = ""

    def say(self, parts: Sequence[str], *, error: bool) -> None:
        """Show these parts; the same again draws nothing."""
        text = safe(" · ".join(parts))
        if text != self._said:
            self._said = text
            self.set_class(error, "-error")
            self.set_class(bool(text), "-shown")
            self.update(Content(text), layout=False)  # its size is its rules' affair


def asking_parts(asking: TimeRange | None, past: Past | None) -> list[str]:
    """Say what is being asked for, and what past is shown."""
    parts = []
    if asking is not None:
        parts.append(f"asking for {clock(asking.start)} to {clock(asking.end)}… Esc cancels")
    if past is not None and (len(past.store) or not past.failed):
        what = f"the newest {len(past.store):,}" if past.wanted.alone else f"{past.asked:,} older"
        parts.append(f"{what}, from {clock(past.reached)} · Esc back to live · o more")
    return parts


def rows_parts(view: View, lines: LogLines, *, live: bool, slow: bool) -> list[str]:
    """Say how far a search is that takes long, and what came below."""
    parts = []
    if slow and not view.complete:
        parts.append(f"searched {view.searched:,} of {len(view.store):,}")
    if (
        live and not lines.following
    ):  # said all the while, because a line that comes and goes would move the rows
        parts.append(f"↓ {lines.below:,} new below · f follows" if lines.below else "nothing new below")
    return parts


def why_empty(view: View, scope: Scope, now: int) -> str:
    """Say why there is no row."""
    if not len(view.store):
        return "no log records yet"
    if not view.complete:
        return "searching…"
    criteria = view.criteria
    reasons = [f"{name} {value}" for name, value in scope.labels().items()]
    reasons += [f"filter {criteria.filter.text}"] if criteria.filter.tests else []
    reasons += (
        [f"filters {', '.join(on)}"] if (on := [each.name for each in criteria.filters if each.on]) else []
    )
    reasons += [f"level ≥{level_name(criteria.floor)}"] if criteria.floor else []
    if not scope.live:
        reasons.append(f"up to {clock(scope.moment(now))}")
    return f"no record for {safe(', '.join(reasons), 200)}"
