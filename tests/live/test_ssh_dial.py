"""Sockets through a hop, with real sshd between."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from cockpit.errors import ChannelRefused
from cockpit.ssh.connections import Connections
from cockpit.ssh.pool import Pool
from tests.helpers.ssh_hops import connecting, until, ways
from tests.helpers.ssh_lab import SshLab, ssh_lab
from tests.helpers.tcp_proxy import tcp_proxy
from tests.helpers.tcp_server import free_port, tcp_server
from tests.live.servers import program

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    """Give a lab whose bastion reaches this machine's loopback."""
    program("sshd", "openssh-server")
    with ssh_lab(tmp_path_factory.mktemp("lab"), isolate=False) as lab:
        yield lab


@pytest.fixture
async def connections(lab: SshLab) -> AsyncIterator[Connections]:
    async with connecting(ways(lab)) as connections:
        yield connections


async def channels(pool: Pool) -> int:
    connection = await (await pool.hop("bastion")).connected()
    return len(connection._channels)


async def none_left(connections: Connections) -> None:
    for _ in range(200):
        if not await connections.on_loop(channels):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{await connections.on_loop(channels)} channels are left")


async def shouting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data.upper())
        await writer.drain()
    writer.write(b"end")
    writer.write_eof()
    await writer.drain()


async def test_a_dial_carries_both_ways_and_each_half_ends_for_itself(connections: Connections) -> None:
    async with tcp_server(shouting) as port:
        near = await connections.dial("bastion", "127.0.0.1", port)
        reader, writer = await asyncio.open_connection(sock=near)
        reading = asyncio.ensure_future(reader.read())
        for _ in range(50):
            writer.write(b"x" * 100_000)
            await writer.drain()
        writer.write_eof()
        assert await reading == b"X" * 5_000_000 + b"end"
        writer.close()
        await writer.wait_closed()
        await none_left(connections)


async def test_the_end_of_the_far_half_leaves_ours_open(connections: Connections) -> None:
    heard = bytearray()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.write_eof()
        heard.extend(await reader.read())

    async with tcp_server(talk) as port:
        near = await connections.dial("bastion", "127.0.0.1", port)
        reader, writer = await asyncio.open_connection(sock=near)
        assert await reader.read() == b"hello"
        writer.write(b"y" * 1_000_000)
        await writer.drain()
        writer.write_eof()
        await until(lambda: len(heard) == 1_000_000)
        writer.close()
        await none_left(connections)


async def test_a_socket_that_is_closed_closes_the_channel_though_the_far_side_says_nothing(
    connections: Connections,
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with tcp_server(talk) as port:
        near = await connections.dial("bastion", "127.0.0.1", port)
        assert await connections.on_loop(channels) == 1
        near.close()
        await none_left(connections)


async def test_one_who_only_ended_its_half_is_not_taken_for_gone(connections: Connections) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await asyncio.sleep(1.5)
        writer.write(b"late answer")
        writer.write_eof()

    async with tcp_server(talk) as port:
        near = await connections.dial("bastion", "127.0.0.1", port)
        reader, writer = await asyncio.open_connection(sock=near)
        writer.write_eof()
        assert await reader.read() == b"late answer"
        writer.close()
        await none_left(connections)


async def test_a_slow_far_side_holds_the_writer_up(connections: Connections) -> None:
    going = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await going.wait()
        while await reader.read(1 << 20):
            pass

    async with tcp_server(talk) as port:
        near = await connections.dial("bastion", "127.0.0.1", port)
        loop, sent, piece = asyncio.get_running_loop(), 0, b"z" * 65536
        with pytest.raises(TimeoutError):
            while True:
                async with asyncio.timeout(1):
                    await loop.sock_sendall(near, piece)
                sent += len(piece)
        assert sent < 32 << 20
        going.set()
        async with asyncio.timeout(10):
            for _ in range(100):
                await loop.sock_sendall(near, piece)
        near.close()


async def test_a_slow_reader_holds_the_far_side_up(connections: Connections) -> None:
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while sent < 200 << 20:
            writer.write(b"z" * 65536)
            await writer.drain()
            sent += 65536

    async with tcp_server(talk) as port:
        near = await connections.dial("bastion", "127.0.0.1", port)
        last = -1
        while sent != last:
            last = sent
            await asyncio.sleep(0.4)
        assert sent < 32 << 20
        loop, got = asyncio.get_running_loop(), 0
        while got < last:
            got += len(await loop.sock_recv(near, 1 << 20))
        near.close()


async def test_what_can_not_be_reached_is_told_with_its_place(connections: Connections) -> None:
    port = free_port()
    with pytest.raises(ChannelRefused, match=f"127.0.0.1 port {port} can't be reached from there") as caught:
        await connections.dial("bastion", "127.0.0.1", port)
    assert caught.value.where == "bastion"
    with pytest.raises(ChannelRefused, match="it forbids that") as caught:
        await connections.dial("bastion", "198.51.100.1", 80)
    assert "PermitOpen" in caught.value.remedy


async def test_a_lost_connection_ends_the_socket(lab: SshLab) -> None:
    async with (
        tcp_server(shouting) as port,
        tcp_proxy(lab.port) as proxy,
        connecting(ways(lab, {"bastion": proxy.port})) as connections,
    ):
        near = await connections.dial("bastion", "127.0.0.1", port)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(near, b"hi")
        assert await loop.sock_recv(near, 10) == b"HI"
        proxy.cut()
        async with asyncio.timeout(3):
            assert await loop.sock_recv(near, 10) == b""
        near.close()


async def test_dials_that_are_cancelled_leave_nothing(connections: Connections) -> None:
    async with tcp_server(shouting) as port:
        (await connections.dial("bastion", "127.0.0.1", port)).close()
        before = len(os.listdir("/proc/self/fd"))
        for wait in range(40):
            dialling = asyncio.ensure_future(connections.dial("bastion", "127.0.0.1", port))
            await asyncio.sleep(wait / 8000)
            if dialling.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await dialling
            else:
                dialling.result().close()
        await none_left(connections)
    await until(lambda: len(os.listdir("/proc/self/fd")) <= before)


async def test_five_hundred_dials_leave_nothing(connections: Connections) -> None:
    async def one() -> None:
        near: socket.socket = await connections.dial("bastion", "127.0.0.1", port)
        reader, writer = await asyncio.open_connection(sock=near)
        writer.write(b"ping")
        writer.write_eof()
        assert await reader.read() == b"PINGend"
        writer.close()
        await writer.wait_closed()

    async with tcp_server(shouting) as port:
        await one()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(100):
            await asyncio.gather(*(one() for _ in range(5)))
        await none_left(connections)
        await until(lambda: len(os.listdir("/proc/self/fd")) <= before + 2)
