"""The logs pane: every source's records on one time line, or those of log files.

What it shows is told in `widgets.logs_view`, the past in `widgets.logs_asking`, the ways among records in
`widgets.logs_going`, named filters in `widgets.logs_filters`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on

from cockpit.keymap import Action
from cockpit.scope import WHOLE
from cockpit.signals import Level, LogRecord, host_of, service_of
from widgets.histogram import HistogramStrip
from widgets.keys import bindings
from widgets.logs_detail import LogDetail
from widgets.logs_filters import LogsFiltering
from widgets.logs_keys import ACTIONS
from widgets.logs_lines import LogLines
from widgets.messages import ColumnsChosen, CursorMoved, Noticed, ScopeNarrowed, ShellRequested

FLOORS = (0, Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR, Level.FATAL)

if TYPE_CHECKING:
    from widgets.logs_patterns import Choice

SAMPLED = 200
"""Of the newest records, how many tell which attributes there are to choose from."""


class LogsPane(LogsFiltering):
    """Log records as they come: filtered, highlighted and counted over time."""

    ACTIONS: ClassVar[tuple[Action, ...]] = ACTIONS
    BINDINGS = bindings(ACTIONS)

    @on(LogLines.Moved)
    def _moved(self) -> None:
        self._show_status()
        self.title()

    @on(LogLines.Chosen)
    async def _open(self, event: LogLines.Chosen) -> None:
        """Open the record's detail, and let every pane follow its trace, else its service or host."""
        event.stop()
        number = event.number
        if event.record is None:
            self.surely(partial(self._choose, number))
            return
        placing = self._view.store.placing(number)
        await self.open_detail(LogDetail(event.record, placing, self.now))
        if narrowed := _trace_of(event.record) or _place_of(event.record):
            self.post_message(narrowed)

    def _choose(self, number: int) -> None:
        """Choose a record again, as it was read by now."""
        self.need(number)
        self.post_message(LogLines.Chosen(self.lines, number, self._view.store[number]))

    @on(HistogramStrip.Picked)
    def _picked(self, event: HistogramStrip.Picked) -> None:
        event.stop()
        self.post_message(CursorMoved(None if event.moment >= self.now else event.moment))

    def action_follow(self) -> None:
        """Follow, or stand still."""
        lines = self.lines
        if self.past is not None:
            self._leave_past()
            lines.follow_newest()
        elif lines.following:
            lines.hold()
        else:
            lines.follow_newest()

    def action_wrap(self) -> None:
        """Wrap, or don't."""
        self.lines.toggle_wrap()

    def action_pretty(self) -> None:
        """Lay records out over several lines, or a row each again."""
        self.lines.toggle_pretty()

    def action_columns(self) -> None:
        """Choose which attributes are columns."""
        from widgets.logs_columns import ColumnChooser

        store = self._view.store
        sample = (*store.last(SAMPLED), *self.lines.in_view)
        self.app.push_screen(ColumnChooser(sample, self.lines.attributes), self._put_columns)

    def _put_columns(self, names: tuple[str, ...] | None) -> None:
        if names is not None:
            self.lines.put_columns(names)
            self.post_message(ColumnsChosen(tuple(self._view.store.files), names))

    def action_patterns(self) -> None:
        """Show the patterns of the records that are shown."""
        from cockpit.stores.logs.mining import Mine
        from widgets.logs_patterns import PatternsScreen

        scope, start = self.scope, self.window[0]
        narrowed = scope.span != WHOLE or self._view.store.spanned is None
        since = scope.cursor if scope.cursor is not None else start if narrowed else None
        store = self._view.store
        wanted = Mine(
            paths=tuple(store.files),
            query=self._view.packed() if store.files else b"",
            since=since,
            formats=tuple(store.declared),
            zone=store.zone,
        )
        self.app.push_screen(PatternsScreen(wanted, self._view), self._put_pattern)

    def _put_pattern(self, choice: Choice | None) -> None:
        if choice is None:
            return
        if not choice.query:
            self.post_message(Noticed("that pattern has no words of its own to filter by", "warning"))
            return
        self.put_filter(choice.text, choice.query, keeps=choice.keeps)

    def action_sql(self) -> None:
        """Ask the files in SQL."""
        from widgets.logs_sql import SqlScreen

        paths = self._view.store.files
        if not paths:
            self.post_message(Noticed("SQL asks log files: open them with cockpit logs FILE…", "warning"))
            return
        self.app.push_screen(SqlScreen(paths, zone=self._view.store.zone))

    def action_shift_floor(self, step: int) -> None:
        """Raise or lower the level floor."""
        place = FLOORS.index(self.floor) + step
        self.floor = FLOORS[min(max(0, place), len(FLOORS) - 1)]

    def action_next_floor(self) -> None:
        """Take the next level floor, after the last the first."""
        self.floor = FLOORS[(FLOORS.index(self.floor) + 1) % len(FLOORS)]

    def action_narrow(self) -> None:
        """Move the shared scope to the record's service or host."""
        self.surely(partial(self._narrow, self.lines.number))

    def _narrow(self, number: int | None) -> None:
        if (record := self.record_at(number)) is not None:
            self.post_message(
                _place_of(record) or Noticed("this record names neither a service nor a host", "warning")
            )

    def action_shell(self) -> None:
        """Ask for a terminal on the record's host."""
        self.surely(partial(self._shell, self.lines.number))

    def _shell(self, number: int | None) -> None:
        record = self.record_at(number)
        self.post_message(ShellRequested(host_of(record.resource) if record is not None else ""))

    def action_trace(self) -> None:
        """Move the shared scope to the record's trace."""
        self.surely(partial(self._trace, self.lines.number))

    def _trace(self, number: int | None) -> None:
        if (record := self.record_at(number)) is not None:
            self.post_message(_trace_of(record) or Noticed("this record belongs to no trace", "warning"))

    def action_moment(self) -> None:
        """Put the time cursor on the record."""
        if (number := self.lines.number) is not None:
            self.surely(partial(self._moment, number))

    def _moment(self, number: int) -> None:
        self.need(number)
        self.post_message(CursorMoved(self._view.store.times(number, number + 1)[0]))


def _place_of(record: LogRecord) -> ScopeNarrowed | None:
    service, host = service_of(record.resource), host_of(record.resource)
    if service:
        return ScopeNarrowed(service, {"service": service})
    return ScopeNarrowed(host, {"host": host}) if host else None


def _trace_of(record: LogRecord) -> ScopeNarrowed | None:
    trace_id = record.trace_id
    return ScopeNarrowed(f"trace {trace_id[:8]}", {"trace_id": trace_id}) if trace_id else None
