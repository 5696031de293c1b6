"""What the operator is looking at: one window of time and a set of labels, followed by every pane.

The app owns one `ScopeTrail`. Choosing a row pushes a narrower scope; `Esc` steps back; the breadcrumb is its path.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from cockpit.signals import SECOND, Resource

DEFAULT_SPAN = 15 * 60 * SECOND
WHOLE = 0
"""The span of a scope that takes in all there is, as of log files."""

LABEL_OF = {"service": "service.name", "host": "host.name"}
"""The scope's short names and the resource attributes they match."""


class Scope(Struct, frozen=True, kw_only=True):
    """A time and a set of labels.

    Attributes:
        span: Nanoseconds the window is wide; `WHOLE` for all that there is.
        end: The window's end; None means now, and the window moves on with the clock.
        cursor: The moment that all panes show; None means the window's end.
        service: `service.name` to follow, or empty.
        host: `host.name` to follow, or empty.
        trace_id: The trace to follow, or empty.
        title: What the breadcrumb says for the step that led here.
    """

    span: int = DEFAULT_SPAN
    end: int | None = None
    cursor: int | None = None
    service: str = ""
    host: str = ""
    trace_id: str = ""
    title: str = "all"

    @property
    def live(self) -> bool:
        """True while the scope moves on with the clock."""
        return self.end is None and self.cursor is None

    def window(self, now: int) -> tuple[int, int]:
        """Return (start, end) in nanoseconds; a cursor that was moved out of it takes it along."""
        end = now if self.end is None else self.end
        if self.cursor is not None and not end - self.span <= self.cursor <= end:
            end = self.cursor
        return end - self.span, end

    def moment(self, now: int) -> int:
        """Return the moment that panes show: the cursor, else the window's end."""
        if self.cursor is not None:
            return self.cursor
        return now if self.end is None else self.end

    def admits(self, resource: Resource) -> bool:
        """Tell whether a signal of that resource belongs here: every label that is set must be its own."""
        return _fits(self.service, resource.get("service.name")) and _fits(
            self.host, resource.get("host.name")
        )

    def labels(self) -> Mapping[str, str]:
        """Return the labels that are set, by their short names."""
        named = (("service", self.service), ("host", self.host), ("trace", self.trace_id))
        return {name: value for name, value in named if value}


def _fits(wanted: str, found: str | None) -> bool:
    return not wanted or found == wanted


class ScopeTrail:
    """The scope now, and the way back from it."""

    def __init__(self, start: Scope | None = None) -> None:
        self._steps: list[Scope] = [start or Scope()]
        self.version = 0

    @property
    def now(self) -> Scope:
        """The scope in force."""
        return self._steps[-1]

    @property
    def path(self) -> tuple[str, ...]:
        """The breadcrumb, from the widest step to the one in force."""
        return tuple(step.title for step in self._steps)

    def push(self, **changes: object) -> Scope:
        """Narrow the scope by these fields; the same scope again is no new step."""
        wanted = replace(self.now, **changes)
        if replace(wanted, title=self.now.title) != self.now:
            self._steps.append(wanted)
            self.version += 1
        return self.now

    def amend(self, **changes: object) -> Scope:
        """Change the scope in force without a new step, as moving the time cursor does."""
        self._steps[-1] = replace(self.now, **changes)
        self.version += 1
        return self.now

    def back(self) -> bool:
        """Step back; False where there is nothing to step back to."""
        if len(self._steps) == 1:
            return False
        self._steps.pop()
        self.version += 1
        return True
