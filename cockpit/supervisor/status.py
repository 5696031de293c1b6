"""What is known of a source that runs: its state, the age of its data, its troubles."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class SourceState(StrEnum):
    """How a source is doing. Late data is never drawn as fresh."""

    STARTING = "starting"
    LIVE = "live"
    LATE = "late"
    DOWN = "down"
    DISABLED = "disabled"


class SourceStatus(Struct, frozen=True, kw_only=True):
    """A source as pane titles, `snapshot` and `doctor` show it.

    Attributes:
        emits: Names of the signal types it feeds: `HealthSample`, `Alert`, `LogRecord`, `Span`.
        last_data_at: When it last said something, in nanoseconds; 0 for never.
        error: What went wrong last, in one line; empty when all is well.
        retry_at: When it is started again, in nanoseconds; 0 when no retry is due.
        rate: Items a second over the last ten seconds.
        dropped: Items that did not fit, since the start.
        rejected: Items that were not what they should be, since the start.
    """

    name: str
    kind: str
    state: SourceState
    emits: frozenset[str] = frozenset()
    last_data_at: int = 0
    error: str = ""
    retry_at: int = 0
    restarts: int = 0
    items: int = 0
    rate: float = 0.0
    dropped: int = 0
    rejected: int = 0
