"""The app's terminals: opened on a target, shown in the board's place, left and come back to.

The verdict and the breadcrumb stay above them, so that an alert is seen from within an editor.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from textual import on
from textual.events import Key

from cockpit.errors import CockpitError, CommandError
from cockpit.keymap import Keymap
from cockpit.pace import Pace
from cockpit.targets import LOCAL, Environment, Target
from cockpit.term.size import Size
from widgets.commanding import CommandingApp
from widgets.lines import KeyBar
from widgets.messages import ShellRequested

if TYPE_CHECKING:
    from cockpit.term.cable import Cable
    from widgets.terminals import Terminals

TYPING = 0.012
"""Seconds between two slices of a flood while somebody is at the keys: their answers may take longer to be drawn."""
ENDING_S = 2.0
"""Seconds that shells have for their end to be recorded when the cockpit leaves."""


class ShellingApp(CommandingApp):
    """An app with terminals.

    Attributes:
        terminals: The terminals; None before the first one.
    """

    keymap: Keymap
    keybar: KeyBar
    _pace: Pace
    terminals: Terminals | None = None

    @property
    def in_terminals(self) -> bool:
        """Whether the terminals are shown in the board's place."""
        return self.terminals is not None and bool(self.terminals.display)

    @property
    def in_terminal(self) -> bool:
        """Whether what is typed goes to a program; read by the driver's thread."""
        terminals = self.terminals
        if terminals is None or not terminals.display or not terminals.tabs:
            return False
        return self.focused is terminals.tabs[terminals.number % len(terminals.tabs)].view

    def takes(self, event: Key) -> bool:
        """Hand a key to the terminal that has the focus; False where none has."""
        terminals = self.terminals
        if terminals is None:
            return False
        if not terminals.display:
            self._leave_behind(terminals)
            return False
        if terminals.current is None or self.focused is not terminals.current.view:
            return False
        terminals.press(event)
        return True

    def _leave_behind(self, terminals: Terminals) -> None:
        """Take the focus from a terminal that is gone or hidden: it may have got it while it was closed."""
        focused = self.focused
        if focused is not None and (not focused.is_attached or terminals in focused.ancestors):
            self.screen.set_focus(None)
            self.board.current.focus_body()

    async def open_shell(self, target: Target) -> None:
        """Open a terminal on a target and show it."""
        terminals = await self._show_terminals()
        await terminals.open(target)

    async def action_terminal(self) -> None:
        """Go to the terminals; where there are none, open one on the current target."""
        if self.terminals is None or not self.terminals.tabs:
            await self.open_shell(self.cockpit.target)
            return
        await self._show_terminals()
        self.terminals.choose(self.terminals.number)

    @on(ShellRequested)
    async def _shell_requested(self, event: ShellRequested) -> None:
        await self.open_shell(self.target_of(event.host) if event.host else self.cockpit.target)

    async def on_terminals_asked(self, event: Terminals.Asked) -> None:
        """Do for a terminal what the app does."""
        await self.run_action({"help": "help", "palette": "command_palette"}[event.what])

    def target_of(self, host: str) -> Target:
        """Return the target that a host is; this machine is the local one."""
        return self.cockpit.targets.resolve(LOCAL if host in (LOCAL, socket.gethostname()) else host)

    async def _show_terminals(self) -> Terminals:
        if self.terminals is None:
            from widgets.terminals import Terminals

            settings = self.cockpit.settings.terminal
            self.terminals = Terminals(
                self.shell,
                self.keymap,
                self.leave_terminals,
                breathe=self._give_way,
                clipboard=settings.clipboard,
                links=settings.links,
            )
            await self.mount(self.terminals, after=self.board)
        self.terminals.display = True
        self.board.display = False
        self.keybar.show_place("terminal")
        return self.terminals

    def leave_terminals(self) -> None:
        """Show the board in the terminals' place; what runs in them goes on."""
        if self.terminals is not None:
            self.terminals.display = False
        self.board.display = True
        self.keybar.show_place(self.board.current.NAME)
        self.board.current.focus_body()

    async def shell(self, target: Target, size: Size) -> Cable:
        """Open a shell, once what has to be asked about its target was; a terminal's worker waits for it.

        Raises:
            CockpitError: It was not confirmed, or can't be opened.
        """
        careful = target.environment in (Environment.PRODUCTION, Environment.DISASTER_RECOVERY)
        if careful and not self.operations.read_only:
            from widgets.confirm import Confirm

            why = "" if target.named else "No rule names it, so it counts as production.\n"
            text = f"{why}What is printed is recorded in the action log; what is typed is not."
            heading = f"{target.environment.upper()} {target.name}: open a shell?"
            question = Confirm(heading, text, yes="Open", environment=target.environment)
            if not await self.push_screen_wait(question):
                raise CommandError("not opened, as that was not confirmed", where=target.name)
        return await self.operations.shell(target, size, confirmed=careful)

    async def _give_way(self) -> None:
        """Let a key have its answer, or at least let others have a turn, in the midst of a flood."""
        from cockpit.term.feeding import breathe

        if self._pace.answering:
            await self._pace.answered()
        elif self._pace.pressing:
            await asyncio.sleep(TYPING)
        else:
            await breathe()

    async def end_terminals(self) -> None:
        """Hang up on what runs, and wait until its end is recorded."""
        if self.terminals is None:
            return
        cables = [tab.view.cable for tab in self.terminals.tabs if tab.view.cable is not None]
        for cable in cables:
            cable.close()
        with contextlib.suppress(TimeoutError, CockpitError):
            async with asyncio.timeout(ENDING_S):
                await asyncio.gather(*(cable.wait() for cable in cables))
