"""Plays the recording of a shell on a terminal of the size it had, from line to line that was typed, or by time."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from cockpit.actionlog.records import Action
from cockpit.actionlog.reel import USUAL, Reel, Step
from cockpit.actionlog.replay import Due, Player, jump
from cockpit.actionlog.timeline import Timeline
from cockpit.errors import UsageError
from cockpit.keymap import Keymap
from widgets.keys import bindings
from widgets.lines import KeyBar
from widgets.messages import Noticed, TextCopied
from widgets.played_view import PlayedView, prepare
from widgets.terminal import TerminalView
from widgets.text import safe
from widgets.timeline_keys import PLAYBACK_ACTIONS
from widgets.timeline_replay import ReplayScreen

GRACE_S = 1.0
"""Seconds after a line within which a step back goes to the one before it."""
ASKED = {"search": "search · Enter goes to the last place", "jump": "go to · 90, 1:30, +30, -30, 14:05:10Z"}


class PlaybackScreen(ReplayScreen, inherit_bindings=False):
    """A shell's replay; dismissed with the moment to go to, or None."""

    PLACE: ClassVar[str] = "playback"
    DEFAULT_CSS = """
    PlaybackScreen {
        & > Input { height: 1; border: none; padding: 0 1; background: $boost; display: none; }
        & > #playback-step { color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(PLAYBACK_ACTIONS)

    def __init__(self, action: Action, reader: Timeline, keymap: Keymap) -> None:
        super().__init__(action, reader, keymap)
        self.view = PlayedView()
        self.reel = Reel(reader, action)
        self._line = Input(compact=True)
        self._asked = ""
        self._step_line = Static(id="playback-step")

    def compose(self) -> ComposeResult:
        """Lay out what a replay has, and the line that was typed last and one to type in above the keys."""
        for widget in super().compose():
            if isinstance(widget, KeyBar):
                yield self._step_line
                yield self._line
            yield widget

    def stage(self) -> Widget:
        """Return the terminal."""
        return self.view

    def load(self) -> Player | None:
        """Read when what came, and which lines were typed."""
        prepare()
        return self.reel.player()

    def ending(self) -> str:
        """Return why it ends where it does."""
        return self.reel.ending

    async def _show(self, player: Player) -> None:
        """Print what is due; where a key leads elsewhere meanwhile, that is left off."""
        due, self._due = self._due, Due(0, 0)
        stop = max(0, due.stop - 1)
        if due and (due.afresh or self.view.emulator is None or self.reel.leaps(stop)):
            await asyncio.to_thread(self.reel.rewind, stop)
            self.view.begin(USUAL)
        while due and (taken := await asyncio.to_thread(self.reel.take, stop)):
            await self.view.feed(taken)
            if self._due.afresh:
                return
            stop = max(stop, self._due.stop - 1)
        if due:
            self.view.show()
        self._tell(player)

    def _tell(self, player: Player) -> None:
        super()._tell(player)
        steps, number = self.reel.steps, self._number(player)
        if not steps:
            said = "lines were not itemised" if self.reel.ending == "" else ""
        elif number < 0:
            said = f"{len(steps):,} lines were typed"
        else:
            step = steps[number]
            how = f" · {step.how}" if step.how else ""
            said = f"{number + 1:,} of {len(steps):,} lines · {safe(step.line, 300)}{how}"
        size = self.view.emulator.size if self.view.emulator is not None else USUAL
        if size.columns > self.view.size.width or size.rows > self.view.size.height:
            said = f"{size.columns}x{size.rows} · {said}"
        self._step_line.update(Content(said), layout=False)

    def _number(self, player: Player) -> int:
        """Return which line was typed last; -1 where none was yet."""
        return sum(player.places[step.piece] <= player.position for step in self.reel.steps) - 1

    def _go(self, player: Player, position: float) -> None:
        self._add(player.seek(position))
        if self.view.view is not None:
            self.view.view.live()
        self._turned.set()

    # What the keys do.

    def action_step(self, step: int) -> None:
        """Go to the next line that was typed, or to the one before."""
        player = self.player
        if player is None:
            return
        places = [player.places[each.piece] for each in self.reel.steps]
        grace = 0.0 if player.paused or player.ended else GRACE_S * player.speed
        if step > 0:
            there = [place for place in places if place > player.position][:1]
        else:
            there = [place for place in places if place < player.position - grace][-1:]
        if there:
            self._go(player, there[0])
        else:
            self.post_message(Noticed("no other line was typed that way"))

    def action_jump(self) -> None:
        """Ask for a time."""
        self._ask("jump")

    def action_search(self) -> None:
        """Ask for a text, and stand still meanwhile."""
        if self.player is not None:
            self.player.paused = True
            self._turned.set()
            self._ask("search")

    def _ask(self, what: str) -> None:
        self._asked = what
        self._line.placeholder = ASKED[what]
        self._line.value = ""
        self._line.display = True
        self._line.focus()

    @on(Input.Submitted)
    def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_line()
        if self.player is None or not event.value.strip():
            return
        if self._asked == "jump":
            try:
                self._go(self.player, jump(event.value, self.player))
            except UsageError as error:
                self.post_message(Noticed(str(error), "warning"))
        elif self.view.view is not None:
            count = self.view.view.search(event.value)
            places = "1 place" if count == 1 else f"{count:,} places"
            self.post_message(Noticed(places if count else f"{event.value!r} is not there so far"))
            self.view.refresh()

    def _close_line(self) -> None:
        self._line.display = False
        self.view.focus()

    def action_found(self, step: int) -> None:
        """Go to another place where the text is."""
        if self.view.view is not None and not self.view.view.seek(step):
            self.post_message(Noticed("there is no other place that way"))
        self.view.refresh()

    def action_scroll(self, step: int) -> None:
        """Look at what scrolled away."""
        self.view.scroll_rows(step * max(1, self.view.size.height - 1))

    def action_pan(self, columns: int) -> None:
        """Look at what is beside the screen's edge."""
        self.view.pan(columns)

    def action_copy(self) -> None:
        """Copy what is selected, else the line that was typed last."""
        if self.view.copy() or self.player is None:
            return
        number = self._number(self.player)
        step = self.reel.steps[number] if number >= 0 else Step(0, "", "")
        if step.line:
            self.post_message(TextCopied(step.line, "line"))

    @on(TerminalView.Copied)
    def _copied(self, event: TerminalView.Copied) -> None:
        event.stop()
        self.post_message(TextCopied(event.text, "selection"))

    @on(TerminalView.Changed)
    def _changed(self, event: TerminalView.Changed) -> None:
        event.stop()

    def action_back(self) -> None:
        """Close the line, go back to the screen, or leave."""
        view = self.view.view
        if self._line.display:
            self._close_line()
        elif view is not None and (view.scrolled or view.found or view.selection):
            view.live()
            view.forget()
            self.view.refresh()
        else:
            self.dismiss(None)
