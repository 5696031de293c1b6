"""A program on a host, on a channel of its connection: started there, read and written from any event loop.

The channel lives on the connections' loop; whoever reads it lives on another. What comes in waits in a deque between
the two, at most `HELD` bytes and one packet of it: then the channel's window closes and the program waits. asyncssh
holds what was on its way by then, `WINDOW` bytes at most.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from typing import Any

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR
from msgspec import Struct

from cockpit.errors import ChannelRefused
from cockpit.hygiene import clean_line
from cockpit.ssh.errors import THEIRS, mapped
from cockpit.ssh.ways import close_channel, surely
from cockpit.term.size import Size

__all__ = ["Ending", "Program", "Size", "Start"]

READ = 64 * 1024
"""Bytes in one piece at most."""
HELD = 4 * READ
"""Bytes held for a slow reader before the program is made to wait."""
WINDOW = 16 << 20
"""Bytes that a host may send on one channel before we have read them."""
TYPED_WINDOW = 128 * 1024
"""The same for one with a terminal: what is on its way when somebody presses ctrl+c is still shown."""
PACKET = 256 * 1024
"""Bytes in a packet at most; OpenSSH sends 32 KiB at most whatever is allowed."""
LINGER = 1.0
"""Seconds without output after a program's end, after which what still holds its output was left running by it."""


class Start(Struct, frozen=True, kw_only=True):
    """How a program is started.

    Attributes:
        line: For the account's login shell; empty asks for the login shell itself.
        terminal: The size of the terminal that it gets; None gives it none.
        term: That terminal's name.
        environment: Variables that the server may take over.
        stdin: Whether input will be written; else it reads end of file.
        answer: Seconds that the host may take to answer.
    """

    line: str
    terminal: Size | None = None
    term: str = "xterm-256color"
    environment: Mapping[str, str] = {}
    stdin: bool = False
    answer: float = 15.0


class Ending(Struct, frozen=True, kw_only=True):
    """How a program ended, as far as its host said.

    Attributes:
        exit_status: None where a signal ended it, or where nothing was said.
        signal: The signal's name, such as `SIGTERM`.
        lost: Why nothing was said; empty where something was.
        left_behind: Whether its output was given up because something it left running still held it.
    """

    exit_status: int | None = None
    signal: str | None = None
    lost: str = ""
    left_behind: bool = False


async def start(
    connection: asyncssh.SSHClientConnection, hop: str, wanted: Start, release: Callable[[], None]
) -> Program:
    """Start a program on a connection.

    From the moment at which its channel is open, it may have been started: what goes wrong then is told by how it
    ended, and no error that says that it was not.

    Args:
        connection: The host's.
        hop: The host's name.
        wanted: What to start.
        release: Called when it is over.

    Raises:
        asyncssh.ChannelOpenError: The host refuses.
        SshError: The host does not answer.
    """
    program = Program(hop, asyncio.get_running_loop(), release)
    terminal: dict[str, Any] = {}
    if wanted.terminal is not None:
        terminal = {"term_type": wanted.term, "term_size": (wanted.terminal.columns, wanted.terminal.rows)}
    try:
        async with asyncio.timeout(wanted.answer):
            await surely(
                connection.create_session(
                    lambda: program,
                    wanted.line or None,
                    request_pty="force" if wanted.terminal else False,
                    env=[f"{name}={value}" for name, value in wanted.environment.items()],
                    encoding=None,
                    window=WINDOW if wanted.terminal is None else TYPED_WINDOW,
                    max_pktsize=PACKET,
                    **terminal,
                ),
                close_channel,
            )
    except TimeoutError:
        if not program.opened:
            program.lose("it gave no session in time")
            raise ChannelRefused(
                f"it did not answer within {wanted.answer:g} s when asked for a session",
                where=hop,
                remedy="check its load",
            ) from None
        program.lose(f"it did not answer within {wanted.answer:g} s when asked to start it")
    except asyncio.CancelledError:
        program.lose("it was stopped while it was started")
        raise
    except THEIRS:
        if not program.over or not program.opened:
            raise
    if not wanted.stdin:
        program.write_eof()
    return program


