"""What the stores have in common, and the one place where every batch comes in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from cockpit.signals import Alert, HealthSample, LogRecord, Signal, Span

if TYPE_CHECKING:
    from cockpit.stores.alerts import AlertStore
    from cockpit.stores.health import HealthStore
    from cockpit.stores.logs import LogStore, Records
    from cockpit.stores.traces import TraceStore

Hook = Callable[[str, Sequence[Signal], "type | None"], None]
"""Called with (source name, batch, the type it replaces or None), before the stores see the batch."""

Clock = Callable[[], int]


def wall_clock() -> int:
    """Nanoseconds since the epoch, UTC."""
    return time.time_ns()


class Store:
    """A bounded collection with a version; a pane redraws when the version moved."""

    def __init__(self) -> None:
        self.version = 0

    def touched(self) -> None:
        """Say that the content changed."""
        self.version += 1


class Stores:
    """The four stores, and the hooks that see every batch before them."""

    def __init__(
        self,
        health: HealthStore,
        alerts: AlertStore,
        logs: LogStore,
        traces: TraceStore,
        *,
        files: Records | None = None,
    ) -> None:
        """Join stores.

        Args:
            health: Of health samples.
            alerts: Of alerts.
            logs: Of the log records that sources bring.
            traces: Of spans.
            files: The records of log files, where those are what the logs pane shows.
        """
        self.health = health
        self.alerts = alerts
        self.streamed = logs
        self.logs: Records = logs if files is None else files
        self.traces = traces
        self.hooks: list[Hook] = []

    def take(self, source: str, batch: Sequence[Signal], replaces: type | None = None) -> None:
        """Give a batch from one source to the stores.

        Batches are usually of one type; a mixed one is sorted here.
        """
        for hook in self.hooks:
            hook(source, batch, replaces)
        if replaces is Alert:
            self.alerts.replace(source, [item for item in batch if isinstance(item, Alert)])
            return
        if replaces is HealthSample:
            self.health.replace(source, [item for item in batch if isinstance(item, HealthSample)])
            return
        if not batch:
            return
        kinds = {type(item) for item in batch}
        if LogRecord in kinds:
            self.streamed.append(_only(LogRecord, batch, kinds))
        if Span in kinds:
            self.traces.append(_only(Span, batch, kinds))
        if HealthSample in kinds:
            self.health.append(_only(HealthSample, batch, kinds))
        if Alert in kinds:
            self.alerts.append(_only(Alert, batch, kinds))


S = TypeVar("S")


def _only(wanted: type[S], batch: Sequence[Signal], kinds: set[type]) -> Sequence[S]:
    if len(kinds) == 1:
        return cast("Sequence[S]", batch)
    return [item for item in batch if isinstance(item, wanted)]
