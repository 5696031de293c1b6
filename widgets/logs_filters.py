"""Named filters in the logs pane: a list under the rows, each in or out, on or off, and counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from cockpit.errors import UsageError
from cockpit.keymap import Action
from cockpit.stores.base import Stores
from cockpit.stores.logs.filters import LONGEST_NAME, Filter, Filters
from widgets.asking import Asks
from widgets.keys import bindings
from widgets.logs_going import LogsGoing
from widgets.logs_keys import FilterEdit
from widgets.messages import Noticed
from widgets.rows import ROW_ACTIONS, Piece, RowList, columns, widest
from widgets.text import safe

TALLEST = 8
"""Rows of the list at most."""
PHRASES = 3
"""Parts of a record by which its like are told."""
SHORTEST = 4
"""Characters of such a part at least."""
FILTER_ACTIONS = (
    Action("filters.switch", ("space",), "on/off", "Switch the filter on or off.", footer=True),
    Action("filters.side", ("i",), "in/out", "Let it keep records out in place of in, or back.", footer=True),
    Action("filters.remove", ("delete", "d"), "remove", "Remove the filter.", footer=True),
)
"""What keys do in the list; Enter changes the filter."""


class FilterList(RowList[Filter]):
    """The named filters."""

    DEFAULT_CSS = """
    FilterList {
        height: auto; max-height: 8; display: none; border-top: solid $secondary 50%; border-title-color: $text-muted;
        &.-open { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings((*FILTER_ACTIONS, *ROW_ACTIONS))

    class Changed(Message):
        """A key asked for other filters."""

        def __init__(self, filters: Filters) -> None:
            super().__init__()
            self.filters = filters

    def __init__(self) -> None:
        super().__init__(self._row, key=lambda each: each.name, empty="no filters: a adds one")
        self.border_title = Content("filters · Space on/off · i in/out · d removes · Enter changes · a adds")
        self.filters = Filters()
        self._widths = (8, 8)

    def put(self, filters: Filters, hits: Sequence[int], *, complete: bool) -> None:
        """Show filters with what each hits; not all is counted yet unless `complete`."""
        self.filters = filters
        counted = filters.counted(hits) if len(hits) == len(filters) else filters
        self._complete = complete
        self._widths = (
            widest((each.name for each in filters), 8, 24),
            widest((f"{each.hits or 0:,}" for each in counted), 6, 14) + 1,
        )
        self.show_items(tuple(counted))
        height = min(TALLEST, max(1, len(filters))) + 1
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    _complete = True

    def _row(self, each: Filter, width: int) -> Sequence[Piece]:
        name, count = self._widths
        told = "?" if each.hits is None else f"{each.hits:,}{'' if self._complete else '+'}"
        style = "" if each.on else "muted"
        return columns(
            width,
            ("●" if each.on else "○", "accent" if each.on else "muted", 1),
            ("in" if each.keeps else "out", ("ok" if each.keeps else "warning") if each.on else "muted", 3),
            (safe(each.name, LONGEST_NAME), "strong" if each.on else "muted", name),
            (told, style, -count),
            (safe(each.text, 400), style, 0),
        )

    def _change(self, filters: Filters) -> None:
        self.post_message(self.Changed(filters))

    def action_switch(self) -> None:
        """Switch the filter under the cursor on or off."""
        if (each := self.current) is not None:
            self._moved = True
            self._change(self.filters.switched(each.name))

    def action_side(self) -> None:
        """Let the filter under the cursor keep out what it kept in, or the other way round."""
        if (each := self.current) is not None:
            self._moved = True
            self._change(self.filters.with_filter(replace(each, keeps=not each.keeps, hits=None)))

    def action_remove(self) -> None:
        """Remove the filter under the cursor."""
        if (each := self.current) is not None:
            self._change(self.filters.without(each.name))


class LogsFiltering(LogsGoing):
    """Log records, and the named filters that leave them."""

    def __init__(
        self, stores: Stores, *, number: int, asks: Asks | None = None, columns: Sequence[str] = ()
    ) -> None:
        super().__init__(stores, number=number, asks=asks, columns=columns)
        self.filter_list = FilterList()
        self.filter_edit = FilterEdit(
            placeholder="name = query · a minus before the name keeps out", compact=True
        )
        self._editing: Filter | None = None
        """The filter that is being changed; None where one is added."""

    @property
    def is_writing(self) -> bool:
        """True too while a filter is written."""
        return super().is_writing or self.filter_edit.has_class("-open")

    def opened_by_keys(self) -> Iterable[Widget]:
        """Yield the list, and the line that a filter is written on."""
        yield from super().opened_by_keys()
        yield self.filter_list
        yield self.filter_edit

    def also(self) -> Sequence[Hashable]:
        """Follow the counts too, while they are seen."""
        seen = self.filter_list.has_class("-open")
        return (*super().also(), seen, tuple(self._view.hits) if seen else ())

    def redraw(self) -> None:
        """Show the list too."""
        super().redraw()
        rows = self.filter_list
        if rows.has_class("-open"):
            rows.put(self.filters, self._view.hits, complete=self._view.complete)

    # Keys.

    def action_filters(self) -> None:
        """Open the list, or close it where it has the focus."""
        rows = self.filter_list
        if rows.has_class("-open") and self.screen.focused is rows:
            self.close_filters()
            return
        rows.put(self.filters, self._view.hits, complete=self._view.complete)
        rows.add_class("-open")
        self.screen.set_focus(rows)

    def close_filters(self) -> None:
        """Leave the list; the filters hold on."""
        self.filter_list.remove_class("-open")
        self.focus_body()

    def action_add_filter(self) -> None:
        """Write a filter, beginning with what the filter line says."""
        self._editing = None
        text = self._filter.text
        self._edit(f"{_name_for(text)} = {text}" if text else "")

    def action_like(self, keeps: int) -> None:
        """Keep in, or out, the records that are like the one under the cursor."""
        self.surely(partial(self._like, self.lines.number, keeps))

    def _like(self, number: int | None, keeps: int) -> None:
        record = self.record_at(number)
        text = likeness(record.body) if record is not None else ""
        if not text:
            self.post_message(Noticed("nothing in this record tells what is like it", "warning"))
            return
        self._put(lambda: self.filters.with_filter(Filter(_name_for(text), text, keeps=bool(keeps))))

    def put_filter(self, name: str, query: str, *, keeps: bool) -> None:
        """Add a filter."""
        short = " ".join(name.split())[:LONGEST_NAME] or _name_for(query)
        self._put(lambda: self.filters.with_filter(Filter(short, query, keeps=keeps)))

    @on(FilterList.Changed)
    def _filters_changed(self, event: FilterList.Changed) -> None:
        event.stop()
        self._put(lambda: event.filters)

    @on(RowList.Chosen, "FilterList")
    def _edit_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._editing = event.item
        self._edit(f"{'' if event.item.keeps else '-'}{event.item.name} = {event.item.text}")

    def _edit(self, text: str) -> None:
        line = self.filter_edit
        line.value = text
        line.add_class("-open")
        self.screen.set_focus(line)

    @on(Input.Changed, "FilterEdit")
    def _edited(self, event: Input.Changed) -> None:
        event.stop()
        try:
            if event.value:
                read_filter(event.value)
            self._problem = ""
        except UsageError as error:
            self._problem = f"✖ {error}"

    @on(Input.Submitted, "FilterEdit")
    def _edit_kept(self, event: Input.Submitted) -> None:
        event.stop()
        before = self._editing

        def changed() -> Filters:
            wanted = read_filter(event.value)
            kept = self.filters
            if before is not None and before.name in [each.name for each in kept]:
                wanted = replace(wanted, on=before.on)
                if before.name != wanted.name:
                    kept = kept.without(before.name)
            return kept.with_filter(wanted)

        if self._put(changed):
            self._close_edit()
            if before is None:
                self.action_unfilter()

    def _put(self, make: Callable[[], Filters]) -> bool:
        """Take other filters over, without their counts; False where they are wrong."""
        try:
            filters = make()
        except UsageError as error:
            self._problem = f"✖ {error}"
            return False
        self.filters = Filters(tuple(replace(each, hits=None) for each in filters))
        self._problem = ""
        rows = self.filter_list
        rows.put(self.filters, (), complete=False)
        rows.add_class("-open")
        return True

    def _close_edit(self) -> None:
        self.filter_edit.remove_class("-open")
        self._editing = None
        self._problem = ""
        self.screen.set_focus(self.filter_list) if self.filter_list.has_class("-open") else self.focus_body()

    def step_back(self) -> bool:
        """Leave the line, else the list, where the focus is there."""
        if self.screen.focused is self.filter_edit:
            self._close_edit()
            return True
        if self.screen.focused is self.filter_list:
            self.close_filters()
            return True
        return super().step_back()


def read_filter(text: str) -> Filter:
    """Read `name = query`; a minus before the name keeps out. Without a name, the query is the name too.

    Raises:
        UsageError: The query is wrong, or asks nothing.
    """
    name, sign, query = text.partition(" = ")
    if not sign:
        name, query = "", text
    name = name.strip()
    keeps = not (sign and name.startswith("-"))
    name = name.removeprefix("-").strip() or _name_for(query)
    return Filters().with_filter(Filter(name, query.strip(), keeps=keeps))[name]


def likeness(body: str) -> str:
    """Return a query for the records like one: the longest of its parts that name nothing in particular."""
    line = body.strip().partition("\n")[0][:1000]
    parts = re.split(r"[\"\\]|\S*[\d/@=:{}\[\]]\S*|[^\x20-\x7e]+", line)
    phrases = [part.strip() for part in parts if len(part.strip()) >= SHORTEST]
    chosen = sorted(sorted(phrases, key=len, reverse=True)[:PHRASES], key=phrases.index)
    return " ".join(f'"{phrase}"' for phrase in dict.fromkeys(chosen))


def _name_for(query: str) -> str:
    return " ".join(query.replace('"', "").split())[:LONGEST_NAME] or "filter"
