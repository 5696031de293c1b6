"""CockpitApp: composes the panes, binds the keys, carries the selection from pane to pane. It stays small.

Both streets meet here and nowhere else: telemetry from the supervisor's stores to the panes, commands from the
operator to the executor. What can be done without a screen belongs in `cockpit.wiring`.
"""

from __future__ import annotations

import time
from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.getters import query_one

from cockpit.keymap import Action, Keymap
from cockpit.signals import SECOND
from cockpit.wiring import Cockpit
from widgets.alerts import AlertsPane
from widgets.health import HealthPane
from widgets.keys import bindings, textual_keymap
from widgets.lines import Breadcrumb, CommandBar, KeyBar
from widgets.logs import LogsPane
from widgets.messages import CommandEntered, CursorMoved, Noticed, ScopeNarrowed, TextCopied
from widgets.pane import PANE_ACTIONS, Pane
from widgets.themes import THEMES
from widgets.traces import TracesPane
from widgets.verdict import Verdict

PANES: tuple[type[Pane], ...] = (HealthPane, AlertsPane, LogsPane, TracesPane)

APP_ACTIONS = (
    Action("app.pane(1)", ("1",), "health", "Go to the health pane."),
    Action("app.pane(2)", ("2",), "alerts", "Go to the alerts pane."),
    Action("app.pane(3)", ("3",), "logs", "Go to the logs pane."),
    Action("app.pane(4)", ("4",), "traces", "Go to the traces pane."),
    Action("app.zoom", ("z",), "zoom", "Give the whole screen to this pane, or take it back.", footer=True),
    Action("app.command", ("colon",), "command", "Type a command of the cockpit's own.", footer=True),
    Action("app.shell", ("exclamation_mark",), "run", "Run a shell line on the current target.", footer=True),
    Action("app.help", ("question_mark",), "help", "Show what this pane's keys do.", footer=True),
    Action("app.back", ("escape",), "back", "Step back: drop a filter, leave a detail, widen the scope."),
    Action("app.earlier", ("left_square_bracket",), "earlier", "Move the time cursor back."),
    Action("app.later", ("right_square_bracket",), "later", "Move the time cursor on, up to now."),
    Action("app.quit", ("q", "ctrl+q"), "quit", "Leave the cockpit.", footer=True),
)


