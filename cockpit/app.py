"""CockpitApp: composes the panes, binds the keys, carries the selection from pane to pane. It stays small.

What it does of one kind stands in a room of its own: `widgets.commanding` and `widgets.shelling` for the way out,
`widgets.scoping` for the scope, `widgets.targeting` for where commands land, `widgets.beat` for what follows when.

Both streets meet here and nowhere else: telemetry from the supervisor's stores to the panes, commands from the
operator to the executor. What can be done without a screen belongs in `cockpit.wiring` and `cockpit.operations`.
"""

from __future__ import annotations

import asyncio
import getpass
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.command import CommandPalette, Provider
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import DescendantFocus, Event, Key, MouseDown, MouseScrollDown, MouseScrollUp
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import ThemeProvider
from textual.widgets import Input
from textual.worker import Worker, WorkerState

from cockpit.cost import Collector, OwnCost
from cockpit.errors import UsageError
from cockpit.hangup import is_gone, leave_at_last
from cockpit.keymap import APART, Action, Keymap
from cockpit.operations import Operations
from cockpit.pace import Pace
from cockpit.signals import SECOND
from cockpit.stores.base import Clock, wall_clock
from cockpit.supervisor.status import SourceStatus
from cockpit.wiring import Cockpit
from widgets.all_keys import every_action
from widgets.app_keys import ABOVE, ACTIONS, OWN, TYPING
from widgets.beat import Beat
from widgets.board import Board
from widgets.driver import TerminalDriver
from widgets.keys import bindings, caught_up, textual_keymap
from widgets.lines import Breadcrumb, CommandBar, KeyBar
from widgets.messages import ColumnsChosen, CommandEntered, Noticed, ShellRequested, TextCopied
from widgets.output import OutputDrawer
from widgets.pane import FilterLine, PaneLine
from widgets.plain import NoColour
from widgets.scoping import ScopingApp
from widgets.screen import MainScreen
from widgets.shelling import ShellingApp
from widgets.suggesting import LineSuggester
from widgets.targeting import TargetingApp
from widgets.verdict import Verdict

log = logging.getLogger(__name__)

BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
"""Screen widths in cells, and the class that the screen has from there."""
HUNG_UP = 128 + signal.SIGHUP
"""The exit status where the terminal is gone."""


def _action_provider() -> type[Provider]:
    from widgets.palette import ActionProvider  # not for what is drawn first

    return ActionProvider


