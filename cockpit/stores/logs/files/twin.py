"""A copy of the process that reads logs, for a second core: it answers questions, and keeps nothing of them.

Threads would wait for each other, as the interpreter has one lock. A fork has everything that is open and known
already, shares its memory, and starts no program.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
from collections.abc import Callable, Iterator

LENGTH = struct.Struct("!I")
ROOM = 1 << 20
"""Bytes that a pipe may hold, so that an answer need not wait until it is read."""
READ = 1 << 20


def cores() -> int:
    """Return how many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Twin:
    """A forked process that answers questions in the order in which they are asked."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        """Fork.

        Args:
            answer: Answers a question, in the other process. What it raises ends that process.

        Raises:
            OSError: No process or no pipe can be had.
        """
        mine, theirs = os.pipe(), os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            for fd in (*mine, *theirs):
                os.close(fd)
            raise
        if not self._pid:
            os.close(mine[1])
            os.close(theirs[0])
            _serve(answer, mine[0], theirs[1])
        os.close(mine[0])
        os.close(theirs[1])
        self._ask, self._hear = mine[1], theirs[0]
        os.set_blocking(self._hear, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            try:
                fcntl.fcntl(self._hear, fcntl.F_SETPIPE_SZ, ROOM)
            except OSError:
                pass  # the user has many pipes: answers wait a little
        self._parts = bytearray()
        self.asked = 0
        """Questions that have no answer yet."""

    @property
    def alive(self) -> bool:
        """Whether it may still answer."""
        return bool(self._pid)

    def ask(self, question: bytes) -> None:
        """Ask; a twin that is gone is told by `alive`."""
        if not self._pid:
            return
        try:
            os.write(self._ask, LENGTH.pack(len(question)) + question)
            self.asked += 1
        except OSError:
            self.end()

    def answers(self, *, wait: bool = False) -> Iterator[bytes]:
        """Yield the answers that are here.

        Args:
            wait: Whether to wait for one where none is and one is due.
        """
        while self._pid:
            while (answer := self._next()) is not None:
                self.asked -= 1
                wait = False
                yield answer
            if not self._more(wait=wait and self.asked > 0):
                return

    def end(self) -> None:
        """End it; what it was asked is not answered."""
        pid, self._pid = self._pid, 0
        if not pid:
            return
        os.close(self._ask)
        os.close(self._hear)
        self._parts.clear()
        self.asked = 0
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass  # it has ended by itself

    def _more(self, *, wait: bool) -> bool:
        """Read on; return whether there was anything."""
        if wait:
            select.select([self._hear], [], [])
        try:
            part = os.read(self._hear, READ)
        except BlockingIOError:
            return False
        if not part:
            self.end()
        self._parts += part
        return bool(part)

    def _next(self) -> bytes | None:
        if len(self._parts) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._parts)[0]
        if len(self._parts) < end:
            return None
        answer = bytes(self._parts[LENGTH.size : end])
        del self._parts[:end]
        return answer


def _serve(answer: Callable[[bytes], bytes], asked: int, told: int) -> None:
    """Answer until nobody asks any more, in the forked process, which never returns."""
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1):  # their other ends are not to be kept open by this one
            os.dup2(nowhere, fd)
        while head := _exactly(asked, LENGTH.size):
            said = answer(_exactly(asked, LENGTH.unpack(head)[0]))
            view = memoryview(LENGTH.pack(len(said)) + said)
            while view:
                view = view[os.write(told, view) :]
    finally:
        os._exit(0)


def _exactly(fd: int, size: int) -> bytes:
    """Read so many bytes; none at the end."""
    parts = bytearray()
    while len(parts) < size:
        part = os.read(fd, size - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)
