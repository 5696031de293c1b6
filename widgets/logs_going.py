"""Going from record to record in the logs pane: by level, match, trace, mark and time; and by link."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import partial

from msgspec import Struct
from textual import on, work
from textual.widget import Widget
from textual.widgets import Input

from cockpit.errors import UsageError
from cockpit.evidence import of_logs
from cockpit.signals import SECOND, Level, LogRecord
from cockpit.stores.base import Stores
from cockpit.stores.logs import Records, read_marks
from cockpit.stores.logs.seeking import Goal
from cockpit.stores.logs.terms import AnyOf, Named, Node, Regex, Word
from widgets.asking import Asks
from widgets.logs_counting import LogsCounting
from widgets.logs_keys import NoteLine
from widgets.logs_seek import seek
from widgets.messages import EvidencePinned, Noticed
from widgets.text import clock

GONE = 1 << 62
"""The number of a mark whose record is not there."""
TENS, HOUR, DAY = 600 * SECOND, 3600 * SECOND, 86_400 * SECOND
ERROR = Goal("error", lambda record: record.level >= Level.ERROR, low=Level.ERROR)
WARNING = Goal("warning or error", lambda record: record.level >= Level.WARN, low=Level.WARN)


class Mark(Struct):
    """A record that was marked.

    Attributes:
        number: The number it has, or had last.
        record: What it says.
        place: The log and the offset at which it lies; None where it was streamed.
        comment: What was said of it.
    """

    number: int
    record: LogRecord
    place: tuple[int, int] | None
    comment: str = ""


class LogsGoing(LogsCounting):
    """Log records, and the ways among them."""

    def __init__(
        self, stores: Stores, *, number: int, asks: Asks | None = None, columns: Sequence[str] = ()
    ) -> None:
        super().__init__(stores, number=number, asks=asks, columns=columns)
        self.marks: list[Mark] = []
        self._marks_at: tuple[Records, int] = (self._view.store, 0)
        """The store that the marks' numbers are of, and its version then."""
        self._highlighted: Node | None = None
        self.note_line = NoteLine(
            placeholder="what is there to say of this record · Enter keeps it", compact=True
        )
        self._noting: Mark | int | None = None
        """The mark that a comment is being typed for, or the number of the record that gets one."""

    def opened_by_keys(self) -> Iterable[Widget]:
        """Yield the line for comments too."""
        yield from super().opened_by_keys()
        yield self.note_line

    def also(self) -> Sequence[Hashable]:
        """Follow the marks too."""
        return (*super().also(), self._marked())

    def redraw(self) -> None:
        """Keep the marks on their records."""
        self.lines.marked = self._marked()
        super().redraw()

    def _marked(self) -> frozenset[int]:
        return frozenset(mark.number for mark in self._known_marks())

    def _known_marks(self) -> list[Mark]:
        """Return the marks whose records are there, with the numbers that they have now."""
        store, (before, version) = self._view.store, self._marks_at
        moved = store.moved_since(version) if store is before else -(1 << 62)
        self._marks_at = (store, store.version)
        if store.version != version or store is not before:
            for mark in self.marks:
                lost = mark.number == GONE and mark.place is not None  # it may be read by now
                if lost or (moved is not None and mark.number >= moved):
                    found = store.number_of(*mark.place) if mark.place else store.locate(mark.record)
                    mark.number = GONE if found is None else found
        return [mark for mark in self.marks if store.first <= mark.number < store.end]

    # Errors, matches, traces.

    def action_seek_error(self, step: int) -> None:
        """Go to the next error, down or up."""
        self._seek(ERROR, step)

    def action_seek_warning(self, step: int) -> None:
        """Go to the next warning or error, down or up."""
        self._seek(WARNING, step)

    def action_seek_match(self, step: int) -> None:
        """Go to the next row that a highlight, or else the filter, matches."""
        marks = self.highlights or self._filter.marks
        if not marks:
            self.post_message(Noticed("nothing is highlighted: h highlights a text"))
            return
        wanted = self._filter.query.wanted
        node = self._highlighted if self.highlights else AnyOf(wanted)
        self._seek(
            Goal("match", lambda record: any(mark.found_in(record.body) for mark in marks), node), step
        )

    def action_seek_trace(self, step: int) -> None:
        """Go to the next record of the same trace, down or up."""
        self.surely(partial(self._to_trace, self.lines.number, step))

    def _to_trace(self, number: int | None, step: int) -> None:
        trace_id = record.trace_id if (record := self.record_at(number)) is not None else ""
        if not trace_id:
            self.post_message(Noticed("this record belongs to no trace", "warning"))
            return
        from cockpit.stores.logs.evaluate import lower  # not for what is drawn first

        node = Named("trace", whole=True, value=lower(trace_id))
        self._seek(Goal("record of this trace", lambda record: record.trace_id == trace_id, node), step)

    @work(group="logs-seek", exclusive=True, exit_on_error=False)
    async def _seek(self, goal: Goal, step: int) -> None:
        def waiting() -> None:
            self._seeking = f"looking for the next {goal.name}… Esc stops"

        try:
            if not await seek(self.lines, goal, step=step, waiting=waiting):
                self.post_message(Noticed(f"no {goal.name} {'below' if step > 0 else 'above'}"))
        except UsageError as error:
            self.post_message(Noticed(str(error), "error"))
        finally:
            self._seeking = ""

    # Times.

    def action_seek_time(self, minutes: int, step: int) -> None:
        """Go to the next or the last multiple of so many minutes that has records."""
        self.surely(partial(self._to_multiple, minutes * 60 * SECOND, step))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the figures to the panes where there are several."""
        if action == "tens":
            return bool(self.stores.logs.files)
        return super().check_action(action, parameters)

    def action_tens(self, place: int) -> None:
        """Go to the first record from so many tens of minutes past an hour on, below the cursor."""
        self.surely(partial(self._to_tens, place))

    def _to_tens(self, place: int) -> None:
        moment = self._time_at(0)
        if moment is None:
            return
        wanted = moment // HOUR * HOUR + (place % 6) * TENS
        self._go_to(wanted if wanted > moment else wanted + HOUR, 1)

    def _to_multiple(self, size: int, step: int) -> None:
        if step > 0 and (moment := self._time_at(0)) is not None:
            self._go_to((moment // size + 1) * size, step)
        elif step < 0 and (moment := self._time_at(-1)) is not None:
            self._go_to(moment // size * size, step)

    def _time_at(self, offset: int) -> int | None:
        """Return the time by which the row so far from the cursor is placed; None where there is none.

        Raises:
            StillReading: It was not read yet.
        """
        rank = self.lines.rank
        if rank is None or not 0 <= rank + offset < len(self._view):
            return None
        number = self._view.number(rank + offset)
        self.need(number)
        return next(iter(self._view.store.times(number, number + 1)), None)

    def _go_to(self, moment: int, step: int) -> None:
        number = self._view.store.number_from(moment)
        self.need(number)
        rank = self._view.rank(number)
        if rank >= len(self._view):
            self.post_message(Noticed(f"nothing from {clock(moment, date=True)} on"))
            return
        self.lines.go(rank)

    # Marks.

    def action_mark(self) -> None:
        """Mark the record, or take its mark away."""
        if (number := self.lines.number) is not None:
            self.surely(partial(self._mark, number))

    def _mark(self, number: int) -> None:
        self.need(number)
        gone = self._mark_at(number)
        if gone is not None:
            self.marks.remove(gone)
            return
        mark = self._mark_of(number)
        self.marks.append(mark)
        self._pin_mark(mark)

    def _mark_at(self, number: int) -> Mark | None:
        return next((mark for mark in self._known_marks() if mark.number == number), None)

    def _mark_of(self, number: int) -> Mark:
        store = self._view.store
        return Mark(number, store[number], store.place(number))

    def action_comment(self) -> None:
        """Mark the record with a comment."""
        number = self.lines.number
        if number is None:
            return
        known = self._mark_at(number)
        self._noting = known or number
        line = self.note_line
        line.value = "" if known is None else known.comment
        line.add_class("-open")
        self.screen.set_focus(line)

    @on(Input.Changed, "NoteLine")
    def _note_typed(self, event: Input.Changed) -> None:
        event.stop()

    @on(Input.Submitted, "NoteLine")
    def _note_kept(self, event: Input.Submitted) -> None:
        event.stop()
        noted, said = self._noting, event.value.strip()
        self.close_note()
        if noted is not None:
            self.surely(partial(self._note, noted, said))

    def _note(self, noted: Mark | int, said: str) -> None:
        self.need(noted.number if isinstance(noted, Mark) else noted)
        mark = noted if isinstance(noted, Mark) else self._mark_of(noted)
        mark.comment = said
        if mark not in self.marks:
            self.marks.append(mark)
        self._pin_mark(mark)

    def close_note(self) -> None:
        """Leave the comment."""
        self._noting = None
        self.note_line.remove_class("-open")
        self.focus_body()

    def _pin_mark(self, mark: Mark) -> None:
        try:
            link = self._view.store.link(mark.number)
        except UsageError as error:
            self.post_message(Noticed(str(error), "warning"))
            return
        pin = of_logs(
            [mark.record],
            matching=1,
            selected=mark.record,
            query=self.found_by(),
            link=link,
            comment=mark.comment,
        )
        self.post_message(EvidencePinned(pin))

    def action_seek_mark(self, step: int) -> None:
        """Go to the next mark, down or up."""
        rank = self.lines.rank
        places = sorted(
            place
            for mark in self._known_marks()
            if (place := self._view.rank(mark.number)) < len(self._view)
            and self._view.number(place) == mark.number
        )
        wanted = [place for place in places if rank is not None and (place - rank) * step > 0]
        if not wanted:
            self.post_message(Noticed(f"no mark {'below' if step > 0 else 'above'}: b marks a record"))
            return
        self.lines.go(wanted[0] if step > 0 else wanted[-1])

    # Links.

    @work(group="logs-seek", exclusive=True, exit_on_error=False)
    async def goto(self, link: str) -> None:
        """Go to the record that a link speaks of, however far it has moved."""
        store = self.stores.logs

        def waiting(text: str) -> None:
            self._seeking = f"{text}… Esc stops"

        try:
            number = await store.follow(link, waiting)
        except UsageError as error:
            self.post_message(Noticed(str(error), "error"))
            return
        finally:
            self._seeking = ""
        self._leave_past()
        rank = self._view.rank(number)
        if rank >= len(self._view) or self._view.number(rank) != number:
            self.post_message(
                Noticed("the line is there, but filtered away: this is the next one", "warning")
            )
        self.lines.go(rank)

    # Highlights.

    def action_highlight(self) -> None:
        """Open the line for a highlight."""
        self.highlight_line.add_class("-open")
        self.screen.set_focus(self.highlight_line)

    @on(Input.Changed, "HighlightLine")
    def _highlight_typed(self, event: Input.Changed) -> None:
        event.stop()
        text = event.value
        try:
            self.highlights = read_marks(text)
            self._highlighted = _node_of(text)
            self._problem = ""
        except UsageError as error:
            self._problem = f"✖ {error}"

    @on(Input.Submitted, "HighlightLine")
    def _highlight_kept(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_highlight(keep=bool(event.value))

    def _close_highlight(self, *, keep: bool) -> None:
        line = self.highlight_line
        if not keep:
            line.value = ""
            self.highlights = ()
            self._problem = ""
        line.remove_class("-open")
        self.focus_body()

    def step_back(self) -> bool:
        """Stop looking, else leave a line that is open, else what lies below, and drop the highlight last."""
        if self._seeking:
            self.workers.cancel_group(self, "logs-seek")
            self.workers.cancel_group(self, "logs-read")
            return True
        if self.screen.focused is self.highlight_line:
            self._close_highlight(keep=False)
            return True
        if self._noting is not None:
            self.close_note()
            return True
        if super().step_back():
            return True
        if self.highlights:
            self._close_highlight(keep=False)
            return True
        return False


def _node_of(text: str) -> Node | None:
    """Return a highlight as part of a query."""
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        return Regex(text[1:-1])
    return Word(text) if text else None
