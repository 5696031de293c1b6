"""The one place in the project that starts a process; a test holds everything else to that.

Two callers: the local transport behind the executor's door, for what an operator asked to run, and sources that
read telemetry through a fixed program of the machine (`journalctl`, `systemctl`), for which no operator's word and
no telemetry ever reaches the argv.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence

from cockpit.errors import CommandError

READ = 16 * 1024


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
    if not argv:
        raise CommandError("there is no program to start", remedy="give an argv of at least one word")
    try:
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


@contextlib.asynccontextmanager
async def running(argv: Sequence[str], *, limit: int = 1 << 20, grace: float = 0.5) -> AsyncIterator[Process]:
    """Hold a program for the length of a block; it is asked to stop at the end, and killed after `grace` seconds."""
    process = await spawn(argv, limit=limit)
    try:
        yield process
    finally:
        stop(process)
        try:
            await asyncio.wait_for(process.wait(), grace)
        except (TimeoutError, asyncio.CancelledError):
            stop(process, signal.SIGKILL)


async def capture(argv: Sequence[str], *, timeout: float, size: int = 1 << 20) -> tuple[int, bytes, bytes]:
    """Run a program to its end and return (exit status, stdout, stderr), each output cut at `size` bytes.

    Raises:
        CommandError: It can't be started, or takes longer than `timeout` seconds.
    """
    async with running(argv) as process:
        try:
            async with asyncio.timeout(timeout):
                out, err = await asyncio.gather(_upto(process.stdout, size), _upto(process.stderr, size))
                status = await process.wait()
        except TimeoutError:
            raise CommandError(f"no answer within {timeout:g} s", where=argv[0]) from None
    return status, out, err


async def _upto(stream: asyncio.StreamReader | None, size: int) -> bytes:
    """Read to the end, keeping the first `size` bytes, so that the writer never blocks."""
    kept = bytearray()
    while stream is not None and (part := await stream.read(READ)):
        kept += part[: max(0, size - len(kept))]
    return bytes(kept)
