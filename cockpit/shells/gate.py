"""Holds back what is typed after an Enter until the shell has said what becomes of the line.

What comes after would else be read as a part of the line that waits to be judged.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

WAITING = 1 << 20
"""Bytes that are held back at most; what is typed beyond them is dropped."""
SHUT_S = 1.0
"""Seconds that what is typed after Enter waits for a shell that says nothing of the line."""
_STOPS = re.compile(rb"\x1b\[20[01]~|[\r\n\x0f]")
_ENTERS = (b"\r", b"\n", b"\x0f")


class Gate:
    """Passes what is typed on to a shell.

    Attributes:
        guarded: Whether Enter is a question just now: at a prompt of a shell that asks.
        closed: Whether nothing is passed on just now.

    Args:
        send: Sends bytes to the shell.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.guarded = False
        self.closed = False
        self._send = send
        self._waiting = bytearray()
        self._pasting = False
        self._at_prompt = False
        self._early = False
        """Whether the gate was closed by an Enter that came before the prompt it is for."""
        self._timer: asyncio.TimerHandle | None = None

    def typed(self, data: bytes) -> None:
        """Take what was typed."""
        self._waiting += data[: max(0, WAITING - len(self._waiting))]
        self._pass_on()

    def close(self, *, for_good: bool = False) -> None:
        """Pass nothing on until `open`, or until a shell that says nothing has had its time."""
        self.closed = True
        self.cancel()
        if not for_good:
            self._timer = asyncio.get_running_loop().call_later(SHUT_S, self.open)

    def open(self) -> None:
        """Pass on what waits, up to the next Enter."""
        self.closed = False
        self.cancel()
        self._pass_on()

    def ready(self) -> None:
        """Know that a prompt is about to come."""
        self.guarded, self._at_prompt = True, False

    def prompt(self) -> None:
        """Know that a prompt has come: pass on what waits for it, unless an Enter is on its way already."""
        self.guarded = self._at_prompt = True
        if self.closed and self._early:
            self._early = False
            self.close()
        else:
            self.open()

    def started(self) -> None:
        """Pass all on, as a line runs; but what was typed along with it waits a little for the next prompt."""
        self.guarded = self._at_prompt = self._early = False
        if self._waiting:
            self.close()
        else:
            self.open()

    def cancel(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pass_on(self) -> None:
        while self._waiting and not self.closed:
            end = self._next_enter() if self.guarded else len(self._waiting)
            data = bytes(self._waiting[:end])
            del self._waiting[:end]
            if self.guarded and not self._pasting and data.endswith(_ENTERS):
                self.close()
                self._early = not self._at_prompt
            self._send(data)

    def _next_enter(self) -> int:
        """Return where the first Enter ends; a line feed in what was pasted in brackets is none."""
        for found in _STOPS.finditer(self._waiting):
            if len(found[0]) > 1:
                self._pasting = found[0] == b"\x1b[200~"
            elif not self._pasting:
                return found.end()
        return len(self._waiting)
