"""The one place in the project that starts a process; a test holds everything else to that.

`stream` and `on_terminal` are the executor's, for what an operator asked to run, through the local transport.
`spawn`, `running` and `capture` start fixed programs that read: `journalctl` and `systemctl` for telemetry, Python
itself for a pattern's bounded search, for parsing the lines of busy files and for reading inventories; the commands
that the configuration names for secrets and inventories; `ssh-keygen`, which signs and verifies; `ssh -G`, for the
doctor; and the commands of `Match exec` in the user's own ssh_config. Of what is in those argvs nothing was typed on
the screen or came with telemetry: they are fixed, but for what the configuration says, and for the name of a host,
which has no character that means anything to a shell. `tied` starts the ProxyCommand of that file.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from cockpit.errors import CommandError
from cockpit.ptys import Pty, set_size
from cockpit.streaming import READ, Streaming

__all__ = [
    "READ",
    "Process",
    "Pty",
    "Streaming",
    "Tied",
    "capture",
    "on_terminal",
    "running",
    "spawn",
    "stop",
    "stream",
    "tied",
]

ON_TERMINAL = 'exec <>"$0" >&0 2>&1 && exec "$@"'
"""Has /bin/sh, which leads a session, open a terminal, which so becomes the session's own, and then give way.

The terminal's name and the program's words are arguments: none of them is a part of this line.
"""

WORDS = 4096
"""Bytes kept of what a tied program wrote to its stderr last."""
TIED_GRACE = 1.0
"""Seconds that a tied program may take to end before it is killed."""


async def spawn(
    argv: Sequence[str],
    *,
    stdin: bool = False,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    limit: int = 1 << 20,
) -> Process:
    """Start a program in a session of its own, with both outputs piped.

    Args:
        argv: The program and its arguments; no shell sees them.
        stdin: Whether to pipe its input; else it reads end of file.
        cwd: Where it starts.
        env: Its whole environment; None passes ours on.
        limit: Bytes a line may be long for `readline`.

    Raises:
        CommandError: The program can't be started.
    """
    with _start_errors(argv, cwd):
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=PIPE if stdin else DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            cwd=cwd,
            env=env,
            limit=limit,
            start_new_session=True,
        )


@contextlib.contextmanager
def _start_errors(argv: Sequence[str], cwd: str | None) -> Iterator[None]:
    """Map what may go wrong while a program is started."""
    if not argv:
        raise CommandError("there is no program to start", remedy="give an argv of at least one word")
    try:
        yield
    except FileNotFoundError:
        missing = cwd if cwd and not os.path.isdir(cwd) else argv[0]  # noqa: PTH112
        raise CommandError("not found", where=missing, remedy="check its name and PATH") from None
    except (OSError, ValueError) as error:
        raise CommandError(f"can't be started: {error}", where=argv[0]) from None


def stop(process: Process, number: int = signal.SIGTERM) -> None:
    """Signal a process and all that it started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


KILLED = 0.3
"""Seconds for a program to be gone after it was killed."""


async def kill(process: Process) -> None:
    """Kill a program and its group, and see it gone; it is not waited for longer than `KILLED`."""
    stop(process, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILLED):
            for output in (process.stdout, process.stderr):
                while output is not None and await output.read(1 << 16):
                    pass  # the pipe is closed only once it was read to its end
            await process.wait()


@contextlib.asynccontextmanager
async def running(
    argv: Sequence[str],
    *,
    stdin: bool = False,
    env: Mapping[str, str] | None = None,
    limit: int = 1 << 20,
    grace: float = 0.5,
) -> AsyncIterator[Process]:
    """Hold a program for the length of a block; it is asked to stop at the end, and killed after `grace` seconds."""
    process = await spawn(argv, stdin=stdin, env=env, limit=limit)
    try:
        yield process
    finally:
        stop(process)
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            stop(process, signal.SIGKILL)
        except asyncio.CancelledError:
            stop(process, signal.SIGKILL)
            raise


