"""One entry of the time line: all that is recorded of it, over what the command printed or what was pinned."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from cockpit.actionlog.pages import Page, Pages
from cockpit.actionlog.plain import plain
from cockpit.actionlog.records import Action, Approval, Evidence, Note, SessionEnd
from cockpit.actionlog.timeline import Entry, Timeline
from cockpit.errors import CockpitError
from cockpit.keymap import Keymap
from cockpit.signals import Series
from cockpit.stores.base import Clock
from widgets.detail import Detail, Field
from widgets.help import Help
from widgets.keys import bindings
from widgets.lines import KeyBar
from widgets.messages import Noticed
from widgets.output_lines import OutputLines
from widgets.text import clock, safe
from widgets.timeline_acts import copied, replay
from widgets.timeline_keys import RECORD_ACTIONS
from widgets.timeline_row import asked_line, asked_of, told


class RecordScreen(Screen[int | None]):
    """One entry in full; dismissed with a moment to go to, or None.

    Args:
        entry: The entry.
        reader: Reads the log.
        keymap: Whose keys the hint line shows.
        clock: Nanoseconds since the epoch.
    """

    PLACE: ClassVar[str] = "record"
    DEFAULT_CSS = """
    RecordScreen {
        layout: vertical; background: $surface;
        & > Detail { height: 2fr; }
        & > Detail.-alone { height: 1fr; }
        & > #record-state { height: 1; background: $boost; padding: 0 1; color: $text-muted; }
        & > OutputLines { height: 3fr; }
        & > Plot { height: 2fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(RECORD_ACTIONS)

    def __init__(self, entry: Entry, reader: Timeline, keymap: Keymap, clock: Clock) -> None:
        super().__init__()
        self.entry = entry
        self.reader = reader
        self.page: Page | None = None
        self.lines = OutputLines(id="record-lines", follows=False)
        self._pages = Pages(self._text)
        self._keymap = keymap
        self._clock = clock
        self._state = Static(id="record-state")

    def compose(self) -> ComposeResult:
        """Lay the facts over the content."""
        said = told(self.entry, self._clock())
        detail = Detail(f"{said.mark} {said.word} · {said.text}", _sections(self.entry))
        yield detail
        if isinstance(self.entry.record, Action | Evidence | Approval | Note):
            yield self._state
            yield self.lines
        else:
            detail.add_class("-alone")
        yield KeyBar(self._keymap)

    def on_mount(self) -> None:
        """Read the first page."""
        self.query_one(KeyBar).show_place(self.PLACE)
        if self.lines.is_attached:
            self.lines.focus()
            self._turn_to(0)

    # What is shown under the facts.

    def _text(self) -> Iterator[str]:
        """Yield the content from its beginning, clean."""
        record = self.entry.record
        if isinstance(record, Action):
            yield from (text for _, text in plain(self.reader.output(record.id)))
        elif isinstance(record, Evidence) and record.kept:
            yield _laid_out(self.reader.evidence_body(record.id), record.media_type)
        elif isinstance(record, Approval):
            yield record.asked
        elif isinstance(record, Note):
            yield record.text

    @work(group="page", exclusive=True, exit_on_error=False)
    async def _turn_to(self, number: int) -> None:
        self._state.update("reading…")
        try:
            page = self.page = await asyncio.to_thread(self._pages.page, number)
        except CockpitError as error:
            self._state.update(Content(f"✖ {safe(str(error), 300)}"))
            return
        self.lines.clear()
        self.lines.feed(page.text.encode(errors="replace"))
        self.lines.end()
        self.lines.tick()
        self._state.update(Content(safe(self._told(page), 200)))
        if isinstance(self.entry.record, Evidence) and self.entry.record.kind == "plot" and page.number == 0:
            await self._draw_plot(self.entry.record)

    def _told(self, page: Page) -> str:
        record = self.entry.record
        parts = [type(record).__name__.lower()]
        if isinstance(record, Action):
            parts = [f"output, {record.output_bytes:,} bytes"]
            parts += [f"{record.output_cut:,} of them not kept"] if record.output_cut else []
            parts += [f"{record.redacted:,} secrets cut"] if record.redacted else []
            parts += ["nothing kept"] if not page.text and page.number == 0 else []
        if isinstance(record, Evidence) and not record.kept:
            parts.append("its content was pruned")
        if page.number or not page.last:
            parts.append(f"page {page.number + 1}{', the last' if page.last else ''}")
        return " · ".join(parts)

    async def _draw_plot(self, evidence: Evidence) -> None:
        from widgets.plot import Plot

        body = await asyncio.to_thread(self.reader.evidence_body, evidence.id)
        series = _series(body)
        if series and not self.query(Plot):
            plot = Plot()
            await self.mount(plot, before=self._state)
            plot.show(series)

    # What the keys do.

    def action_page(self, step: int) -> None:
        """Turn the page."""
        page = self.page
        if page is not None and not (step > 0 and page.last) and page.number + step >= 0:
            self._turn_to(page.number + step)
        else:
            self.post_message(Noticed("there is no other page that way"))

    def action_replay(self) -> None:
        """Replay what it printed."""
        replay(self, self.entry, self.reader, self._keymap, self._go_to)

    def action_moment(self) -> None:
        """Go to its moment."""
        self.dismiss(self.entry.at)

    def action_copy(self) -> None:
        """Copy its command or text."""
        self.post_message(copied(self.entry, self._clock()))

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(Help(self._keymap, self.PLACE))

    def action_back(self) -> None:
        """Go back to the time line."""
        self.dismiss(None)

    def _go_to(self, moment: int | None) -> None:
        if moment is not None:
            self.dismiss(moment)


def _laid_out(body: bytes, media_type: str) -> str:
    """Return evidence as text, JSON laid out over lines."""
    if media_type == "application/json":
        try:
            return msgspec.json.format(body, indent=2).decode(errors="replace")
        except (msgspec.DecodeError, RecursionError):
            pass
    return body.decode(errors="replace")


def _series(body: bytes) -> list[Series]:
    """Return the lines of a plot that was pinned; none where it is not one of ours."""
    try:
        read = msgspec.json.decode(body, type=_Plot)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return []
    return [Series(name=each.name, points=each.points, unit=read.unit) for each in read.series]


class _Line(msgspec.Struct):
    name: str
    points: tuple[tuple[int, float], ...]


class _Plot(msgspec.Struct):
    series: list[_Line]
    unit: str = ""


def _sections(entry: Entry) -> dict[str, Sequence[Field]]:
    """Return all that is recorded of an entry, by section."""
    record = entry.record
    fields: list[tuple[str, object]] = [("at", f"{clock(entry.at, date=True, millis=True)} UTC")]
    more: list[tuple[str, object]] = []
    if isinstance(record, Action):
        fields += _of_action(record)
        more = _proof_of(record)
    elif isinstance(record, Approval):
        asked = asked_of(record)
        fields += [("command", asked_line(asked)), ("asked by", record.actor), ("incident", record.incident)]
        fields += [(name, asked.get(name)) for name in ("target", "environment", "risk", "reason", "expires")]
        fields += [
            (
                "answer",
                f"{'approved' if answer.granted else 'refused'} by {answer.approver} {answer.remark or ''}",
            )
            for answer in record.answers
        ]
    elif isinstance(record, Evidence):
        shown = ("kind", "title", "query", "actor", "incident", "media_type", "size", "content_sha256")
        fields += [(name.replace("_", " "), getattr(record, name)) for name in shown]
        times = (("from", record.start_ns), ("to", record.end_ns))
        fields += [(name, f"{clock(at, date=True)} UTC") for name, at in times if at]
    else:
        left_out = ("text", "hash", "at", "id", "session")
        names = tuple(name for name in record.__struct_fields__ if name not in left_out)
        fields += [(name.replace("_", " "), getattr(record, name)) for name in names]
    if not isinstance(record, SessionEnd):
        more.append(("id", record.id))
    more += [("session", getattr(record, "session", "")), ("hash", record.hash)]
    return {"": _filled(fields), "Record": _filled(more)}


def _of_action(action: Action) -> list[tuple[str, object]]:
    how = action.signal or ("" if action.exit_status is None else f"exit {action.exit_status}")
    took = "" if action.duration_s is None else f"{action.duration_s:.3f} s"
    return [
        ("command", told(Entry(at=0, position=0, record=action), 0).text),
        ("target", f"{action.target} ({action.environment})"),
        ("actor", action.actor),
        ("state", " · ".join(filter(None, (action.state.value, how, took, action.error or "")))),
        ("risk", action.risk),
        ("decision", ": ".join(filter(None, (action.decision, "; ".join(action.reasons))))),
        ("approved", ", ".join(action.approvals)),
        ("reason", action.reason),
        ("incident", action.incident),
        ("ticket", action.ticket),
        ("undo", action.undo),
        ("directory", action.cwd),
    ]


def _proof_of(action: Action) -> list[tuple[str, object]]:
    kind = "" if action.kind == "command" else action.kind
    who = ", ".join(filter(None, (action.user, action.host, action.tty)))
    return [
        ("kind", kind),
        ("origin", action.origin),
        ("transport", action.transport),
        ("by", who),
        ("signs with", action.key_fingerprint),
        ("output sha256", action.output_sha256),
        ("position", f"{action.position:,}"),
    ]


def _filled(fields: Sequence[tuple[str, object]]) -> list[Field]:
    return [(name, str(value)) for name, value in fields if value not in (None, "")]
