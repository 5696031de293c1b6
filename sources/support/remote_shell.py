"""One `sh` on a host that stays: it is sent a line, and answers in a frame that nothing on the host can forge.

Each question carries a number drawn at random, and its answer stands between lines made of it; what a start-up file
of the account, or a program there, writes besides is no part of an answer.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence

from cockpit.errors import BadAnswer, ConnectionLost, Unreachable
from cockpit.source import RemoteProgram
from sources.support.fleet import COMPLAINT, last_words

SPACE = 64 * 1024
"""Bytes besides answers that may come at a time."""


def script(answers: str, *, before: str = "") -> tuple[str, ...]:
    """Return the argv of a shell that answers lines.

    It holds no line feed, which csh as a login shell could not take, and needs of the host a POSIX shell alone.

    Args:
        answers: Shell text that writes the answer; `$1` and on are the words of the question, `$n` its number.
        before: Shell text that is run once.
    """
    loop = (
        f"LC_ALL=C;export LC_ALL;PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin;{before}"
        "while IFS=' ' read -r n q;do printf '\\n@%s\\n' \"$n\";"
        f"{answers};printf '\\n@%s.\\n' \"$n\";done"
    )
    return ("sh", "-c", loop)


_HELD = (
    'exec 3<&0;"$@" </dev/null & p=$!;'
    "{ while read -r x;do :;done;kill $p 2>/dev/null;} <&3 >/dev/null 2>&1 & w=$!;"
    "exec 3<&-;wait $p;s=$?;kill $w 2>/dev/null;exit $s"
)


def held(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the argv of a program that ends when its input does, as it does when the connection breaks.

    A program that follows something would else stay on the host until it has the next thing to say.
    """
    return ("sh", "-c", _HELD, "sh", *argv)


class Late(Unreachable):
    """No whole answer in time.

    Attributes:
        number: The question's.
        partial: What came of its answer.
    """

    def __init__(self, message: str, *, where: str, number: str, partial: bytes) -> None:
        super().__init__(message, where=where)
        self.number = number
        self.partial = partial


class RemoteShell:
    """Asks a host's shell, one question at a time.

    Args:
        host: Its target's name.
        program: The shell, started with what `script` returns.
    """

    def __init__(self, host: str, program: RemoteProgram) -> None:
        self.host = host
        self._program = program
        self._pieces: AsyncIterator[tuple[int, bytes]] = program.pieces()
        self._complaint = b""

    async def ask(self, question: str, *, timeout: float, limit: int) -> tuple[str, bytes]:
        """Return a question's number and its answer.

        Args:
            question: Words without line feeds, none of which came with telemetry.
            timeout: Seconds that the answer may take.
            limit: Bytes it may have.

        Raises:
            Late: There was none in time.
            BadAnswer: It was too long.
            ConnectionLost: The shell ended, or its connection broke.
        """
        number = secrets.token_hex(8)
        begins, ends = f"\n@{number}\n".encode(), f"\n@{number}.\n".encode()
        self._program.write(f"{number} {question}\n".encode())
        came = bytearray()
        try:
            async with asyncio.timeout(timeout):
                while (end := came.find(ends)) < 0:
                    if len(came) > limit + SPACE:
                        raise BadAnswer(f"its answer is longer than {limit:,} bytes", where=self.host)
                    came += await self._next(came)
        except TimeoutError:
            _, _, partial = bytes(came).partition(begins)
            message = f"no answer within {timeout:g} s"
            raise Late(message, where=self.host, number=number, partial=partial) from None
        start = came.find(begins, 0, end + 1)
        if start < 0:
            raise BadAnswer("its answer has no beginning", where=self.host)
        return number, bytes(came[start + len(begins) : end])

    async def _next(self, came: bytearray) -> bytes:
        async for number, piece in self._pieces:
            if number == 1:
                return piece
            self._complaint = (self._complaint + piece)[-COMPLAINT:]
        words = await last_words(self._program, self._complaint or bytes(came[-COMPLAINT:]))
        raise ConnectionLost(words, where=self.host)
