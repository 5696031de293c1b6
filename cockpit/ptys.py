"""A terminal of this machine's own, as the side that holds it sees it: read with back-pressure, written, resized.

Nothing is started here; `cockpit.process.on_terminal` does that and hands the program over as a `Pty`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios

READ = 16 * 1024
"""Bytes in one piece at most."""
TYPED = 4 << 20
"""Bytes that wait for a program which does not read; what is typed beyond that is dropped."""
LINGER = 0.2
"""Seconds without output after which a program that ended is taken to have no more, though its terminal is held."""


def set_size(descriptor: int, columns: int, rows: int) -> None:
    """Set a terminal's size; the programs on it get SIGWINCH."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Pty:
    """A program on a terminal, as whoever holds that terminal sees it. `read` is for one reader.

    Nothing is read ahead: while nobody asks, the program waits as soon as the kernel's few kilobytes are full.

    Args:
        descriptor: The holder's side, not blocking; closed by this.
        process: The program, which leads a session of its own.
        theirs: The program's side, held until the program has ended, as it may not have opened it yet.
    """

    def __init__(self, descriptor: int, process: asyncio.subprocess.Process, theirs: int) -> None:
        self.pid = process.pid
        self._descriptor = descriptor
        self._process = process
        self._theirs = theirs
        self._readable = asyncio.Event()
        self._typed = bytearray()
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_task(process.wait())
        self._ended.add_done_callback(self._let_go)

    async def read(self, most: int = READ) -> bytes:
        """Return what it printed, at least a byte of it; nothing at the end."""
        while not self._closed:
            if data := self._read(most):
                return data
            if data is not None:
                break
            self._readable.clear()
            if self._ended.done():
                if not await self._more():
                    break
                continue
            self._loop.add_reader(self._descriptor, self._readable.set)
            try:
                await self._readable.wait()
            finally:
                self._forget_reader()
        return b""

    async def ended(self) -> int:
        """Wait for its end and return its exit status, or minus the signal that ended it."""
        return await asyncio.shield(self._ended)

    def write(self, data: bytes) -> None:
        """Type; what the program does not take yet waits here."""
        if self._closed or len(self._typed) > TYPED:
            return
        waiting = bool(self._typed)
        self._typed += data
        if not waiting:
            self._write()

    def resize(self, columns: int, rows: int) -> None:
        """Set the terminal's size."""
        if not self._closed:
            with contextlib.suppress(OSError):  # everybody has left it
                set_size(self._descriptor, columns, rows)

    def signal(self, number: int) -> None:
        """Signal the program and all that is still in its group."""
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def close(self) -> None:
        """Hang up: whatever runs on the terminal gets SIGHUP, and finds it gone."""
        if self._closed:
            return
        self.signal(signal.SIGHUP)
        self.signal(signal.SIGCONT)
        self._forget_reader()
        self._closed = True
        self._loop.remove_writer(self._descriptor)
        os.close(self._descriptor)
        self._readable.set()

    def _let_go(self, _: object) -> None:
        """Leave the program's side to what still runs there: reading comes to an end once nothing does."""
        os.close(self._theirs)
        self._readable.set()

    async def _more(self) -> bool:
        """Wait a little for output of a program that has ended."""
        self._loop.add_reader(self._descriptor, self._readable.set)
        try:
            async with asyncio.timeout(LINGER):
                await self._readable.wait()
        except TimeoutError:
            return False
        finally:
            self._forget_reader()
        return True

    def _forget_reader(self) -> None:
        if not self._closed:
            self._loop.remove_reader(self._descriptor)

    def _read(self, most: int) -> bytes | None:
        """Return what is there, nothing at the end, or None where there is nothing yet."""
        got = bytearray()
        while len(got) < most:
            try:
                part = os.read(self._descriptor, most - len(got))
            except BlockingIOError:
                return bytes(got) or None
            except OSError:  # EIO: the last program that held the terminal has left it
                part = b""
            if not part:
                break
            got += part
        return bytes(got)

    def _write(self) -> None:
        try:
            while self._typed:
                sent = os.write(self._descriptor, self._typed[:READ])
                del self._typed[:sent]
        except BlockingIOError:
            self._loop.add_writer(self._descriptor, self._write)
            return
        except OSError:
            self._typed.clear()
        self._loop.remove_writer(self._descriptor)