async def capture(
    argv: Sequence[str],
    *,
    timeout: float,
    size: int = 1 << 20,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
) -> tuple[int, bytes, bytes]:
    """Run a program to its end and return (exit status, stdout, stderr), each output cut at `size` bytes.

    Args:
        argv: The program and its arguments; no shell sees them.
        timeout: Seconds it may take.
        size: Bytes kept of each output.
        stdin: What it reads; nothing without.
        env: Its whole environment; None passes ours on.

    Raises:
        CommandError: It can't be started, or takes longer than `timeout` seconds.
    """
    async with running(argv, stdin=stdin is not None, env=env) as process:
        try:
            async with asyncio.timeout(timeout):
                out, err, _ = await asyncio.gather(
                    _upto(process.stdout, size),
                    _upto(process.stderr, size),
                    _give(process.stdin, stdin or b""),
                )
                status = await process.wait()
        except TimeoutError:
            raise CommandError(f"no answer within {timeout:g} s", where=argv[0]) from None
    return status, out, err


async def _give(stream: asyncio.StreamWriter | None, data: bytes) -> None:
    """Write all of a program's input; one that reads no more of it is left alone."""
    if stream is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            stream.write(data)
            await stream.drain()
        stream.close()


async def _upto(stream: asyncio.StreamReader | None, size: int) -> bytes:
    """Read to the end, keeping the first `size` bytes, so that the writer never blocks."""
    kept = bytearray()
    while stream is not None and (part := await stream.read(READ)):
        kept += part[: max(0, size - len(kept))]
    return bytes(kept)


class Tied:
    """A running program whose input and output are one socket.

    Attributes:
        socket: Our end; whoever takes it closes it.
    """

    def __init__(self, process: Process, ours: socket.socket) -> None:
        self.socket = ours
        self._process = process
        self._said = bytearray()
        self._listening = asyncio.ensure_future(self._listen())

    @property
    def last_words(self) -> str:
        """The end of what it wrote to its stderr; hostile."""
        return bytes(self._said).decode(errors="replace").strip()

    async def ended(self, timeout: float) -> None:
        """Wait for its end, though not for long."""
        await asyncio.wait({self._listening}, timeout=timeout)

    def close(self) -> None:
        """Have it end, and kill it where it does not."""
        self.socket.close()
        stop(self._process)
        asyncio.get_running_loop().call_later(TIED_GRACE, stop, self._process, signal.SIGKILL)

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        try:
            while part := await self._process.stderr.read(READ):
                self._said += part
                del self._said[:-WORDS]
            await self._process.wait()
        except asyncio.CancelledError:  # the loop ends, and nobody would kill it later
            stop(self._process, signal.SIGKILL)
            raise


async def tied(command: str) -> Tied:
    """Start a ProxyCommand as OpenSSH does: the user's shell executes it, its input and output tied to a socket.

    Args:
        command: From ssh_config, its tokens expanded.

    Raises:
        CommandError: The shell can't be started.
    """
    shell = os.environ.get("SHELL") or "/bin/sh"
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    try:
        with theirs, _start_errors((shell,), None):
            process = await asyncio.create_subprocess_exec(
                shell,
                "-c",
                f"exec {command}",
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=PIPE,
                start_new_session=True,
            )
    except BaseException:
        ours.close()
        raise
    return Tied(process, ours)


async def stream(
    argv: Sequence[str], *, cwd: str | None = None, env: Mapping[str, str] | None = None
) -> Streaming:
    """Start a program in a session of its own, with end of file as its input, and its output read in pieces.

    Raises:
        CommandError: The program can't be started.
    """
    with _start_errors(argv, cwd):
        _, program = await asyncio.get_running_loop().subprocess_exec(
            Streaming,
            *argv,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
    return program


async def on_terminal(
    argv: Sequence[str],
    *,
    columns: int,
    rows: int,
    env: Mapping[str, str],
    cwd: str | None = None,
) -> Pty:
    """Start a program on a terminal of its own, in a session of its own.

    Args:
        argv: The program and its arguments; no shell reads them.
        columns: The terminal's width.
        rows: Its height.
        env: The program's whole environment.
        cwd: Where it starts.

    Raises:
        CommandError: The program can't be started.
    """
    with _start_errors(argv, cwd):
        if shutil.which(argv[0], path=env.get("PATH", os.defpath)) is None:
            raise FileNotFoundError(argv[0])
        ours, theirs = os.openpty()
        try:
            set_size(theirs, columns, rows)
            os.set_blocking(ours, False)
            process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                ON_TERMINAL,
                os.ttyname(theirs),
                *argv,
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                cwd=cwd,
                env=env,
                start_new_session=True,
            )
        except BaseException:
            os.close(ours)
            os.close(theirs)
            raise
    return Pty(ours, process, theirs)
