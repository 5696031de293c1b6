"""One host of a fan-out: how its command stands, and the beginning of what it printed."""

from __future__ import annotations

import hashlib
import time
from enum import StrEnum

from cockpit.actionlog.records import State
from cockpit.actions.executor import Ended
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError
from cockpit.hygiene import clean_text
from cockpit.targets import Target

KEPT = 64 * 1024
"""Bytes of one host's output that are held to be shown; the action log keeps more."""
KEPT_OF_ALL = 32 << 20
"""Bytes that all hosts of a fan-out may hold together."""
KEPT_AT_LEAST = 1024
"""Bytes that each may hold whatever the others do."""
FIRST_LINE = 200
"""Characters of the first line."""


class HostState(StrEnum):
    """How far a host is; those that an action has too are called as there."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DENIED = "denied"
    UNKNOWN_OUTCOME = "unknown-outcome"
    NOT_STARTED = "not-started"


UNDERWAY = frozenset({HostState.WAITING, HostState.RUNNING})
"""States that another follows."""


class Room:
    """What the hosts of one fan-out may still hold together."""

    def __init__(self, left: int = KEPT_OF_ALL) -> None:
        self._left = left

    def take(self, wanted: int, has: int) -> int:
        """Return how many of the wanted bytes a host that has some may hold."""
        granted = max(0, min(wanted, KEPT - has, max(self._left, KEPT_AT_LEAST - has)))
        self._left -= granted
        return granted


class HostRun:
    """A command's run on one host.

    Attributes:
        action: Its action's id; empty before one is recorded.
        error: What else there is to say about the end, in one line.
        log_error: Why its record is not whole; None where it is.
        size: Bytes that it printed.
    """

    def __init__(self, target: Target, room: Room | None = None) -> None:
        self.target = target
        self.name = target.name
        self.state = HostState.WAITING
        self.action = ""
        self.exit_status: int | None = None
        self.signal: str | None = None
        self.error = ""
        self.log_error: ActionLogError | None = None
        self.size = 0
        self._began: float | None = None
        self._ended: float | None = None
        self._room = room or Room()
        self._kept = bytearray()
        self._likeness: tuple[object, ...] | None = None
        self._digests = {stream: hashlib.sha256() for stream in Stream}

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in UNDERWAY

    @property
    def output(self) -> bytes:
        """The beginning of what it printed, both streams as they came."""
        return bytes(self._kept)

    @property
    def cut(self) -> int:
        """Bytes that it printed and that are not held here."""
        return self.size - len(self._kept)

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran; None where it did not start."""
        if self._began is None:
            return None
        return (time.monotonic() if self._ended is None else self._ended) - self._began

    @property
    def first_line(self) -> str:
        """The first line that says something: of what it printed, else of what went wrong."""
        start = self._kept[: 8 * FIRST_LINE].decode(errors="replace")
        line = next((line for line in start.splitlines() if line.strip()), self.error)
        return clean_text(line, FIRST_LINE)

    @property
    def likeness(self) -> tuple[object, ...]:
        """What hosts have in common, once they are over, that ended alike and printed the same, byte for byte."""
        if self._likeness is None or not self.over:
            self._likeness = self._what_it_is_like()
        return self._likeness

    def _what_it_is_like(self) -> tuple[object, ...]:
        digests = tuple(each.digest() for each in self._digests.values())
        return (
            self.state,
            self.exit_status,
            self.signal,
            self.error.replace(self.name, ""),
            self.size,
            *digests,
        )

    def how(self) -> str:
        """Say how it ended, or how it stands."""
        if self.signal:
            return f"{self.state} · {self.signal}"
        return f"{self.state} · exit {self.exit_status}" if self.exit_status else self.state.value

    def start(self) -> None:
        """Note that it starts now."""
        self.state = HostState.RUNNING
        self._began = time.monotonic()

    def begun(self, action: str) -> None:
        """Note its action's id."""
        self.action = action

    async def take(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output."""
        self._digests[stream].update(data)
        self.size += len(data)
        self._kept += data[: self._room.take(len(data), len(self._kept))]

    def ended(self, end: Ended) -> None:
        """Note how it ended, as it is recorded."""
        self._over(_HOST_STATE[end.state], end.error or "")
        self.exit_status, self.signal, self.log_error = end.exit_status, end.signal, end.log_error

    def refuse(self, why: str) -> None:
        """Note that the guard did not let it run."""
        self._over(HostState.DENIED, why)

    def fail(self, why: str) -> None:
        """Note that it could not be started."""
        self._over(HostState.FAILED, why)

    def leave_out(self, why: str) -> None:
        """Note that it was not started, and why."""
        self._over(HostState.NOT_STARTED, why)
        self._began = self._ended = None

    def _over(self, state: HostState, error: str) -> None:
        self.state, self.error = state, error
        self._ended = time.monotonic()


_HOST_STATE = {state: HostState(state.value) for state in State if state.value in set(HostState)}
_HOST_STATE[State.INTERRUPTED] = HostState.UNKNOWN_OUTCOME
