"""Every source that is registered keeps the contract that a stranger's must keep.

Each kind has a fixture below that says how to make one that reaches something real on this machine, and one that
reaches nothing. A kind without a fixture fails.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit import registry
from cockpit.testing import check_source

Recipe = Callable[[AsyncExitStack, Path], Awaitable[Mapping[str, object]]]
"""Starts what a source needs, for as long as the stack lives, and returns the source's options."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def listening(answer: bytes = b"") -> AsyncIterator[int]:
    """Answer whatever comes in with the same bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def host(_stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    return {"interval": 0.3}


async def tcp(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    port = await stack.enter_async_context(listening(b"hello\n"))
    return {"interval": 0.2, "checks": [f"127.0.0.1:{port}"]}


async def otlp(_stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    return {"interval": 0.2, "port": 0, "grpc_port": 0}


REACHABLE: Mapping[str, Recipe] = {"host": host, "tcp": tcp, "otlp": otlp}

UNREACHABLE: Mapping[str, Callable[[], Mapping[str, object]]] = {
    "tcp": lambda: {"interval": 0.2, "checks": [f"127.0.0.1:{free_port()}"]},
}


def maker(kind: str, options: Mapping[str, object]) -> Callable[[], Any]:
    plugin = registry.load(kind)
    return lambda: plugin(kind, msgspec.convert(options, plugin.options_type))


@pytest.mark.parametrize("kind", [kind for kind in registry.names() if kind in REACHABLE])
async def test_it_keeps_the_contract(kind: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        options = await REACHABLE[kind](stack, tmp_path)
        report = await check_source(maker(kind, options), seconds=0.5)
        assert report.words > 0


@pytest.mark.parametrize("kind", UNREACHABLE)
async def test_it_fails_helpfully_where_it_reaches_nothing(kind: str) -> None:
    await check_source(maker(kind, UNREACHABLE[kind]()), reachable=False, seconds=0.5)
