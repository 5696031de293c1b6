"""What the four panes share: title, source states, filter line, and a redraw only when something moved."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widget import Widget
from textual.widgets import Input

from cockpit.errors import UsageError
from cockpit.evidence import Pin, query_of
from cockpit.keymap import Action
from cockpit.scope import Scope
from cockpit.signals import EMPTY, SECOND, Resource
from cockpit.stores.base import Stores
from cockpit.supervisor import SourceState, SourceStatus
from widgets.detail import Detail
from widgets.keys import bindings
from widgets.messages import EvidencePinned, FilterChanged, Noticed, TextCopied
from widgets.text import LATE_MARK, age, freshness, safe

_CSS = """
Pane {
    border: round $secondary 50%;
    border-title-color: $text;
    border-subtitle-color: $text-muted;
    padding: 0;
    background: $surface;
    &:focus-within { border: heavy $border; border-title-style: bold; }
    &.-detail > .pane--body { display: none; }
    & > .pane--filter { height: 1; border: none; padding: 0 1; background: $boost; display: none; }
    & > .pane--filter.-open { display: block; }
}
.-narrow Pane:blur { border: round $secondary 50%; }
"""

FILTER = Action(
    "pane.filter", ("slash",), "filter", "Filter this pane's rows as you type.", footer=True, priority=True
)
PANE_ACTIONS = (
    FILTER,
    Action("pane.unfilter", (), "clear filter", "Drop this pane's filter."),
    Action(
        "pane.copy",
        ("y",),
        "copy",
        "Copy the row or the open detail to the terminal's clipboard (OSC 52).",
        footer=True,
    ),
)
"""Actions that every pane has."""
STALE = (SourceState.LATE, SourceState.DOWN)


class PaneLine(Input):
    """A line of a pane: Enter ends the writing before the next key goes anywhere, which the app sees to."""


class FilterLine(PaneLine):
    """The line under a pane's rows where its filter is typed; there from the first time that one is."""

    def __init__(self) -> None:
        super().__init__(
            placeholder="filter · Enter keeps it, Esc drops it", classes="pane--filter", compact=True
        )

    virtual_size = Reactive(Size(0, 0))
    """How long the text is; a letter more is no reason to lay out the whole screen, which takes 15 ms."""