class CockpitApp(ShellingApp, ScopingApp, TargetingApp):
    """The screen."""

    TITLE = "cockpit"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    COMMAND_PALETTE_BINDING = "f24"  # the registry binds the palette
    COMMANDS = App.COMMANDS | {_action_provider}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(ACTIONS, priority=True),
        # ctrl+j is what a terminal makes of Enter until the screen has taken it over.
        Binding("enter,ctrl+j", "submit_line", show=False, priority=True),
    ]
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS

    def __init__(
        self,
        cockpit: Cockpit,
        operations: Operations,
        *,
        mode: str = "",
        host: str = "",
        clock: Clock = wall_clock,
    ) -> None:
        """Make the screen.

        Args:
            cockpit: The way in.
            operations: The way out.
            mode: What the verdict says beside the target, such as `read-only`.
            host: A host to open a terminal on at once.
            clock: Nanoseconds since the epoch; a test or a replay may hold it still.
        """
        super().__init__(cockpit, operations)
        cockpit.hops = operations.connections.hops
        self._plain = [NoColour()] if self.no_color else []
        self._clock = clock
        self.mode = mode
        self._host = host
        self.keymap = Keymap(every_action(), cockpit.settings.keys)
        self._pace = Pace(1 / cockpit.settings.screen.frames_per_second)
        self._beat = Beat(self, self._pace, clock, self._last_part)
        self._cost = OwnCost()
        self._collector = Collector()
        self._second = 0
        self._warned_of_command = False
        self._warned = 0
        self._opened = False
        """Whether the action log was tried."""
        # Held here, since a query finds only what is on the screen on top, which may be the help.
        self.verdict = Verdict(cockpit.stores, on_call=cockpit.settings.on_call, mode=mode)
        self.breadcrumb = Breadcrumb(cockpit.trail)
        self.board = Board(
            cockpit.stores,
            cockpit.supervisor,
            author=getpass.getuser(),
            log_columns=self._columns(),
        )
        self.drawer = OutputDrawer()
        self.command_bar = CommandBar(LineSuggester(cockpit.targets))
        self.keybar = KeyBar(self.keymap)

    def _columns(self) -> Sequence[str]:
        """Return the columns of log records: those chosen last for these logs, else what the configuration says."""
        chosen = self.cockpit.choices.columns(self.cockpit.stores.logs.files)
        return self.cockpit.settings.screen.log_columns if chosen is None else chosen

    @on(ColumnsChosen)
    def _keep_columns(self, event: ColumnsChosen) -> None:
        self.cockpit.choices.choose_columns(event.files, event.names)
        self.run_worker(self.cockpit.choices.keep, thread=True, group="choices", exit_on_error=False)

    def compose(self) -> ComposeResult:
        """Lay out the verdict, the four panes and the lines around them."""
        yield self.verdict
        yield self.breadcrumb
        yield self.board
        yield self.drawer
        yield self.command_bar
        yield self.keybar

    # From first paint to last.

    def get_default_screen(self) -> Screen[object]:
        """Give the screen its width's class at once: as a change it would style every widget a second time."""
        return MainScreen(
            classes=next(name for least, name in reversed(BREAKPOINTS) if self.size.width >= least)
        )

    def get_driver_class(self) -> type[Driver]:
        """Draw on a terminal that may go away, unless the environment names another driver."""
        named = super().get_driver_class()
        return TerminalDriver if named is LinuxDriver else named

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Draw without any colour where `NO_COLOR` asks for that."""
        return self._plain or super().get_line_filters()

    def on_mount(self) -> None:
        """Paint first; start the sources once the screen stands."""
        self._leave_when_told()
        self.set_keymap(textual_keymap(self.keymap))
        self.action_pane(1)
        self.show_target()
        self.board.follow(self.cockpit.trail.now)
        self._beat.at_once()
        self.call_after_refresh(self._begin)

    def _leave_when_told(self) -> None:
        """Leave in order, so that a running command is stopped and recorded, and the terminal is given back."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                loop.add_signal_handler(number, self.exit, 128 + number)

    def _begin(self) -> None:
        if self.cockpit.files is not None:
            self.cockpit.files.news = self._pace.news
        self.cockpit.start()
        for problem in self.keymap.problems:
            self.notice(problem, "warning")
        self.run_worker(self._beat.go_on(), name="beat", exit_on_error=False)
        self.set_timer(0.5, self._settle)
        if self.cockpit.goto:
            self.board.goto(self.cockpit.goto)
        if self._host:
            self.post_message(ShellRequested(self._host))

    @work(exit_on_error=False)
    async def _settle(self) -> None:
        """Do what can wait until the screen lives: open the log, then freeze what start-up made."""
        await self.operations.open()
        self._opened = True
        self.verdict.recording = self.operations.recording
        self.verdict.refresh()
        if self.operations.error:
            self.notice(f"Nothing can be run: {self.operations.error}", "error")
        if count := len(self.operations.interrupted):
            self.notice(
                f"{count} actions of an earlier session were interrupted: cockpit log list", "warning"
            )
        await self._pace.calm()
        self._collector.begin()

    async def on_unmount(self) -> None:
        """Stop the sources, within a second, and end the session in the log."""
        await self.drawer.ended()
        await self.end_terminals()
        await self.cockpit.stop()
        await self.operations.connections.close()
        self.operations.close()
        self._collector.end()

    async def on_event(self, event: Event) -> None:
        """Look at the stores soon after a key or the mouse: what they changed shows with the next look."""
        if isinstance(event, Key | MouseDown | MouseScrollDown | MouseScrollUp):
            self._pace.press()
        if isinstance(event, Key) and not event.is_forwarded and self.takes(event):
            return
        await super().on_event(event)

    def _last_part(self, now: int, statuses: Sequence[SourceStatus]) -> None:
        """Do what else a beat has to do, once the panes followed."""
        self.drawer.tick()
        if now // SECOND != self._second:
            self._second = now // SECOND
            self._every_second(now, statuses)
        self._collector.idle()

    def _every_second(self, now: int, statuses: Sequence[SourceStatus]) -> None:
        """Say in the lines what holds now, and leave where the terminal is gone."""
        if not self.is_headless and is_gone() and not self._exit:
            leave_at_last(HUNG_UP)
            self.exit(HUNG_UP)
        if self._opened:
            self.verdict.recording = self.operations.recording
        self.follow_target()
        self.verdict.elevated_s = self.operations.elevation.left
        self.verdict.cpu, self.verdict.memory = self._cost.read()
        self.verdict.tick(now, statuses)
        self.breadcrumb.tick(now)
        for warning in self.cockpit.warnings[self._warned :]:
            self.notice(warning, "warning")
        self._warned = len(self.cockpit.warnings)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the letters to whatever is typed into, and all keys to a screen on top.

        The app's keys go before the focused widget's, because those are handled one message later: in a burst of
        keys, as a slow line delivers them, the letters after `!` would otherwise be taken for keys of the pane.
        """
        if action == "submit_line":
            return isinstance(self.focused, PaneLine) or (
                self.command_bar.is_open and len(self.screen_stack) == 1
            )
        if action == "pane" and len(self.board.panes) == 1:
            return False  # its number may mean something else there
        if action in OWN:
            if len(self.screen_stack) > 1:
                return action in ABOVE and hasattr(self.screen, "PLACE")
            return action in TYPING or not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    # The way back.

    async def action_back(self) -> None:
        """Step back by one, whatever the last step was."""
        if self.command_bar.is_open:
            self.command_bar.close()
            self._focus_back()
        elif self.terminals is not None and self.in_terminals:
            self.terminals.end_search()
        elif self.drawer.is_open:
            self.drawer.action_close()
        elif self.board.current.step_back():
            return
        elif self.cockpit.trail.now.cursor is not None:
            self.move_cursor(None)
        elif self.cockpit.trail.back():
            self.spread()
        else:
            self.board.zoom(False)

    def _focus_back(self) -> None:
        """Give the focus back to what is in the board's place."""
        if self.terminals is not None and self.in_terminals:
            self.terminals.focus_current()
        else:
            self.board.current.focus_body()

    async def action_leave(self) -> None:
        """Leave what is open where the focus is: the output, a detail, else the cockpit."""
        pane = self.board.current
        within = self.focused.ancestors_with_self if self.focused else []
        if self.drawer.is_open and self.drawer in within:
            self.drawer.action_close()
            if not self.drawer.is_open:
                pane.focus_body()
        elif pane.inside and pane in within:
            await self.action_back()
        else:
            await self.action_quit()

    async def action_quit(self) -> None:
        """Leave; a command that runs would be stopped, so that is said first."""
        if self.drawer.running and not self._warned_of_command:
            self._warned_of_command = True
            self.notice("a command is still running; leaving stops it. Press again to leave", "warning")
            return
        if self.terminals is not None and (count := self.terminals.running) and not self._warned_of_command:
            self._warned_of_command = True
            self.notice(f"terminals still open: {count}; leaving hangs up. Press again to leave", "warning")
            return
        self.exit(0)

    async def action_submit_line(self) -> None:
        """Take the line that is typed, before the next key goes anywhere."""
        line = self.focused
        await caught_up(line)
        if self.command_bar.is_open:
            self.command_bar.submit()
        elif isinstance(line, FilterLine):
            self.board.current.keep_filter()
        elif isinstance(line, PaneLine):  # the pane may leave it open, where something is wrong with it
            await line.action_submit()
            await caught_up(line)
            await caught_up(self.board.current)
            return
        self._focus_back()

    def action_help_quit(self) -> None:
        """Say how one leaves, for whoever presses ctrl+c."""
        keys = [key for action in ("app.quit", "app.quit_now") if (key := self.keymap.shown(action))]
        self.notice(f"press {' or '.join(keys)} to leave the cockpit" if keys else "type :quit to leave")

    # The focus.

    def action_pane(self, number: int) -> None:
        """Give the focus to a pane by its number."""
        self.board.choose(number)

    @on(Board.Turned)
    def _turned(self, event: Board.Turned) -> None:
        self.keybar.show_place(event.pane.NAME)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show the output's keys when the focus comes there."""
        if self.drawer in event.widget.ancestors:
            self.keybar.show_place("output")

    def action_zoom(self) -> None:
        """Give the whole screen to the current pane, or take it back."""
        self.board.zoom(not self.board.zoomed)

    def action_help(self) -> None:
        """Show what the keys do here."""
        from widgets.help import Help

        self.push_screen(Help(self.keymap, self._place))

    @property
    def _place(self) -> str:
        """Where one is: in the terminals, or in a pane."""
        return "terminal" if self.in_terminals else self.board.current.NAME

    def action_timeline(self) -> None:
        """Show what was done, over the panes; come back at the moment that was chosen there."""
        from widgets.timeline import TimelineScreen

        screen = TimelineScreen(self.operations.timeline(), self.keymap, self._clock)
        self.push_screen(screen, self._come_back)

    def _come_back(self, moment: int | None) -> None:
        if moment is not None:
            self.move_cursor(None if moment >= self._clock() else moment)

    def action_command_palette(self) -> None:
        """Open the palette."""
        if not isinstance(self.screen, CommandPalette):
            from widgets.palette import Palette

            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Offer the themes, in a palette of their own."""
        from widgets.palette import Palette

        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def offered_actions(self) -> list[Action]:
        """Return the actions that the palette offers: the current pane's, every pane's, and the app's."""
        place = getattr(self._stage(), "PLACE", "")
        here = ("terminal", "app") if self.in_terminals else (self._place, "pane", "app")
        places = (place,) if place else here
        return [
            action for place in places for action in self.keymap.actions(place) if action.id != "app.palette"
        ]

    async def perform(self, action: Action) -> None:
        """Do what an action's key would do."""
        inner: DOMNode = (
            self.terminals if self.terminals is not None and self.in_terminals else self.board.current
        )
        where: DOMNode = {"app": self, "output": self.drawer}.get(action.place, inner)
        where = self._stage() if action.place in APART else where
        await self.run_action(action.name, where)

    def _stage(self) -> Screen[object]:
        """Return the screen on top, but for the palette."""
        return next(
            screen for screen in reversed(self.screen_stack) if not isinstance(screen, CommandPalette)
        )

    @on(KeyBar.Pressed)
    async def _key_clicked(self, event: KeyBar.Pressed) -> None:
        await self.perform(event.action)

    # Commands.

    async def action_command(self) -> None:
        """Open the command bar for a command of the cockpit's own."""
        await self.command_bar.open(":", ":")

    @on(CommandEntered)
    async def _entered(self, event: CommandEntered) -> None:
        self._focus_back()
        if event.mode == "note":
            self.pin_note(event.text)
            return
        if event.mode == "!":
            self._warned_of_command = False
            self.run_line(event.text)
            return
        from cockpit.colon import interpret

        try:
            effect = interpret(event.text, self.cockpit, self._clock())
        except UsageError as error:
            self.notice(str(error), "error")
            return
        self.spread()
        self.show_target()
        if effect.theme:
            self.put_on(effect.theme)
        if effect.notice:
            self.notice(effect.notice)
        if effect.shell is not None:
            await self.open_shell(self.target_of(effect.shell) if effect.shell else self.cockpit.target)
        if effect.goto:
            self.board.goto(effect.goto)
        if effect.fetch is not None:
            self.fetch(effect.fetch)
        if effect.action:
            await self.perform(next(action for action in ACTIONS if action.id == effect.action))

    def _fatal_error(self) -> None:
        """Leave on a defect, with the traceback in the cockpit's own log.

        Textual would print one with every local in it, and a local may hold a secret.
        """
        kind = type(sys.exc_info()[1]).__name__
        log.critical("the screen failed", exc_info=True)
        self.panic(
            Text(f"cockpit: this should not have happened: {kind}; see cockpit.log in the data directory")
        )

    # What panes say in passing, and what goes wrong in their workers.

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """Show and keep what a worker raised: this is the workers' edge."""
        if event.state is WorkerState.ERROR and (error := event.worker.error) is not None:
            log.error("worker %s failed", event.worker.name, exc_info=error)
            self.notice(f"{type(error).__name__}: {error}", "error")

    @on(TextCopied)
    def _copied(self, event: TextCopied) -> None:
        self.copy_to_clipboard(event.text)
        self.notice(f"{event.what} copied")

    @on(Noticed)
    def _noticed(self, event: Noticed) -> None:
        self.notice(event.text, event.severity)
