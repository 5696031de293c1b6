"""Checks while what they look at goes away, comes back, and is slow in between."""

from __future__ import annotations

import asyncio
import time

from cockpit.signals import HealthState
from sources.http_check import HttpCheck, HttpCheckSource, HttpOptions
from sources.tcp_check import TcpCheckSource, TcpOptions
from tests.helpers.emits import Kept
from tests.helpers.http_server import Asked, Said, http_server


async def test_a_service_that_dies_and_comes_back_is_down_in_between() -> None:
    answers = iter([Said(200), Said(503), Said(200, wait=1.0), Said(200)])
    seen: list[tuple[HealthState, str]] = []

    def next_answer(asked: Asked) -> Said:
        return next(answers)

    async with http_server(next_answer) as url:
        source = HttpCheckSource("web", HttpOptions(checks=(url,), timeout=0.3))
        for _ in range(4):
            kept = Kept()
            await source.poll(kept)
            seen.append((kept.health[0].state, kept.health[0].reason))
    kept = Kept()
    await source.poll(kept)
    seen.append((kept.health[0].state, kept.health[0].reason))
    states = [state.value for state, _ in seen]
    assert states == ["ok", "down", "down", "ok", "down"]
    assert "503" in seen[1][1] and "no answer came" in seen[2][1] and "refused" in seen[4][1]


async def test_many_checks_of_dead_ends_cost_their_timeouts_once_a_wave() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    checks = tuple(HttpCheck(url=f"http://127.0.0.1:{port}/{number}") for number in range(32))
    source, kept = HttpCheckSource("web", HttpOptions(checks=checks, timeout=0.3)), Kept()
    started = time.perf_counter()
    await source.poll(kept)
    took = time.perf_counter() - started
    server.close()
    assert len(kept.health) == 32 and all(row.state is HealthState.DOWN for row in kept.health)
    assert 0.6 <= took < source.deadline


async def test_a_hundred_ports_are_looked_at_in_one_go() -> None:
    async def wave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    servers = [await asyncio.start_server(wave, "127.0.0.1", 0) for _ in range(100)]
    addresses = tuple(f"127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in servers)
    kept = Kept()
    await TcpCheckSource("ports", TcpOptions(checks=addresses)).poll(kept)
    for server in servers:
        server.close()
    assert {row.subject for row in kept.health} == set(addresses)
    assert all(row.state is HealthState.OK for row in kept.health)


async def test_a_cancelled_look_ends_at_once_and_leaves_no_task() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = HttpCheckSource("web", HttpOptions(checks=(f"http://127.0.0.1:{port}/",), timeout=30.0))
    running = asyncio.create_task(source.run(Kept()))
    await asyncio.sleep(0.1)
    started = time.perf_counter()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled() and time.perf_counter() - started < 1.0
    server.close()
