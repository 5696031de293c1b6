"""The door: used from any loop and thread, closed at any moment, and used again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

from cockpit.errors import ConnectionLost
from cockpit.ssh.connections import Connections
from cockpit.ssh.host_config import HostConfig
from cockpit.ssh.pool import Pool
from cockpit.ssh.program import READ, Program
from cockpit.ssh.route import Route
from tests.helpers.ssh_hops import QUICK, connecting, ended, run, until


class Server:
    """An SSH server of the test's own, which lets everybody in; a line of it is `echo WORD`, `flood N` or `wait`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.made = 0
        self.running: list[asyncssh.SSHServerProcess[bytes]] = []

    async def find(self, name: str) -> Route:
        known = (str(self.folder / "known_hosts"),)
        return (
            HostConfig(
                name=name, hostname="127.0.0.1", user="me", port=self.port, user_known_hosts_files=known
            ),
        )

    async def serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        what, _, more = (process.command or "").partition(" ")
        self.running.append(process)
        if what == "echo":
            process.stdout.write(more.encode())
        elif what == "flood":
            process.stdout.write(b"x" * int(more))
            await process.stdout.drain()
        elif what == "wait":
            await process.stdin.read()
        process.exit(0)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server, key = Server(tmp_path), asyncssh.generate_private_key("ssh-ed25519")

    class Open(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            server.made += 1
            return False

    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Open,
        server_host_keys=[key],
        process_factory=server.serve,
        encoding=None,
    )
    server.port = acceptor.get_port()
    line = f"[127.0.0.1]:{server.port} {key.export_public_key().decode()}"
    (tmp_path / "known_hosts").write_text(line)
    try:
        yield server
    finally:
        acceptor.close()
        await acceptor.wait_closed()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "cockpit-ssh"]


async def test_nothing_is_started_before_a_connection_is_wanted(server: Server) -> None:
    connections = Connections(server.find)
    assert threads() == [] and connections.hops() == ()
    await connections.close()


async def test_many_loops_share_one_connection(server: Server) -> None:
    async with connecting(server.find) as connections:

        def elsewhere(word: str) -> bytes:
            return asyncio.run(run(connections, "host", f"echo {word}"))[0]

        here = asyncio.gather(*(run(connections, "host", f"echo here{n}") for n in range(5)))
        there = await asyncio.gather(*(asyncio.to_thread(elsewhere, f"there{n}") for n in range(5)))
        assert there == [f"there{n}".encode() for n in range(5)]
        assert [out for out, _ in await here] == [f"here{n}".encode() for n in range(5)]
        assert server.made == 1 and threads() == ["cockpit-ssh"]


async def test_closed_it_leaves_no_thread_and_can_be_used_again(server: Server) -> None:
    async with connecting(server.find) as connections:
        for round_ in range(1, 4):
            assert (await run(connections, "host", "echo on"))[0] == b"on"
            await connections.close()
            assert threads() == [] and connections.hops() == () and server.made == round_
        await connections.close()


async def test_closing_ends_what_is_running_and_who_waits(server: Server) -> None:
    async with connecting(server.find) as connections:
        started = await connections.start("host", "wait", stdin=True)
        never = asyncio.Event()

        async def for_ever(pool: Pool) -> None:
            await never.wait()

        waiting = asyncio.ensure_future(connections.on_loop(for_ever))
        await asyncio.sleep(0.05)
        await connections.close()
        with pytest.raises(ConnectionLost, match="the connections were closed"):
            await waiting
        _, ending = await ended(started)
        assert ending.lost
        started.write(b"into the void")
        started.signal("TERM")
        started.close()


async def test_closing_from_several_sides_at_once_is_no_trouble(server: Server) -> None:
    async with connecting(server.find) as connections:
        for _ in range(10):
            using = [asyncio.ensure_future(run(connections, "host", "echo on")) for _ in range(4)]
            await asyncio.sleep(0.005)
            await asyncio.gather(*(connections.close() for _ in range(3)))
            for each in await asyncio.gather(*using, return_exceptions=True):
                assert isinstance(each, ConnectionLost | tuple), repr(each)
        assert (await run(connections, "host", "echo on"))[0] == b"on"


async def test_what_is_cancelled_here_is_cancelled_there(server: Server) -> None:
    began, cancelled = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    async def work(pool: Pool) -> None:
        loop.call_soon_threadsafe(began.set)
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    async with connecting(server.find) as connections:
        task = asyncio.ensure_future(connections.on_loop(work))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(cancelled.is_set)


async def test_a_program_that_came_too_late_for_who_wanted_it_is_let_go(server: Server) -> None:
    async with connecting(server.find) as connections:
        await run(connections, "host", "echo on")
        for step in range(30):
            starting = asyncio.ensure_future(connections.start("host", "wait", stdin=True))
            await asyncio.sleep(step / 3000)
            if starting.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await starting
            else:
                starting.result().close()

        async def channels(pool: Pool) -> int:
            return len((await (await pool.hop("host")).connected())._channels)

        for _ in range(300):
            if not await connections.on_loop(channels):
                break
            await asyncio.sleep(0.02)
        assert await connections.on_loop(channels) == 0


async def test_pieces_are_small_and_a_slow_reader_stops_the_flow(server: Server) -> None:
    async with connecting(server.find) as connections:
        started: Program = await connections.start("host", "flood 3000000")
        total = 0
        async for number, piece in started.pieces():
            assert number == 1 and 0 < len(piece) <= READ
            total += len(piece)
            if total < 300_000:
                await asyncio.sleep(0.01)
        assert total == 3_000_000 and (await started.wait()).exit_status == 0


async def test_hops_are_told_when_they_change(server: Server) -> None:
    told: list[int] = []
    connections = Connections(server.find, changed=lambda: told.append(1), times=QUICK)
    try:
        await run(connections, "host", "echo on")
        await until(lambda: connections.hops() and told)
        assert connections.hops() is connections.hops()
    finally:
        await connections.close()
