"""Plays what a command printed, at the pace it came, with seek and speed, and a way from there into the cockpit."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from cockpit.actionlog.documents import command_of
from cockpit.actionlog.records import Action
from cockpit.actionlog.reel import ending
from cockpit.actionlog.replay import Due, Player
from cockpit.actionlog.tape import Tape
from cockpit.actionlog.timeline import Timeline
from cockpit.errors import CockpitError
from cockpit.keymap import Keymap
from widgets.help import Help
from widgets.keys import bindings
from widgets.lines import KeyBar
from widgets.output_lines import OutputLines
from widgets.text import clock, safe
from widgets.timeline_keys import REPLAY_ACTIONS

CAUGHT_UP_S = 0.5
"""Seconds of showing what is due after which the replay's time stood still for it."""
BEAT_S = 0.1
"""Seconds between two looks at the clock while it plays."""


class ReplayScreen(Screen[int | None]):
    """A replay; dismissed with the moment to go to, or None.

    Args:
        action: Whose output is played.
        reader: Reads the log.
        keymap: Whose keys the hint line shows.
    """

    PLACE: ClassVar[str] = "replay"
    DEFAULT_CSS = """
    ReplayScreen {
        layout: vertical; background: $surface;
        & > Static { height: 1; background: $boost; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(REPLAY_ACTIONS)

    def __init__(self, action: Action, reader: Timeline, keymap: Keymap) -> None:
        super().__init__()
        self.action = action
        self.player: Player | None = None
        self.lines = OutputLines(id="replay-lines")
        self._tape = Tape(reader, action)
        self._keymap = keymap
        self._where = Static(id="replay-where")
        self._turned = asyncio.Event()
        """Set by a key, so that its effect is seen at once."""
        self._due = Due(0, 0)
        """What keys made due, and is not shown yet."""

    def compose(self) -> ComposeResult:
        """Lay the command over its output, and where the replay stands beneath."""
        place = f"{self.action.environment} {self.action.target}"
        yield Static(Content(safe(f"replay · {place} ! {command_of(self.action)}", 400)))
        yield self.stage()
        yield self._where
        yield KeyBar(self._keymap)

    def stage(self) -> Widget:
        """Return what it is played on."""
        return self.lines

    def load(self) -> Player | None:
        """Read when what came; blocks."""
        return self._tape.player()

    def on_mount(self) -> None:
        """Begin to play."""
        self.query_one(KeyBar).show_place(self.PLACE)
        self._where.update("reading…")
        self.stage().focus()
        self._play()

    @work(exclusive=True, exit_on_error=False)
    async def _play(self) -> None:
        """Show what is due, beat by beat, for as long as this is open."""
        try:
            self.player = await asyncio.to_thread(self.load)
            if self.player is None:
                self._where.update("nothing that it printed is kept")
                return
            last = time.monotonic()
            while True:
                self._turned.clear()
                now = time.monotonic()
                self._add(self.player.advance(now - last))
                last = now
                await self._show(self.player)
                if time.monotonic() - last > CAUGHT_UP_S:
                    last = time.monotonic()
                try:
                    await asyncio.wait_for(self._turned.wait(), _beat(self.player))
                except TimeoutError:
                    pass
                if self.player.paused or self.player.ended:
                    last = time.monotonic()
        except CockpitError as error:
            self._where.update(Content(f"✖ {safe(str(error), 300)}"))

    def _add(self, due: Due) -> None:
        """Take more to what is to be shown."""
        if due:
            self._due = Due(due.first, due.stop, due.afresh or self._due.afresh)

    async def _show(self, player: Player) -> None:
        due, self._due = self._due, Due(0, 0)
        if due:
            data = await asyncio.to_thread(self._tape.read, due)
            if due.afresh:
                self.lines.clear()
            self.lines.feed(data)
            if player.ended:
                self.lines.end()
            self.lines.tick()
        self._tell(player)

    def _tell(self, player: Player) -> None:
        state = "ended" if player.ended else "paused" if player.paused else "playing"
        mark = {"ended": "■", "paused": "‖", "playing": "▶"}[state]
        if player.ended and (ending := self.ending()):
            state = safe(ending, 200)
        at = f"{clock(player.moment, millis=True)} UTC"
        before = f"{mark} {state} {player.position:.1f} of {player.length:.1f} s · {player.speed:g}x · {at} "
        room = max(0, self.size.width - len(before) - 2)
        done = round(room * player.position / player.length) if player.length else room
        self._where.update(
            Content.assemble(before, ("━" * done, "$text-accent"), ("─" * (room - done), "$text-muted")),
            layout=False,
        )

    def ending(self) -> str:
        """Return why it ends where it does, if that is not the command's own end."""
        return ending(self.action)

    # What the keys do.

    def action_pause(self) -> None:
        """Pause or go on; at the end, begin again."""
        if self.player is None:
            return
        if self.player.ended:
            self.action_begin()
            return
        self.player.toggle()
        self._turned.set()

    def action_seek(self, seconds: int) -> None:
        """Go on or back."""
        if self.player is not None:
            self._add(self.player.seek(self.player.position + seconds))
            self._turned.set()

    def action_begin(self) -> None:
        """Go to the beginning."""
        if self.player is not None:
            self.player.paused = False
            self._add(self.player.seek(0))
            self._turned.set()

    def action_faster(self) -> None:
        """Play twice as fast."""
        self._speed(2)

    def action_slower(self) -> None:
        """Play half as fast."""
        self._speed(0.5)

    def _speed(self, times: float) -> None:
        if self.player is not None:
            self.player.set_speed(self.player.speed * times)
            self._turned.set()

    def action_moment(self) -> None:
        """Go to the moment that is shown."""
        if self.player is not None:
            self.dismiss(self.player.moment)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(Help(self._keymap, self.PLACE))

    def action_back(self) -> None:
        """Leave the replay."""
        self.dismiss(None)


def _beat(player: Player) -> float | None:
    """Return how long to wait for a key; None where nothing happens without one."""
    upcoming = player.next_in
    return None if upcoming is None else max(0.01, min(BEAT_S, upcoming))