class CockpitApp(App[int]):
    """The screen."""

    TITLE = "cockpit"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = bindings(APP_ACTIONS)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]

    verdict = query_one(Verdict)
    breadcrumb = query_one(Breadcrumb)
    keybar = query_one(KeyBar)
    command_bar = query_one(CommandBar)

    def __init__(self, cockpit: Cockpit) -> None:
        super().__init__()
        self.cockpit = cockpit
        self.keymap = Keymap(
            [*(action for pane in PANES for action in pane.ACTIONS), *PANE_ACTIONS, *APP_ACTIONS],
            cockpit.settings.keys,
        )
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = cockpit.theme()
        self._second = 0

    def compose(self) -> ComposeResult:
        """Lay out the verdict, the four panes and the lines around them."""
        cockpit = self.cockpit
        yield Verdict(cockpit.stores, on_call=cockpit.on_call(), mode=cockpit.mode())
        yield Breadcrumb(cockpit.trail)
        with Container(id="panes"):
            for number, pane in enumerate(PANES, 1):
                yield pane(cockpit.stores, number=number)
        yield CommandBar()
        yield KeyBar(self.keymap)

    def on_mount(self) -> None:
        """Paint first; start the sources once the screen stands."""
        self.set_keymap(textual_keymap(self.keymap))
        self.action_pane(1)
        self.call_after_refresh(self._begin)

    async def on_unmount(self) -> None:
        """Stop the sources, within a second."""
        await self.cockpit.stop()

    def _begin(self) -> None:
        self.cockpit.start()
        for problem in self.keymap.problems:
            self.notify(problem, title="keys", severity="warning", markup=False, timeout=15)
        for warning in self.cockpit.settings.warnings:
            self.notify(warning, title="configuration", severity="warning", markup=False, timeout=15)
        self.set_interval(1 / self.cockpit.settings.screen.frames_per_second, self._tick)
        self._tick()

    def _tick(self) -> None:
        """Move what came in to the stores, and let the panes follow."""
        self.cockpit.drain()
        now = time.time_ns()
        statuses = self.cockpit.statuses()
        for pane in self.query(Pane):
            pane.tick(now, statuses)
        if now // SECOND != self._second:
            self._second = now // SECOND
            self.cockpit.housekeeping()
            self.verdict.recording = self.cockpit.recording
            self.verdict.cpu, self.verdict.memory = self.cockpit.cost()
            self.verdict.tick(now, statuses)
            self.breadcrumb.tick(now)

    # The scope.

    @on(ScopeNarrowed)
    def _narrowed(self, event: ScopeNarrowed) -> None:
        self.cockpit.trail.push(title=event.title, **event.changes)
        self._spread()

    @on(CursorMoved)
    def _cursor_moved(self, event: CursorMoved) -> None:
        self.cockpit.trail.amend(cursor=event.moment)
        self._spread()

    def _spread(self) -> None:
        scope = self.cockpit.trail.now
        for pane in self.query(Pane):
            pane.follow(scope)
        self.breadcrumb.refresh()

    # What the keys do.

    def current_pane(self) -> Pane:
        """Return the pane that has the focus, or had it last."""
        return self.query_one("Pane.-current", Pane)

    def action_pane(self, number: int) -> None:
        """Give the focus to a pane by its number."""
        panes = list(self.query(Pane))
        for pane in panes:
            pane.set_class(pane.number == number, "-current")
        chosen = panes[number - 1]
        chosen.focus_body()
        self.keybar.show_place(chosen.NAME)

    def on_descendant_focus(self) -> None:
        """Note which pane the focus came to, by mouse or tab."""
        focused = self.screen.focused
        pane = next((node for node in focused.ancestors if isinstance(node, Pane)), None) if focused else None
        if pane is not None and not pane.has_class("-current"):
            for other in self.query(Pane):
                other.set_class(other is pane, "-current")
            self.keybar.show_place(pane.NAME)

    def action_zoom(self) -> None:
        """Give the whole screen to the current pane, or take it back."""
        self.query_one("#panes").toggle_class("-zoomed")

    async def action_back(self) -> None:
        """Step back by one, whatever the last step was."""
        if self.command_bar.is_open:
            self.command_bar.close()
            self.current_pane().focus_body()
        elif self.current_pane().step_back():
            return
        elif self.cockpit.trail.now.cursor is not None:
            self.post_message(CursorMoved(None))
        elif self.cockpit.trail.back():
            self._spread()
        else:
            self.query_one("#panes").remove_class("-zoomed")

    def action_earlier(self) -> None:
        """Move the time cursor back by a sixtieth of the window."""
        self._shift(-1)

    def action_later(self) -> None:
        """Move the time cursor on; at now it lets go."""
        self._shift(1)

    def _shift(self, direction: int) -> None:
        now = time.time_ns()
        scope = self.cockpit.trail.now
        moment = scope.moment(now) + direction * max(SECOND, scope.span // 60)
        self.post_message(CursorMoved(None if moment >= now else moment))

    def action_command(self) -> None:
        """Open the command bar for a command of the cockpit's own."""
        self.command_bar.open(":", ":")

    def action_shell(self) -> None:
        """Open the command bar for a shell line."""
        target = self.cockpit.target
        self.command_bar.open("!", f"{target.environment} {target.name} !")

    @on(CommandEntered)
    def _entered(self, event: CommandEntered) -> None:
        self.current_pane().focus_body()

    @on(TextCopied)
    def _copied(self, event: TextCopied) -> None:
        self.copy_to_clipboard(event.text)
        self.notify(f"{event.what} copied", markup=False)

    @on(Noticed)
    def _noticed(self, event: Noticed) -> None:
        self.notify(Content(event.text).plain, severity=event.severity, markup=False)  # type: ignore[arg-type]


def run_screen() -> int:
    """Open the screen and return the exit status."""
    return CockpitApp(Cockpit()).run() or 0
