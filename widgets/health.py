"""The health pane: a row a host, service or check, the worst first."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from cockpit.errors import UsageError
from cockpit.evidence import Pin, of_health, of_plot
from cockpit.keymap import Action
from cockpit.scope import Scope
from cockpit.signals import EMPTY, SECOND, HealthSample, HealthState, Resource, Series, host_of, service_of
from cockpit.stores.base import Stores
from cockpit.stores.health import HealthRow, HealthStore, Point
from widgets.detail import Detail, Field
from widgets.keys import bindings
from widgets.messages import ScopeNarrowed, ShellRequested
from widgets.pane import Pane
from widgets.rows import Piece, RowList, columns, widest
from widgets.text import HEALTH_MARK, LATE_MARK, age, clock, freshness, quantity, safe, sparkline

SPARKS = ((120, 24), (70, 12), (48, 6))
"""From which width a sparkline has how many cells."""
BIG = 2_000
"""Subjects from which the list is sorted twice a second instead of at every tick."""


class HealthPane(Pane):
    """Every subject's state, reason, recent values and the freshest one."""

    NAME: ClassVar[str] = "health"
    SIGNAL: ClassVar[str] = "HealthSample"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action(
            "health.troubled",
            ("t",),
            "troubles",
            "Show only what is not ok, or everything again.",
            footer=True,
        ),
        Action(
            "health.narrow",
            ("space",),
            "follow",
            "Let every pane follow this row's service or host.",
            footer=True,
        ),
        Action(
            "health.shell", ("s",), "shell", "Open a terminal on this row's host, else on the current target."
        ),
    )
    BINDINGS = bindings(ACTIONS)

    def __init__(self, stores: Stores, *, number: int) -> None:
        super().__init__(stores, number=number)
        self.only_troubles = False
        self._name_cells = 10
        self._value_cells = 6

    def body(self) -> ComposeResult:
        """Yield the list."""
        yield RowList[HealthRow](
            self.draw, key=lambda row: (row.latest.source, row.latest.subject), empty="no health samples yet"
        )

    def stamp(self) -> Hashable:
        """Follow the store, every half second where it is big, and every other second where the past is shown."""
        health = self.stores.health
        if self.scope.cursor is not None:
            return self.now // (2 * SECOND), self.only_troubles
        moved = health.version if len(health) < BIG else self.now // (SECOND // 2)
        return moved, self.only_troubles

    def redraw(self) -> None:
        """Show the subjects that scope and filter admit."""
        rows = self.rows()
        listing = self.query_one(RowList)
        listing.empty = self.outside() or (
            "nothing was known then" if self.scope.cursor else "no health samples yet"
        )
        if self.only_troubles and len(self.stores.health):
            listing.empty = f"{HEALTH_MARK[HealthState.OK]} no troubles"
        self._name_cells = widest((row.latest.subject for row in rows), 10, 60)
        self._value_cells = widest((_reading(row.latest) for row in rows), 6, 10)
        listing.show_items(rows)
        if isinstance(detail := self.detail, HealthDetail):
            detail.follow_row(self.stores.health, self.scope, self.now)

    def passed(self) -> None:
        """Let the ages grow."""
        self.query_one(RowList).renew()

    def rows(self) -> Sequence[HealthRow]:
        """Return the rows to show."""
        wanted = self.filter_text.lower().split()
        if not wanted and not self.only_troubles and not self.scope.service and not self.scope.host:
            return self.stores.health.rows(self.scope.cursor)
        return [
            row
            for row in self.stores.health.rows(self.scope.cursor)
            if self.scope.admits(row.latest.resource)
            and (not self.only_troubles or row.latest.state is not HealthState.OK)
            and (not wanted or all(word in _searched(row) for word in wanted))
        ]

    def summary(self) -> str:
        """Count the subjects by state."""
        counts = dict.fromkeys(HealthState, 0)
        late = 0
        for row in self.query_one(RowList).items:
            if row.latest.source in self.stale:
                late += 1
            else:
                counts[row.latest.state] += 1
        bad = (HealthState.DOWN, HealthState.DEGRADED, HealthState.UNKNOWN)
        parts = [f"{counts[state]} {state}" for state in bad if counts[state]]
        parts += [f"{late} late"] if late else []
        return ", ".join(parts if self.only_troubles and parts else [*parts, f"{counts[HealthState.OK]} ok"])

    def draw(self, row: HealthRow, width: int) -> Sequence[Piece]:
        """Lay out one subject."""
        sample = row.latest
        late = sample.source in self.stale
        state = "muted" if late else str(sample.state)
        well = sample.state is HealthState.OK
        cells: list[tuple[str, str, int]] = [
            (LATE_MARK if late else HEALTH_MARK[sample.state], state, 1),
            (
                safe(sample.subject, 200),
                "muted" if late else "" if well else "strong",
                min(self._name_cells, max(14, width * (35 if width < 80 else 40) // 100)),
            ),
            (_reading(sample), state, -self._value_cells),
        ]
        if spark := next((cells for least, cells in SPARKS if width >= least), 0):
            values = [value for _, value, _ in list(row.points)[-spark:]]
            top = 1.0 if sample.unit == "1" else 100.0 if sample.unit == "%" else None
            cells.append((sparkline(values, spark, low=0.0, high=top), "accent", spark))
        reason = safe(sample.reason, 300) or str(sample.state)
        if late:
            reason = f"late, was {sample.state}: {reason}"
        elif not well and sample.state not in reason:
            reason = f"{sample.state}: {reason}"
        cells.append((reason, "muted" if well or late else "", 0))
        if width >= 90:
            cells.append((safe(sample.source, 40), "muted", 10))
        cells.append((freshness(self.moment - sample.at), "muted", -3))
        return columns(width, *cells)

    def resource(self) -> Resource:
        """Return who the row under the cursor is about."""
        row = self.query_one(RowList).current
        return EMPTY if row is None else row.latest.resource

    def copied(self) -> tuple[str, str]:
        """Copy the row in words."""
        row = self.query_one(RowList).current
        if row is None:
            return "", ""
        sample = row.latest
        value = quantity(sample.value, sample.unit)
        return (
            f"{clock(sample.at, date=True)} UTC {sample.subject} {sample.state} {value} {sample.reason}",
            sample.subject,
        )

    def evidence(self) -> Pin:
        """Pin the open plot, or that of the row under the cursor; a reading without a number is pinned alone."""
        detail = self.detail if isinstance(self.detail, HealthDetail) else None
        row = detail.row if detail is not None else self.query_one(RowList).current
        if row is None:
            raise UsageError("there is no row to pin")
        points = detail.past if detail is not None else tuple(row.points)
        sample, window = row.latest, self.scope.window(self.now)
        series = plotted(sample, points, window)
        if not series.points:
            return of_health(sample, query=self.found_by())
        title = f"{sample.subject} {sample.state}: {sample.reason}".rstrip(": ")
        about = {"sample": sample}
        return of_plot(title, [series], query=self.found_by(), window=window, about=about)

    def action_troubled(self) -> None:
        """Show only troubles, or everything again."""
        self.only_troubles = not self.only_troubles

    def action_shell(self) -> None:
        """Ask for a terminal on the row's host."""
        row = self.query_one(RowList).current
        self.post_message(ShellRequested(host_of(row.latest.resource) if row is not None else ""))

    def action_narrow(self) -> None:
        """Move the shared scope to the row's service or host."""
        if (row := self.query_one(RowList).current) is not None:
            self._narrow(row)

    @on(RowList.Chosen)
    async def _open(self, event: RowList.Chosen) -> None:
        """Open the row's plot, and let the others follow."""
        event.stop()
        self._narrow(event.item)
        await self.open_detail(HealthDetail(event.item, self.scope, self.now))

    def _narrow(self, row: HealthRow) -> None:
        resource = row.latest.resource
        service, host = service_of(resource), host_of(resource)
        if service:
            self.post_message(ScopeNarrowed(service, {"service": service}))
        elif host:
            self.post_message(ScopeNarrowed(host, {"host": host}))


class HealthDetail(Detail):
    """One subject's value over time, and all its readings."""

    DEFAULT_CSS = "HealthDetail > Plot { height: 3fr; } HealthDetail > VerticalScroll { height: 2fr; }"

    def __init__(self, row: HealthRow, scope: Scope, now: int) -> None:
        super().__init__(row.latest.subject, {"": _fields(row, scope.moment(now))})
        self.row = row
        self.past: Sequence[Point] = tuple(row.points)
        self.scope = scope
        self.now = now

    def extra(self) -> Iterable[Widget]:
        """Yield the plot."""
        from widgets.plot import Plot

        yield Plot()

    def on_mount(self) -> None:
        """Draw the first time."""
        self._plot()

    def follow_row(self, store: HealthStore, scope: Scope, now: int) -> None:
        """Show the subject as it is at the scope's moment, and its line over the scope's window."""
        source, subject = self.row.latest.source, self.row.latest.subject
        self.scope, self.now = scope, now
        if (whole := store.get(source, subject)) is not None:
            self.past = tuple(whole.points)
        row = store.get(source, subject, scope.cursor)
        if row is None:
            gone = "not known then" if whole is not None else "no source reports it any more"
            self.show({"": [("state", f"{HEALTH_MARK[HealthState.UNKNOWN]} {gone}")]})
        else:
            self.row = row
            self.show({"": _fields(row, scope.moment(now))})
        self._plot()

    def _plot(self) -> None:
        from widgets.plot import Plot

        self.query_one(Plot).show(
            [plotted(self.row.latest, self.past, self.scope.window(self.now))],
            cursor=self.scope.cursor,
            note="no number to plot in this window",
        )


def plotted(sample: HealthSample, past: Sequence[Point], window: tuple[int, int]) -> Series:
    """Return a subject's values within a window as a line."""
    start, end = window
    points = tuple((at, value) for at, value, _ in past if value is not None and start <= at <= end)
    return Series(name=sample.subject, points=points, unit=sample.unit)


def _reading(sample: HealthSample) -> str:
    """Return the value in its unit; what is merely counted goes without, since the reason names it."""
    return quantity(sample.value, "" if sample.unit.startswith("{") else sample.unit)


def _fields(row: HealthRow, now: int) -> list[Field]:
    sample = row.latest
    fields = [
        ("state", f"{HEALTH_MARK[sample.state]} {sample.state}, for {age(now - row.since)}"),
        ("reason", sample.reason),
        ("value", quantity(sample.value, sample.unit)),
        ("read", f"{clock(sample.at, date=True)} UTC, {age(now - sample.at)} ago"),
        ("source", f"{sample.source} ({sample.kind})"),
    ]
    fields += [(name, str(value)) for name, value in sample.details.items()]
    fields += list(sample.resource.items())
    return [(name, value) for name, value in fields if value]


def _searched(row: HealthRow) -> str:
    sample = row.latest
    return f"{sample.subject} {sample.state} {sample.reason} {sample.source} {sample.kind}".lower()
