"""The dialog that chooses where commands land: filtered as one types, one list however many hosts there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from cockpit.errors import UsageError
from cockpit.inventory.inventories import InventoryState, InventoryStatus
from cockpit.naming import name_fault
from cockpit.targets import GROUP, LOCAL, MARK, SSH, Environment, Target, Targets, is_collective
from widgets.rows import Piece, RowList, columns
from widgets.text import age, safe

STYLE = {
    Environment.PRODUCTION: "critical",
    Environment.DISASTER_RECOVERY: "error",
    Environment.STAGING: "warning",
    Environment.DEVELOPMENT: "ok",
}
"""The style of each environment's name, which is written out as well."""
WIDEST_NAME = 40
UNKNOWN = "nothing here knows it, ssh may"
"""What stands for groups beside a name that was typed and that nothing knows."""


class TargetChooser(ModalScreen[str]):
    """Offers this machine, groups and hosts; dismissed with a name, or an empty string for none.

    Args:
        targets: What there is.
        statuses: Returns how the inventories are doing.
        start: The name to start at.
    """

    DEFAULT_CSS = """
    TargetChooser {
        align: center middle;
        & > Vertical {
            width: 90%; max-width: 120; height: 80%; max-height: 40;
            border: heavy $border; background: $surface; padding: 0 1;
        }
        & Input { height: 1; border: none; padding: 0; background: $boost; }
        & Static { height: auto; max-height: 3; color: $text-warning; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("up", "rows('cursor', -1)", show=False),
        Binding("down", "rows('cursor', 1)", show=False),
        Binding("pageup", "rows('page', -1)", show=False),
        Binding("pagedown", "rows('page', 1)", show=False),
    ]

    def __init__(
        self, targets: Targets, statuses: Callable[[], Sequence[InventoryStatus]], *, start: str = LOCAL
    ) -> None:
        super().__init__()
        self._targets = targets
        self._statuses = statuses
        self._start = start
        self._version = -1
        self._name_width = WIDEST_NAME
        self.rows: RowList[Target] = RowList(
            self._draw, key=lambda target: target.name, empty="no such target"
        )

    def compose(self) -> ComposeResult:
        """Lay the line over the list."""
        with Vertical() as frame:
            frame.border_title = Content("Where commands land")
            frame.border_subtitle = Content("Enter chooses · Esc leaves it as it is")
            yield Input(placeholder="a name, @group, db-*, @web,!web-3", compact=True, id="chooser-line")
            yield self.rows
            yield Static(id="chooser-notes")

    def on_mount(self) -> None:
        """Show everything, and start where the cockpit is."""
        self.rows.can_focus = False
        self.query_one(Input).focus()
        self._show("")
        self.rows.select(self._start)
        self.set_interval(1.0, self._look)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value.strip())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        row = self.rows.current
        if row is not None:
            self._leave(row.name)

    @on(RowList.Chosen)
    def _double_clicked(self, event: RowList.Chosen) -> None:
        event.stop()
        self._leave(event.item.name)

    def action_cancel(self) -> None:
        """Leave the target as it is."""
        self._leave("")

    def action_rows(self, action: str, step: int) -> None:
        """Move in the list while one types."""
        (self.rows.action_cursor if action == "cursor" else self.rows.action_page)(step)

    def _leave(self, name: str) -> None:
        if self.is_current:  # a second Enter of one burst finds another screen on top
            self.dismiss(name)

    def _look(self) -> None:
        """Take over what inventories have said since."""
        if self._version != self._targets.version:
            before = self.rows.current
            self._show(self.query_one(Input).value.strip())
            if before is not None:
                self.rows.select(before.name)
        self._note()

    def _show(self, text: str) -> None:
        self._version = self._targets.version
        found, self.rows.empty = offered(self._targets, text)
        self._name_width = max(12, min(WIDEST_NAME, max((len(each.name) for each in found[:200]), default=0)))
        self.rows.show_items(found)
        if found:
            self.rows.select(found[0].name)
        self._note()

    def _note(self) -> None:
        """Say how many there are, and which inventories are not well."""
        import time

        now = time.time()
        lines = [f"{len(self._targets.hosts()):,} hosts known"]
        for status in self._statuses():
            if status.state is InventoryState.WAITING:
                lines[0] += f" · {status.name} has not answered yet"
            elif status.error:
                old = (
                    f", known {age(int((now - status.answered_at) * 1e9))} ago" if status.answered_at else ""
                )
                lines.append(f"{status.name} {status.state}{old}: {status.error}")
        self.query_one("#chooser-notes", Static).update(
            Content("\n".join(safe(line, 300) for line in lines[:3]))
        )

    def _draw(self, target: Target, width: int) -> Sequence[Piece]:
        known = self._targets.groups().get(target.name.removeprefix(MARK), ())
        if target.transport == GROUP:
            size = (
                len(known)
                if target.name.startswith(MARK) and not is_list(target.name)
                else self._count(target)
            )
            about = f"{size:,} host{'s' if size != 1 else ''}"
        else:
            about = " ".join(target.groups) if self._targets.is_known(target.name) else UNKNOWN
        environment = target.environment.value + ("" if target.named else "?")
        way = f"via {target.via}" if target.via else ""
        return columns(
            width,
            (safe(target.name), "strong" if target.transport == GROUP else "", self._name_width),
            (environment, STYLE[target.environment], 18),
            (safe(about), "muted", 0),
            (safe(way), "muted", 20 if width > 90 else 1),
        )

    def _count(self, target: Target) -> int:
        try:
            return len(self._targets.members(target.name))
        except UsageError:
            return 0


def is_list(name: str) -> bool:
    """Whether a name is more than one group."""
    return is_collective(name.removeprefix(MARK))


def offered(targets: Targets, text: str) -> tuple[Sequence[Target], str]:
    """Return the targets that a text may mean, the likeliest first, and what to say where there are none.

    A list or pattern is offered as one, before the hosts that it stands for. Of anything else each word has to be in
    the name, in the name of a group, or begin that of an environment; a name that nothing knows is offered last.
    """
    if not text:
        return targets.listing(), "no target is known"
    if is_list(text):
        try:
            return [targets.choose(text), *targets.members(text)], ""
        except UsageError as error:
            return [], str(error)
    words = text.lower().split()
    found: Sequence[Target] = targets.listing()
    for word in words:
        found = _with_word(targets, found, word)
    first = [target for target in found if target.name.startswith(text)]
    exact = [target for target in first if target.name == text]
    begun = {target.name for target in first}
    ordered = [
        *exact,
        *(target for target in first if target.name != text),
        *(target for target in found if target.name not in begun),
    ]
    if not exact and not text.startswith(MARK) and not name_fault(text):
        ordered.append(
            Target(name=text, transport=SSH, environment=targets.resolve(text).environment, named=False)
        )
    return ordered, targets.nearest(text)


def _with_word(targets: Targets, among: Sequence[Target], word: str) -> list[Target]:
    groups = {name for name in targets.groups() if word.removeprefix(MARK) in name.lower()}
    environments = {each for each in Environment if each.value.startswith(word)}
    return [
        target
        for target in among
        if word in target.name.lower()
        or target.environment in environments
        or not groups.isdisjoint(target.groups)
    ]
