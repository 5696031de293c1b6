"""Asks at the terminal what a connection has to ask a person; never on the standard input, which is a command's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from cockpit.hygiene import clean_line, clean_text
from cockpit.ssh.asking import OfferedKey, Question, Verdict, accepts
from cockpit.ssh.elsewhere import Elsewhere

if TYPE_CHECKING:
    from cockpit.actionlog.log import ActionLog
    from cockpit.targets import Targets

TERMINAL = "/dev/tty"
LONGEST = 64 * 1024
"""Bytes of an answer at most."""


class TerminalAsker:
    """Asks at a terminal, one question at a time.

    Args:
        record: Puts what became of a host key into the action log.
        terminal: The terminal's device.
    """

    def __init__(
        self, record: Callable[[OfferedKey, Verdict], Awaitable[None]], *, terminal: str = TERMINAL
    ) -> None:
        self._record = record
        self._terminal = terminal
        self._turn = asyncio.Lock()
        self._said = False

    async def secret(self, question: Question) -> str | None:
        """Return what is typed, unseen unless it may be echoed; None at its end (Ctrl+D) or without a terminal."""
        again = f" (attempt {question.attempt})" if question.attempt > 1 else ""
        # Before each line, so that what a host says can't pass for what another asks.
        lines = (
            f"{clean_line(question.hop)}{again}: {line}" for line in clean_text(question.prompt).splitlines()
        )
        return await self._line("\n".join(lines) + " ", echo=question.echo)

    async def accept(self, key: OfferedKey) -> bool:
        """Show an unknown key; only its fingerprint, or `yes` in full, accepts it."""
        shown = "\n".join(
            (
                f"{clean_line(key.hop)} ({clean_line(key.address)}) shows a {key.algorithm} key that is not known:",
                f"  {key.fingerprint}",
                *(f"  {line}" for line in key.randomart.splitlines()),
                "Is that the key that whoever runs it gave you? (yes, the fingerprint; anything else is no) ",
            )
        )
        return accepts(await self._line(shown, echo=True), key)

    async def record(self, key: OfferedKey, verdict: Verdict) -> None:
        """Put what became of a host key into the action log."""
        await self._record(key, verdict)

    def tell(self, hop: str, text: str) -> None:
        """Say something on the standard error output."""
        for line in clean_text(text).splitlines():
            print(f"{clean_line(hop)}: {line}", file=sys.stderr, flush=True)

    async def _line(self, prompt: str, *, echo: bool) -> str | None:
        async with self._turn:
            try:
                opened = os.open(self._terminal, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            except OSError:
                if not self._said:
                    self._said = True
                    self.tell("cockpit", "there is no terminal to ask at, so every answer is no")
                return None
            try:
                with _quiet(opened, echo=echo):
                    os.write(opened, prompt.encode(errors="replace"))
                    return await _typed(opened)
            finally:
                os.close(opened)


@contextlib.contextmanager
def _quiet(terminal: int, *, echo: bool) -> Iterator[None]:
    """Read line by line for the length of a block, and show what is typed only where it may be."""
    before = termios.tcgetattr(terminal)
    changed = termios.tcgetattr(terminal)
    changed[3] = (changed[3] | termios.ICANON | termios.ISIG) & ~termios.ECHO | (termios.ECHO if echo else 0)
    termios.tcsetattr(terminal, termios.TCSAFLUSH, changed)  # what was typed before was not meant for this
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        if not echo:
            os.write(terminal, b"\n")


async def _typed(terminal: int) -> str | None:
    """Return the line that is typed next, without holding the loop or a thread; None at the end of input."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    data = bytearray()
    loop.add_reader(terminal, ready.set)
    try:
        while not data.endswith(b"\n"):
            await ready.wait()
            ready.clear()
            piece = os.read(terminal, 4096)
            if not piece:
                return None
            data += piece
            if len(data) > LONGEST:
                return None
        return data[:-1].decode(errors="replace")
    finally:
        loop.remove_reader(terminal)
        data[:] = bytes(len(data))


def asker_at_terminal(log: ActionLog, targets: Targets, *, incident: str = "") -> Elsewhere:
    """Return what a verb's connections ask by; called on the loop that the verb runs on.

    Args:
        log: Where what becomes of host keys is recorded.
        targets: Say which hosts belong to which environment.
        incident: The incident that the verb works on.
    """
    from cockpit.actions.hostkeys import HostKeyRecord

    kept = HostKeyRecord(log, targets)

    async def record(key: OfferedKey, verdict: Verdict) -> None:
        await kept.record(key, verdict, incident=incident)

    asker = Elsewhere()
    asker.answer_by(TerminalAsker(record))
    return asker