class Program(asyncssh.SSHClientSession[bytes]):
    """A program on a host. `pieces` is for one reader; everything may be called from any thread."""

    def __init__(
        self, hop: str, loop: asyncio.AbstractEventLoop, release: Callable[[], None] = lambda: None
    ) -> None:
        self.hop = hop
        self._loop = loop
        self._release = release
        self._channel: Any = None
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._held = 0
        self._came = 0
        self._paused = False
        self._over = False
        self._losing = False
        self._reader: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._ending: Ending | None = None
        self._ended: Future[Ending] = Future()
        self._lingering: asyncio.TimerHandle | None = None

    async def pieces(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield (1 for stdout or 2 for stderr, bytes) until the end."""
        changed = asyncio.Event()
        self._reader = (asyncio.get_running_loop(), changed)
        while True:
            changed.clear()
            over, taken = self._over, 0
            while self._pieces:
                number, data = self._pieces.popleft()
                for start in range(0, len(data), READ):
                    yield number, data[start : start + READ]
                taken += len(data)
            if taken:
                self._soon(self._took, taken)
            elif over:
                return
            else:
                await changed.wait()

    async def wait(self) -> Ending:
        """Wait for the end."""
        return await asyncio.shield(asyncio.wrap_future(self._ended))

    @property
    def opened(self) -> bool:
        """Whether its channel was opened."""
        return self._channel is not None

    @property
    def over(self) -> bool:
        """Whether it has ended, or its connection has."""
        return self._over

    def write(self, data: bytes) -> None:
        """Send input; what its program does not read waits on the connections' loop."""
        self._soon(self._channel.write, data)

    def write_eof(self) -> None:
        """End its input."""
        self._soon(self._channel.write_eof)

    def resize(self, size: Size) -> None:
        """Tell its terminal another size."""
        self._soon(self._channel.change_terminal_size, size.columns, size.rows)

    def signal(self, name: str) -> None:
        """Have the host signal the program and its group; a server may ignore that.

        OpenSSH does so since 7.9, though not for root, for an account bound to one command, or for a subsystem.

        Args:
            name: Without `SIG`, such as `TERM`.
        """
        self._soon(self._channel.send_signal, name)

    def nudge(self) -> None:
        """Have the host send at once what it holds back.

        Of a program without a terminal sshd leaves Nagle's algorithm on: after one small packet the next waits for
        the first to be acknowledged, for which this side's kernel takes 40 ms unless there is something to send.
        """
        self._soon(self._send_nothing)

    def close(self) -> None:
        """Close the channel; a program that writes to it then gets SIGPIPE, any other goes on."""
        self._soon(self._channel.close)

    def lose(self, why: str) -> None:
        """Let go of it, with its end unknown; on the connections' loop."""
        if self._ending is None:
            self._ending = Ending(lost=f"{self.hop}: {why}")
        if self._channel is not None:
            with contextlib.suppress(OSError):
                self._channel.abort()
        self.connection_lost(None)

    def _soon(self, what: Any, *args: Any) -> None:
        def call() -> None:
            with contextlib.suppress(OSError):  # the channel is closed already
                what(*args)

        with contextlib.suppress(RuntimeError):  # the loop is
            self._loop.call_soon_threadsafe(call)

    def _send_nothing(self) -> None:
        if not self._over:
            self._channel.get_connection().send_debug("")

    def _took(self, count: int) -> None:
        self._held -= count
        if self._paused and self._held <= HELD // 2 and not self._over:
            self._paused = False
            self._channel.resume_reading()

    def _tell(self) -> None:
        if self._reader is not None:
            loop, changed = self._reader
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(changed.set)

    def _linger(self) -> None:
        """Begin to wait for the end of the output, which is held up only by what the program left running."""
        if self._lingering is None and not self._over:
            self._lingering = self._loop.call_later(LINGER, self._give_up, self._came)

    def _give_up(self, came: int) -> None:
        self._lingering = None
        if self._over:
            return
        if self._came != came or self._paused or self._held:
            self._linger()
            return
        assert self._ending is not None
        self._ending = Ending(
            exit_status=self._ending.exit_status, signal=self._ending.signal, left_behind=True
        )
        self._channel.close()

    # What asyncssh calls, on the connections' loop.

    def connection_made(self, chan: Any) -> None:
        """Keep the channel; where it was given up meanwhile, close it before anything is asked to be started."""
        self._channel = chan
        if self._over:
            chan.abort()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Hold what came, and close the window when that is much."""
        self._pieces.append((2 if datatype == EXTENDED_DATA_STDERR else 1, data))
        self._held += len(data)
        self._came += len(data)
        if self._held > HELD and not self._paused and not self._losing:
            self._paused = True
            self._channel.pause_reading()
        self._tell()

    def eof_received(self) -> bool:
        """Keep our half open until the exit status is here."""
        return True

    def exit_status_received(self, status: int) -> None:
        """Note how it ended."""
        self._ending = Ending(exit_status=status)
        self._linger()

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """Note which signal ended it."""
        self._ending = Ending(signal=f"SIG{clean_line(signal, 40)}")
        self._linger()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        if self._over or self._losing:
            return
        self._losing = True
        if self._paused:
            self._channel.resume_reading()  # what was on its way came before the end
        self._over = True  # only now: whoever reads elsewhere takes it for the last word
        if self._lingering is not None:
            self._lingering.cancel()
        if self._ending is None:
            why = (
                str(mapped(exc, self.hop))
                if exc
                else f"{self.hop}: the channel was closed without an exit status"
            )
            self._ending = Ending(lost=why)
        self._ended.set_result(self._ending)
        self._release()
        self._tell()
