"""The terminals, as tabs in the board's place: which one is looked at, and the keys that are not its program's.

While a terminal has the focus every key is its program's, but for the leader key and the one after it. The app hands
keys to `press` before it looks for bindings of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.app import ComposeResult
from textual.message import Message

from cockpit.keymap import Keymap
from cockpit.targets import Environment, Target
from cockpit.term import paste
from cockpit.term.size import Size
from widgets.confirm import Confirm
from widgets.messages import TextCopied
from widgets.terminal import TerminalView
from widgets.terminals_keys import LEADER, LEADER_KEY
from widgets.terminals_line import TerminalsLine
from widgets.terminals_looking import LookingBack
from widgets.terminals_tab import TerminalTab

if TYPE_CHECKING:
    from cockpit.term.cable import Cable

Factory = Callable[[Target, Size], Awaitable["Cable"]]
"""Opens a shell on a target; asks what has to be asked, and raises CockpitError where it can't."""
CAREFUL = (Environment.PRODUCTION, Environment.DISASTER_RECOVERY)
"""Environments in which pasting several lines is asked about."""


class Terminals(LookingBack):
    """Terminals as tabs.

    Args:
        factory: Opens a shell on a target.
        keymap: The keys, as the operator has them.
        left: Called when the operator goes back to the board, or the last terminal is closed: at once, so that the
            next key of a burst is the board's.
        breathe: Waited for between two slices of output.
        clipboard: Whether programs may put text into the clipboard.
        links: Whether programs may make text a link.
    """

    DEFAULT_CSS = "Terminals { height: 1fr; display: none; }"

    @dataclass
    class Asked(Message):
        """A key asked for something of the app: `help` or `palette`."""

        what: str

    def __init__(
        self,
        factory: Factory,
        keymap: Keymap,
        left: Callable[[], None],
        *,
        breathe: Callable[[], Awaitable[None]] | None = None,
        clipboard: bool = False,
        links: bool = False,
    ) -> None:
        super().__init__()
        self._factory = factory
        self._breathe = breathe
        self._clipboard, self._links = clipboard, links
        self.keymap = keymap
        self._left = left
        self.leading = False
        """Whether the leader key was pressed: the next one is not the program's."""
        self.line = TerminalsLine(self.choose)
        self._by_key = {
            place: {key: action.name for action in keymap.actions(place) for key in keymap.keys(action.id)}
            for place in ("terminal", "scrollback")
        }

    def compose(self) -> ComposeResult:
        """Lay out the line; terminals come below it."""
        yield self.line
        yield self.search_line

    # Tabs.

    @property
    def running(self) -> int:
        """How many programs run."""
        return sum(tab.view.running for tab in self.tabs)

    async def open(self, target: Target) -> None:
        """Open a terminal on a target and look at it."""
        view = TerminalView(
            lambda size: self._factory(target, size),
            breathe=self._breathe,
            clipboard=self._clipboard,
            links=self._links,
        )
        self.tabs.append(TerminalTab(target, view))
        await self.mount(view, before=self.search_line)
        self.choose(len(self.tabs) - 1)

    def choose(self, number: int) -> None:
        """Look at a terminal by its number, and give it the focus."""
        if not self.tabs:
            return
        self.number = number % len(self.tabs)
        for each, tab in enumerate(self.tabs):
            tab.view.display = each == self.number
        tab = self.tabs[self.number]
        tab.mark = ""
        self.focus_current()
        self.describe()

    def describe(self) -> None:
        """Say on the line what there is to say."""
        current = self.current
        if current is None:
            return
        tabs = [tab.shown(tab is current) for tab in self.tabs]
        emulator = current.view.emulator
        self.line.show(tabs, emulator.title if emulator else "", current.state(leading=self.leading))

    @on(TerminalView.Changed)
    def _changed(self, event: TerminalView.Changed) -> None:
        """Mark what happens in a terminal that is not looked at."""
        event.stop()
        tab = next((tab for tab in self.tabs if tab.view is event.view), None)
        if tab is None:
            return
        if not self.display or tab is not self.current:
            if event.rang:
                tab.mark = "♪"
            elif event.printed and not tab.mark:
                tab.mark = "*"
        elif event.rang:
            self.app.bell()
        session = tab.session
        if session is not None and not tab.listening:
            tab.listening = True
            session.listen(lambda: self._session_changed(tab))
        self.describe()

    # What the shell holds at Enter.

    def _session_changed(self, tab: TerminalTab) -> None:
        self.describe()
        session = tab.session
        if session is not None and session.held is not None:
            self._ask_about_held(tab)

    @work(group="held", exit_on_error=False)
    async def _ask_about_held(self, tab: TerminalTab) -> None:
        """Ask whether a line that the guard holds is to run."""
        session = tab.session
        if session is None or (held := session.held) is None:
            return
        why = "\n".join(str(reason) for reason in getattr(held.assessment, "reasons", ()))
        heading = f"{tab.target.environment.upper()} {tab.target.name}: run this line?"
        wanted = await self.app.push_screen_wait(
            Confirm(
                heading,
                f"{held.line}\n\n{why}",
                yes="Run",
                no="Back to the line",
                environment=tab.target.environment,
            )
        )
        if session.held is held:
            session.answer(wanted)

    # Keys.

    def press(self, event: events.Key) -> None:
        """Take a key: the program's, unless it is the leader or follows it, or one looks at what scrolled away."""
        tab = self.current
        if tab is None:
            return
        event.stop()
        event.prevent_default()
        key = event.key
        leader = key in self.keymap.keys(LEADER)
        if self.leading:
            self.leading = False
            if leader:
                tab.view.press(key, event.character)
            else:
                self._perform("terminal", key)
            self.describe()
        elif leader:
            self.leading = True
            self.describe()
        elif tab.view.view is not None and tab.view.view.scrolled and self._perform("scrollback", key):
            self.describe()
        elif tab.view.outcome is not None or tab.view.error:
            if key in ("enter", "escape", "q"):
                self._close(tab)
        else:
            tab.view.press(key, event.character)

    def _perform(self, place: str, key: str) -> bool:
        """Do what a key does at a place."""
        if place == "terminal" and key.isdigit() and key != "0":
            if int(key) <= len(self.tabs):
                self.choose(int(key) - 1)
            return True
        name = self._by_key[place].get(key)
        if name is None:
            return False
        getattr(self, f"action_{name}" if place == "terminal" else f"look_{name}")()
        return True

    def action_leader(self) -> None:
        """Take the next key for one of the cockpit's."""
        self.leading = True
        self.describe()

    def action_leave(self) -> None:
        """Go back to the board; what runs goes on."""
        self._left()

    def action_next_tab(self) -> None:
        """Look at the next terminal."""
        self.choose(self.number + 1)

    def action_previous_tab(self) -> None:
        """Look at the terminal before."""
        self.choose(self.number - 1)

    @work(group="open", exit_on_error=False)
    async def action_new(self) -> None:
        """Open another terminal on the same target."""
        if self.current is not None:
            await self.open(self.current.target)

    @work(group="close", exit_on_error=False)
    async def action_close(self) -> None:
        """Close a terminal, once that is sure."""
        tab = self.current
        if tab is None:
            return
        if tab.view.running and tab.view.cable is not None:
            heading = f"{tab.target.environment.upper()} {tab.target.name}: close the terminal?"
            text = "What runs in it is hung up on, and ends unless it takes care not to."
            question = Confirm(heading, text, yes="Close", environment=tab.target.environment)
            if not await self.app.push_screen_wait(question):
                return
        self._close(tab)

    def _close(self, tab: TerminalTab) -> None:
        if tab not in self.tabs:
            return
        self.tabs.remove(tab)
        tab.view.remove()
        if self.tabs:
            self.choose(min(self.number, len(self.tabs) - 1))
        else:
            self.number = 0
            self._left()

    def action_back(self) -> None:
        """Look through what scrolled away."""
        self.look_page_up()

    def action_paste(self) -> None:
        """Paste what was last copied in the cockpit."""
        self.paste(self.app.clipboard)

    def action_literal(self) -> None:
        """Type the leader key."""
        if self.current is not None:
            self.current.view.press((self.keymap.keys(LEADER) or (LEADER_KEY,))[0], None)

    def action_palette(self) -> None:
        """Open the palette."""
        self.post_message(self.Asked("palette"))

    def action_help(self) -> None:
        """Show the keys."""
        self.post_message(self.Asked("help"))

    # Pasting and copying.

    def on_paste(self, event: events.Paste) -> None:
        """Paste into the terminal that has the focus."""
        if self.current is not None and self.screen.focused is self.current.view:
            event.stop()
            self.paste(event.text)

    @work(group="paste", exit_on_error=False)
    async def paste(self, text: str) -> None:
        """Paste text; several lines into production only once somebody saw them."""
        tab = self.current
        if tab is None or not text:
            return
        count = paste.lines(text)
        if count > 1 and tab.target.environment in CAREFUL:
            heading = (
                f"{tab.target.environment.upper()} {tab.target.name}: paste {count:,} lines? Each may run."
            )
            question = Confirm(heading, paste.cleaned(text), yes="Paste", environment=tab.target.environment)
            if not await self.app.push_screen_wait(question):
                return
        tab.view.paste(text)

    @on(TerminalView.Copied)
    def _copied(self, event: TerminalView.Copied) -> None:
        event.stop()
        what = "what the program offered" if event.offered else f"{len(event.text):,} characters"
        self.post_message(TextCopied(event.text, what))