class Pane(Vertical):
    """A live view of one store.

    A subclass gives `NAME`, `SIGNAL`, `ACTIONS`, `body` (the widgets) and `redraw`; it redraws from its store when
    `stamp` moved. `now` is passed in, so that a test can hold the clock still.
    """

    NAME: ClassVar[str]
    """Lower-case, as in action ids: `health`."""
    SIGNAL: ClassVar[str]
    """The signal type's name, to find the sources that feed it."""
    ACTIONS: ClassVar[tuple[Action, ...]] = ()
    DEFAULT_CSS = _CSS
    BINDINGS = bindings(PANE_ACTIONS)

    def __init__(self, stores: Stores, *, number: int) -> None:
        super().__init__(id=self.NAME)
        self.stores = stores
        self.number = number
        self.scope = Scope()
        self.filter_text = ""
        self.now = 0
        self.statuses: Sequence[SourceStatus] = ()
        self.stale: frozenset[str] = frozenset()
        """Sources whose data is late: what they said is not drawn as fresh."""
        self._detail: Detail | None = None
        self._filter_line: FilterLine | None = None
        self._stamp: tuple[Hashable, ...] | None = None
        self._second = 0

    # What a subclass says.

    def body(self) -> ComposeResult:
        """Yield the pane's widgets; the first focusable one gets the focus."""
        yield from ()

    def stamp(self) -> Hashable:
        """Return what the view depends on besides scope and filter, such as the store's version."""
        return 0

    def redraw(self) -> None:
        """Show the store as it is at `self.now` within `self.scope` and `self.filter_text`."""

    def passed(self) -> None:
        """Do what a second's passing asks for where nothing else moved, such as ageing the rows on screen."""

    def summary(self) -> str:
        """Return what the title says after the pane's name."""
        return ""

    # What the app does.

    def tick(self, now: int, statuses: Sequence[SourceStatus]) -> None:
        """Redraw if anything moved since the last tick, or if a second has passed.

        A title that the store moved waits for the second: a border is drawn with all that it surrounds.
        """
        self.now = now
        self.statuses = [status for status in statuses if self.SIGNAL in status.emits]
        late = (status.name for status in self.statuses if status.state in STALE)
        self.stale = frozenset(late) if self.scope.live else frozenset()
        if not self.display:
            return
        stamp = (self.stamp(), self.scope, self.filter_text, self.stale)
        second = now // SECOND
        asked = self._stamp is None or stamp[1:] != self._stamp[1:]
        if stamp != self._stamp:
            self._stamp = stamp
            self.redraw()
        elif second != self._second:
            self.passed()
        if asked or second != self._second:
            self.title()
        self._second = second

    @property
    def moment(self) -> int:
        """The moment that is shown: now, or where the time cursor stands."""
        return self.scope.moment(self.now)

    def follow(self, scope: Scope) -> None:
        """Take over another scope; the next tick shows it."""
        self.scope = scope

    def title(self) -> None:
        """Write the border's title and subtitle, when they changed."""
        name = f"{self.number} {self.NAME.capitalize()}"
        sought = f"/{self.filter_text}" if self.filter_text else ""
        parts = [name, self.summary(), sought, self._trouble() if self.screen.has_class("-narrow") else ""]
        title = Content(safe(" · ".join(filter(None, parts))))
        if title.plain != getattr(self.border_title, "plain", self.border_title):
            self.border_title = title
        subtitle = Content(safe(self.fed_by()))
        if subtitle.plain != getattr(self.border_subtitle, "plain", self.border_subtitle):
            self.border_subtitle = subtitle

    def fed_by(self) -> str:
        """Return what the subtitle says: where the rows come from, and how that is doing."""
        return source_line(self.statuses, self.now)

    def _trouble(self) -> str:
        """Name the sources that are down or late, for a title that has no subtitle beneath it."""
        names = [
            f"{LATE_MARK} {status.name} {status.state}" for status in self.statuses if status.state in STALE
        ]
        return ", ".join(names[:2] + ([f"{len(names) - 2} more"] if len(names) > 2 else []))

    def outside(self) -> str:
        """Say what keeps rows out, for a list that is empty."""
        held = [f"{name} {value}" for name, value in self.scope.labels().items() if name != "trace"]
        held += [f"filter {self.filter_text}"] if self.filter_text else []
        return safe(f"none of {', '.join(held)} · Esc steps back", 200) if held else ""

    def focus_body(self) -> None:
        """Give the focus to the pane's main widget."""
        for child in self.walk_children(Widget):
            if (
                child.focusable
                and not isinstance(child, FilterLine)
                and all(a.display for a in child.ancestors_with_self if isinstance(a, Widget))
            ):
                self.screen.set_focus(child)
                return

    # The detail of one row.

    @property
    def detail(self) -> Detail | None:
        """The detail that is open and stands on the screen, or None."""
        return self._detail if self._detail is not None and self._detail.is_mounted else None

    @property
    def inside(self) -> bool:
        """True while something is open in place of the rows, which a step back closes."""
        return self._detail is not None

    async def open_detail(self, detail: Detail) -> None:
        """Show a detail in place of the rows, and wait until it stands; Esc brings the rows back."""
        self._forget_detail()
        self._detail = detail
        self.add_class("-detail")
        await self.mount(detail, before=self._filter_line)
        if self._detail is detail:
            self.focus_body()

    def close_detail(self) -> None:
        """Bring the rows back."""
        self._forget_detail()
        self.remove_class("-detail")
        self.focus_body()

    def _forget_detail(self) -> None:
        """Forget the detail before it is gone: it loses its widgets some messages before the pane loses it."""
        if self._detail is not None:
            self._detail.remove()
            self._detail = None

    def copied(self) -> tuple[str, str]:
        """Return (what to copy of the current row, how to call it); an empty text where there is nothing."""
        return "", ""

    def resource(self) -> Resource:
        """Return who the current row is about; empty where it is about nobody."""
        return EMPTY

    def action_copy(self) -> None:
        """Copy the open detail, or the row under the cursor."""
        detail = self.detail
        text, what = (detail.as_text(), detail.heading) if detail is not None else self.copied()
        if text:
            self.post_message(TextCopied(text, what))

    # Evidence.

    def evidence(self) -> Pin:
        """Return what is shown as evidence, as it is now.

        Raises:
            UsageError: There is nothing to pin, and why.
        """
        raise UsageError("nothing here can be pinned")

    def pin(self) -> None:
        """Pin what is shown, or say why not."""
        try:
            self.post_message(EvidencePinned(self.evidence()))
        except UsageError as error:
            self.post_message(Noticed(str(error), "warning"))

    def found_by(self, *filters: str) -> str:
        """Return what the view is narrowed by: the pane's filter, others, and the scope."""
        return query_of(self.scope, self.filter_text, *filters)

    # The filter line.

    def compose(self) -> ComposeResult:
        """Lay out the body, in which a container would be drawn under every line; the filter line comes last."""
        for widget in self.body():
            widget.add_class("pane--body", update=False)
            yield widget

    @property
    def filtering(self) -> bool:
        """True while the filter line is open."""
        return self._filter_line is not None and self._filter_line.has_class("-open")

    async def action_filter(self) -> None:
        """Open the filter line."""
        if self._filter_line is None:
            self._filter_line = FilterLine()
            await self.mount(self._filter_line)
        self._filter_line.add_class("-open")
        self.screen.set_focus(self._filter_line)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the letters to whatever is typed into."""
        if action in self._first:
            return not isinstance(self.screen.focused, Input)
        return super().check_action(action, parameters)

    @property
    def _first(self) -> frozenset[str]:
        """The actions whose keys go before those of the focused widget."""
        return frozenset(action.name for action in (*PANE_ACTIONS, *self.ACTIONS) if action.priority)

    def action_unfilter(self) -> None:
        """Drop the filter."""
        if self._filter_line is not None:
            self._filter_line.value = ""
            self._filter_line.remove_class("-open")
        self.filter_text = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        if isinstance(event.input, FilterLine):
            event.stop()
            self.filter_text = event.value
            self.post_message(FilterChanged())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go back to the rows."""
        if isinstance(event.input, FilterLine):
            event.stop()
            self.keep_filter()

    def keep_filter(self) -> None:
        """Keep the filter as it is typed, and go back to the rows."""
        if (line := self._filter_line) is not None:
            self.filter_text = line.value
            line.set_class(bool(line.value), "-open")
        self.focus_body()

    def step_back(self) -> bool:
        """Undo the pane's own last step on Esc; False where there is nothing of its own to undo."""
        if self._detail is not None:
            self.close_detail()
            return True
        if self.filtering:
            self.action_unfilter()
            self.focus_body()
            return True
        return False


def source_line(statuses: Sequence[SourceStatus], now: int) -> str:
    """Return the sources' states for a subtitle: the troubled ones in words, the others counted."""
    if not statuses:
        return "no source"
    parts = []
    live = [status for status in statuses if status.state is SourceState.LIVE]
    for status in statuses:
        if status.state is SourceState.LIVE or status.state is SourceState.DISABLED:
            continue
        text = f"{status.name} {status.state}"
        if status.last_data_at:
            text += f", data {age(now - status.last_data_at)} old"
        if status.error:
            text += f": {safe(status.error, 120)}"
        if status.retry_at > now:
            text += f", again in {age(status.retry_at - now)}"
        parts.append(text)
    if live:
        oldest = max(now - status.last_data_at for status in live)
        names = live[0].name if len(live) == 1 else f"{len(live)} sources"
        parts.append(f"{names} live, {freshness(oldest)}")
    if lost := sum(status.dropped for status in statuses):
        parts.append(f"{lost:,} dropped")
    if wrong := sum(status.rejected for status in statuses):
        parts.append(f"{wrong:,} rejected")
    return " · ".join(parts) or "all disabled"
