"""What `cockpit log replay` plays a shell's recording on: a screen of its size, painted on this terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.actionlog.reel import USUAL, Reel
from cockpit.term.bittty_emulator import BitttyEmulator
from cockpit.term.feeding import Slicer
from cockpit.term.painting import Painter
from cockpit.term.size import Size
from cockpit.verbs.showing import one_line

if TYPE_CHECKING:
    from cockpit.actionlog.replay import Due, Player


class DrawnScreen:
    """Draws a recording.

    Args:
        reel: The recording, after its player was made.

    Attributes:
        tells: Whether it says at all times where the replay stands.
    """

    tells = True

    def __init__(self, reel: Reel) -> None:
        self._reel = reel
        self._emulator: BitttyEmulator | None = None
        self._painter = Painter(self._room())

    def show(self, due: Due) -> None:
        """Draw what is due."""
        stop = max(0, due.stop - 1)
        if due.afresh or self._emulator is None or self._reel.leaps(stop):
            self._reel.rewind(stop)
            self._emulator = BitttyEmulator(USUAL)
        slicer = Slicer()
        while due and (taken := self._reel.take(stop)):
            for each in taken:
                if isinstance(each, Size):
                    self._emulator.resize(each)
                    continue
                for part in slicer.cut(each):
                    self._emulator.feed(part)
                    self._emulator.replies()  # whoever asked is gone
        self._emulator.events()
        if self._room() != self._painter.size:
            self._painter = Painter(self._room())
        self._write(self._painter.paint(self._emulator))

    def tell(self, player: Player) -> None:
        """Say in the last line of the terminal where the replay stands, and which line was typed."""
        state = "paused" if player.paused else f"{player.speed:g}x"
        text = f" {player.position:.1f} of {player.length:.1f} s, {state} "
        steps = self._reel.steps
        if number := sum(player.places[step.piece] <= player.position for step in steps):
            step = steps[number - 1]
            how = f" · {step.how}" if step.how else ""
            text += f"· {number:,} of {len(steps):,} lines · {one_line(step.line)}{how} "
        room = self._painter.size
        text = text[: room.columns - 1]
        self._write(f"\x1b7\x1b[{room.rows + 1};1H\x1b[0;7m{text}\x1b[0m\x1b[K\x1b8".encode(errors="replace"))

    def end(self) -> None:
        """Leave the terminal as it should be, with the last screen on it."""
        self._write(f"\x1b[0m\x1b[?25h\x1b[{self._painter.size.rows + 1};1H\n".encode())

    @staticmethod
    def _room() -> Size:
        """Return what there is of the terminal, but for its last line."""
        import shutil

        columns, rows = shutil.get_terminal_size()
        return Size(columns, rows - 1).within()

    @staticmethod
    def _write(data: bytes) -> None:
        import sys

        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
