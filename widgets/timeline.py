"""The time line: what was done, by whom, where, and how it ended, over the whole action log and as it grows.

Newest first, as `cockpit log list` and a search have it: on call the question is what was just done, and the row that
answers it stands where the eye is, however long the log. Rows that one has scrolled to stand still while newer ones
come in above them. Everything is read in threads, a page at a time, and only a window of it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from cockpit.actionlog.filters import Filter
from cockpit.actionlog.timeline import MOST_HITS, PAGE, Entry, Timeline
from cockpit.actionlog.words import NAMES, read
from cockpit.errors import CockpitError
from cockpit.keymap import Keymap
from cockpit.stores.base import Clock
from widgets.help import Help
from widgets.keys import bindings
from widgets.lines import KeyBar
from widgets.rows import RowList
from widgets.text import clock, safe
from widgets.timeline_acts import copied, replay
from widgets.timeline_keys import LIST_ACTIONS
from widgets.timeline_rows import TimelineRows

WINDOW = 2_000
"""Entries kept; those furthest from the rows in sight are let go, and read again when one comes back."""
POLL_S = 1.0
TYPING_S = 0.2
"""Seconds without a key before what is typed is looked for."""


class TimelineScreen(Screen[int | None]):
    """The action log over the cockpit, which goes on below; dismissed with a moment to go to, or None.

    Args:
        reader: Reads the log; it is closed with the screen.
        keymap: Whose keys the hint line shows.
        clock: Nanoseconds since the epoch.
        wanted: A filter to begin with.
    """

    PLACE: ClassVar[str] = "timeline"
    DEFAULT_CSS = """
    TimelineScreen {
        layout: vertical; background: $surface;
        & > #timeline-head {
            height: 1; width: 1fr; background: $boost; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis;
        }
        & > Input { height: 1; border: none; padding: 0 1; background: $boost; display: none; }
        & > Input.-open { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(LIST_ACTIONS)

    def __init__(self, reader: Timeline, keymap: Keymap, clock: Clock, *, wanted: str = "") -> None:
        super().__init__()
        self.reader = reader
        self.rows = TimelineRows()
        self.text = wanted
        self.wanted = Filter()
        self.entries: list[Entry] = []
        """What is read of the log, newest first."""
        self._keymap = keymap
        self._clock = clock
        self._head_line = Static(id="timeline-head")
        self._line = Input(placeholder=f"words, {', '.join(f'{name}:' for name in NAMES)}", compact=True)
        self._ends = {True: False, False: False}
        """Whether there is more, older and newer, than what is read."""
        self._busy = False
        self._position = 0
        self._turn = 0
        """Counts the filters, so that an answer to an earlier one is let go."""
        self._problem = ""

    def compose(self) -> ComposeResult:
        """Lay the heading over the rows, the search line and the keys."""
        yield self._head_line
        yield self.rows
        yield self._line
        yield KeyBar(self._keymap)

    def on_mount(self) -> None:
        """Read the newest page."""
        self.query_one(KeyBar).show_place(self.PLACE)
        self.rows.empty = "reading…"
        self._show_line(bool(self.text))
        self._line.value = self.text
        self.rows.focus()
        self._begin()
        self.set_interval(POLL_S, self._poll)

    async def on_unmount(self) -> None:
        """Let go of the file."""
        await asyncio.to_thread(self.reader.close)

    # Reading.

    @work(group="begin", exclusive=True, exit_on_error=False)
    async def _begin(self, *, oldest: bool = False) -> None:
        """Show what the filter leaves, from one end."""
        self._turn += 1
        turn, reader = self._turn, self.reader
        try:
            wanted = self.wanted = read(self.text, self._clock())
            self._position = await asyncio.to_thread(reader.head)
            page = await asyncio.to_thread(self._first_page, wanted, oldest)
        except CockpitError as error:
            self._fail(error)
            return
        if turn != self._turn:
            return
        self._problem = ""
        self.entries = list(page)
        more = len(page) >= PAGE
        self._ends = {True: more and not oldest, False: more and oldest and not wanted.text}
        self._draw(lambda: self.rows.begin(self.entries, oldest=oldest))

    def _first_page(self, wanted: Filter, oldest: bool) -> Sequence[Entry]:
        if wanted.text:
            return self.reader.holding(wanted, limit=MOST_HITS if oldest else PAGE)
        return self.reader.newer(wanted) if oldest else self.reader.older(wanted)

    @on(TimelineRows.Near)
    def _near(self, event: TimelineRows.Near) -> None:
        event.stop()
        if not isinstance(event, TimelineRows.EdgeAsked) and self._ends[event.older] and not self._busy:
            self._busy = True
            self._read_on(event.older)

    @on(TimelineRows.EdgeAsked)
    def _edge(self, event: TimelineRows.EdgeAsked) -> None:
        event.stop()
        if self._ends[event.older]:
            self._begin(oldest=event.older)
        else:
            self.rows.begin(self.entries, oldest=event.older)

    @work(group="page", exit_on_error=False)
    async def _read_on(self, older: bool) -> None:
        """Read the next page at one end, and let go of as much at the other."""
        turn, wanted, entries = self._turn, self.wanted, self.entries
        try:
            if wanted.text:
                page = await asyncio.to_thread(
                    self.reader.holding, wanted, limit=min(MOST_HITS, 4 * len(entries))
                )
            elif older:
                page = await asyncio.to_thread(self.reader.older, wanted, entries[-1].place)
            else:
                page = await asyncio.to_thread(self.reader.newer, wanted, entries[0].place)
        except CockpitError as error:
            self._fail(error)
            return
        finally:
            self._busy = False
        if turn == self._turn:
            self._join(page, older)

    def _join(self, page: Sequence[Entry], older: bool) -> None:
        entries = self.entries
        if self.wanted.text:
            self._ends[True] = len(entries) < len(page) < MOST_HITS
            self.entries = list(page)
        elif older:
            self._ends[True] = len(page) >= PAGE
            left = max(0, len(entries) + len(page) - WINDOW)
            self.entries = [*entries[left:], *page]
            self._ends[False] = self._ends[False] or left > 0
        else:
            self._ends[False] = len(page) >= PAGE
            self.entries = [*page, *entries][:WINDOW]
            self._ends[True] = self._ends[True] or len(page) + len(entries) > WINDOW
        self._draw(lambda: self.rows.put(self.entries))

    @work(group="poll", exclusive=True, exit_on_error=False)
    async def _poll(self) -> None:
        """Take in what was written since the last look: new entries, and how those that were open ended."""
        if self._busy:
            return
        turn, wanted = self._turn, self.wanted
        try:
            position = await asyncio.to_thread(self.reader.head)
            if position == self._position or not self.entries:
                if position != self._position:
                    self._begin()
                return
            fresh, again = await asyncio.to_thread(self._news, wanted, list(self.entries))
        except CockpitError as error:
            self._fail(error)
            return
        if turn == self._turn and not self._busy:
            self._position = position
            self._take(fresh, again)

    def _news(
        self, wanted: Filter, known: list[Entry]
    ) -> tuple[Sequence[Entry], dict[tuple[str, str], Entry]]:
        """Return entries that are new at the top, and those known that read otherwise now."""
        changed = dict(self.reader.again([entry for entry in known if entry.is_open]))
        if wanted.text:
            keys = {entry.key for entry in known}
            hits = self.reader.holding(wanted, limit=PAGE)
            return [entry for entry in hits if entry.key not in keys], changed
        return ([] if self._ends[False] else self.reader.newer(wanted, known[0].place)), changed

    def _take(self, fresh: Sequence[Entry], again: dict[tuple[str, str], Entry]) -> None:
        self._ends[False] = self._ends[False] or (len(fresh) >= PAGE and not self.wanted.text)
        entries = [again.get(entry.key, entry) for entry in self.entries]
        if self.wanted.state:
            entries = [each for each in entries if getattr(each.record, "state", None) == self.wanted.state]
        self.entries = [*fresh, *entries]
        if len(self.entries) > WINDOW and not self.wanted.text:
            del self.entries[WINDOW:]
            self._ends[True] = True
        self._draw(lambda: self.rows.put(self.entries))

    # Drawing.

    def _draw(self, put: Callable[[], None]) -> None:
        rows = self.rows
        rows.now = self._clock()
        rows.span = None if self.wanted.text else (1, self._position)
        rows.empty = "nothing fits · Esc drops the filter" if self.text else "nothing was done yet"
        put()
        rows.look()
        self._say()

    def _fail(self, error: CockpitError) -> None:
        """Say what went wrong; what was read before stays."""
        self._problem = f"{error.message} ({error.remedy})" if error.remedy else error.message
        if not self.entries:
            self.rows.empty = f"✖ {self._problem}"
            self.rows.renew()
        self._say()

    def _say(self) -> None:
        """Write the heading: what is shown, and of how much."""
        parts: list[str | tuple[str, str]] = [("Time line", "bold $text-accent")]
        if self.text:
            count = f"{len(self.entries):,}{'+' if any(self._ends.values()) else ''}"
            parts.append((f"  /{safe(self.text, 200)}  {count} fit", "$text"))
        else:
            where = (
                "newest first, following" if self.rows.at_newest and not self._ends[False] else self._where()
            )
            parts.append((f"  {where} · {self._position:,} records", "$text-muted"))
        if self._problem:
            parts.append((f"  ✖ {safe(self._problem, 300)}", "$text-error"))
        self._head_line.update(Content.assemble(*parts), layout=False)

    def _where(self) -> str:
        entry = self.rows.current
        return f"at {clock(entry.at, date=True)} UTC" if entry is not None else "newest first"

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
        self._say()

    # Searching.

    def action_search(self) -> None:
        """Open the line for words and filters."""
        self._show_line(True)
        self._line.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value.strip() != self.text:
            self._look_for(event.value.strip())

    @work(group="typing", exclusive=True, exit_on_error=False)
    async def _look_for(self, text: str) -> None:
        await asyncio.sleep(TYPING_S)
        self.text = text
        self._begin()

    @on(Input.Submitted)
    def _kept(self, event: Input.Submitted) -> None:
        event.stop()
        self._show_line(bool(event.value.strip()))
        self.rows.focus()

    def _show_line(self, on: bool) -> None:
        self._line.set_class(on, "-open")

    def action_back(self) -> None:
        """Drop the filter, then leave."""
        if self._line.has_class("-open") or self.text:
            self.workers.cancel_group(self, "typing")
            self._show_line(False)
            self._line.value = self.text = ""
            self.rows.focus()
            self._begin()
        else:
            self.dismiss(None)

    # What can be done with an entry.

    @on(RowList.Chosen)
    def _open(self, event: RowList.Chosen) -> None:
        from widgets.timeline_record import RecordScreen

        event.stop()
        self.app.push_screen(RecordScreen(event.item, self.reader, self._keymap, self._clock), self._go_to)

    def action_replay(self) -> None:
        """Replay what the action under the cursor printed."""
        if (entry := self.rows.current) is not None:
            replay(self, entry, self.reader, self._keymap, self._go_to)

    def action_moment(self) -> None:
        """Go to the moment of the entry under the cursor."""
        if (entry := self.rows.current) is not None:
            self.dismiss(entry.at)

    def action_copy(self) -> None:
        """Copy what the entry under the cursor says."""
        if (entry := self.rows.current) is not None:
            self.post_message(copied(entry, self._clock()))

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(Help(self._keymap, self.PLACE))

    def _go_to(self, moment: int | None) -> None:
        if moment is not None:
            self.dismiss(moment)
