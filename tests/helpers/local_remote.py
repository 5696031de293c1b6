"""A `Remote` whose hosts are all this machine: real shells started as a login shell would start them, without SSH."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence

from cockpit.errors import HostUnreachable
from cockpit.ssh.quoting import quoted


class LocalProgram:
    """A program here, as one on a host."""

    def __init__(self, process: asyncio.subprocess.Process, *, stdin: bool) -> None:
        self.process = process
        self._end = asyncio.create_task(process.wait())
        if not stdin:
            self.close()

    async def pieces(self) -> AsyncIterator[tuple[int, bytes]]:
        assert self.process.stdout is not None and self.process.stderr is not None
        while data := await self.process.stdout.read(1 << 16):
            yield 1, data
        if words := await self.process.stderr.read():
            yield 2, words

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    async def ended(self) -> str:
        return f"exit status {await self.process.wait()}"

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()


class LocalRemote:
    """Starts programs here.

    Args:
        shell: The login shell of every host.
        behaves: What a host does in place of what it is asked, or nothing; raising, it can't be reached.
    """

    via = ""

    def __init__(self, *shell: str, behaves: Callable[[str], str] = lambda _: "") -> None:
        self.shell = shell or ("sh", "-c")
        self.behaves = behaves
        self.starting = 0
        self.most = 0
        self.started: list[str] = []
        self.takes = 0.0

    async def ready(self) -> None:
        raise AssertionError("nothing here is carried")

    async def dial(self, host: str, port: int) -> socket.socket:
        raise AssertionError("nothing here is carried")

    async def start(self, host: str, argv: Sequence[str], *, stdin: bool = False) -> LocalProgram:
        self.starting += 1
        self.most = max(self.most, self.starting)
        try:
            if host.startswith("down"):
                raise HostUnreachable("connection refused", where=host, remedy="is sshd running there?")
            await asyncio.sleep(self.takes)
            line = self.behaves(host) or quoted(argv)
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *self.shell, line, stdin=pipe, stdout=pipe, stderr=pipe
            )
            self.started.append(host)
            return LocalProgram(process, stdin=stdin)
        finally:
            self.starting -= 1

    def members(self, name: str) -> Sequence[str]:
        return [f"web-{number}" for number in range(12)] if name == "web" else [name]
