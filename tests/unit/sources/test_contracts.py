"""Every source that is registered keeps the contract that a stranger's must keep.

Each kind has a recipe below for one that reaches something real on this machine, and, where it reaches out at all,
one for one that reaches nothing. A kind without a recipe fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit import registry
from cockpit.testing import check_source
from tests.helpers.dns_server import Zone, dns_server
from tests.helpers.es_server import Elasticsearch
from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.local_remote import LocalRemote
from tests.helpers.loki_server import Loki
from tests.helpers.tcp_server import free_port, tcp_server
from tests.helpers.trace_servers import Jaeger, Zipkin, serving
from tests.live.servers import Alertmanager, Prometheus, program
from tests.live.test_journald_live import REMOTE, Journal
from tests.live.victorialogs import VictoriaLogs

Recipe = Callable[[AsyncExitStack, Path], Awaitable[Mapping[str, object]]]
"""Starts what a source needs, for as long as the stack lives, and returns the source's options."""

PAGE = b"# TYPE up gauge\nup 1\n"


async def host(_stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    return {"interval": 0.3}


async def tcp(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")

    port = await stack.enter_async_context(tcp_server(greet))
    return {"interval": 0.2, "checks": [f"127.0.0.1:{port}"]}


async def dns(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    zone = Zone("www.example. 60 IN A 192.0.2.1")
    server = await stack.enter_async_context(dns_server(zone))
    return {"interval": 0.2, "checks": ["www.example"], "servers": [server]}


async def http(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    url = await stack.enter_async_context(http_server(lambda _asked: Said(200, b"fine")))
    return {"interval": 0.2, "checks": [f"{url}/health"]}


async def exposition(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    def page(_asked: Asked) -> Said:
        return Said(200, PAGE, {"content-type": "text/plain; version=0.0.4"})

    url = await stack.enter_async_context(http_server(page))
    return {"interval": 0.2, "url": f"{url}/metrics"}


async def files(_stack: AsyncExitStack, folder: Path) -> Mapping[str, object]:
    (folder / "app.log").write_text("2026-01-02T03:04:05Z ERROR boom\nTraceback\n  line\n" * 5)
    return {"interval": 0.2, "paths": [str(folder / "*.log")]}


async def journald(_stack: AsyncExitStack, folder: Path) -> Mapping[str, object]:
    program(REMOTE, "systemd-journal-remote")
    journal = Journal(folder)
    journal.write("one", "two", _SYSTEMD_UNIT="shop.service")
    return {"interval": 0.2, "files": [str(journal.path)]}


async def prometheus(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    server = stack.enter_context(Prometheus())
    return {"interval": 0.3, "url": server.url}


async def alertmanager(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    server = stack.enter_context(Alertmanager())
    return {"interval": 0.3, "url": server.url}


async def otlp(_stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    return {"interval": 0.2, "port": 0, "grpc_port": 0}


def jaeger_trace(now: int) -> dict[str, Any]:
    span = {
        "traceID": "5b8efff798038103d269b633813fc60c",
        "spanID": "eee19b7ec3c1b174",
        "operationName": "GET /",
        "references": [],
        "startTime": now,
        "duration": 1000,
        "tags": [],
        "logs": [],
        "processID": "p1",
    }
    processes = {"p1": {"serviceName": "cart", "tags": []}}
    return {"traceID": span["traceID"], "spans": [span], "processes": processes}


async def jaeger(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    now = time.time_ns() // 1000 - 2_000_000
    url = await stack.enter_async_context(serving(Jaeger(jaeger_trace(now), jaeger_trace(now - 5))))
    return {"interval": 0.3, "url": url}


async def zipkin(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    span = {
        "traceId": "5b8efff798038103",
        "id": "eee19b7ec3c1b174",
        "name": "get",
        "timestamp": time.time_ns() // 1000 - 2_000_000,
        "duration": 1000,
        "localEndpoint": {"serviceName": "cart"},
    }
    other = {**span, "traceId": "5b8efff798038104"}
    url = await stack.enter_async_context(serving(Zipkin([span], [other])))
    return {"interval": 0.3, "url": url}


async def loki(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    server = Loki()
    for number in range(3):
        server.push(time.time_ns() - number * 1_000_000_000, f"ERROR {number}", {"app": "shop"})
    url = await stack.enter_async_context(http_server(server))
    return {"interval": 0.3, "url": url, "query": '{app="shop"}'}


async def elasticsearch(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    server = Elasticsearch({"message": "text", "log.level": "keyword"})
    for number in range(3):
        server.index(
            time.time_ns() - number * 1_000_000_000, {"message": f"{number}", "log": {"level": "error"}}
        )
    url = await stack.enter_async_context(http_server(server))
    return {"interval": 0.3, "url": url}


async def victorialogs(stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    server = stack.enter_context(VictoriaLogs())
    server.feed([(time.time_ns() - 1_000_000_000, {"_msg": "hello", "level": "info"})])
    return {"interval": 0.3, "url": server.url}


async def remote_host(_stack: AsyncExitStack, _folder: Path) -> Mapping[str, object]:
    return {"interval": 0.2, "hosts": ["one", "two"]}


async def remote_files(_stack: AsyncExitStack, folder: Path) -> Mapping[str, object]:
    (folder / "app.log").write_text("2026-01-02T03:04:05Z ERROR boom\n" * 5)
    return {"interval": 0.2, "hosts": ["one"], "paths": [str(folder / "*.log")]}


async def remote_journald(_stack: AsyncExitStack, folder: Path) -> Mapping[str, object]:
    program(REMOTE, "systemd-journal-remote")
    Journal(folder).write("one", "two", _SYSTEMD_UNIT="shop.service")
    return {"interval": 0.2, "hosts": ["one"], "directory": str(folder)}


REACHABLE: Mapping[str, Recipe] = {
    recipe.__name__.replace("_", "-"): recipe
    for recipe in (
        host,
        tcp,
        dns,
        http,
        exposition,
        files,
        journald,
        prometheus,
        alertmanager,
        otlp,
        jaeger,
        zipkin,
        loki,
        elasticsearch,
        victorialogs,
        remote_host,
        remote_files,
        remote_journald,
    )
}

UNREACHABLE: Mapping[str, Callable[[str], Mapping[str, object]]] = {
    "tcp": lambda nowhere: {"checks": [nowhere]},
    "dns": lambda nowhere: {"checks": ["www.example"], "servers": [nowhere]},
    "http": lambda nowhere: {"checks": [f"http://{nowhere}/health"]},
    "exposition": lambda nowhere: {"url": f"http://{nowhere}/metrics"},
    "prometheus": lambda nowhere: {"url": f"http://{nowhere}"},
    "alertmanager": lambda nowhere: {"url": f"http://{nowhere}"},
    "jaeger": lambda nowhere: {"url": f"http://{nowhere}"},
    "zipkin": lambda nowhere: {"url": f"http://{nowhere}"},
    "loki": lambda nowhere: {"url": f"http://{nowhere}"},
    "elasticsearch": lambda nowhere: {"url": f"http://{nowhere}"},
    "victorialogs": lambda nowhere: {"url": f"http://{nowhere}"},
    "files": lambda _nowhere: {"paths": ["/nonexistent/*.log"]},
    "journald": lambda _nowhere: {"directory": "/nonexistent"},
    "remote-host": lambda _nowhere: {"hosts": ["down"]},
    "remote-files": lambda _nowhere: {"hosts": ["down"], "paths": ["/var/log/*.log"]},
    "remote-journald": lambda _nowhere: {"hosts": ["down"]},
}


def maker(kind: str, options: Mapping[str, object]) -> Callable[[], Any]:
    plugin = registry.load(kind)

    def make() -> Any:
        source = plugin(kind, msgspec.convert(options, plugin.options_type))
        if plugin.on_hosts:
            source.remote = LocalRemote()
        return source

    return make


def ours() -> list[str]:
    return [kind for kind in registry.names() if registry.distribution(kind).startswith("cockpit ")]


@pytest.mark.parametrize("kind", ours())
async def test_it_keeps_the_contract(kind: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        options = await REACHABLE[kind](stack, tmp_path)
        report = await check_source(maker(kind, options), seconds=0.5)
        assert report.words > 0


@pytest.mark.parametrize("kind", UNREACHABLE)
async def test_it_fails_helpfully_where_it_reaches_nothing(kind: str) -> None:
    options = {"interval": 0.2, "timeout": 0.5, **UNREACHABLE[kind](f"127.0.0.1:{free_port()}")}
    await check_source(maker(kind, options), reachable=False, seconds=0.5)


async def test_a_receiver_whose_port_is_taken_fails_helpfully() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(silent) as port:
        options = {"port": port, "grpc": False}
        await check_source(maker("otlp", options), reachable=False, seconds=0.5)


def test_the_recipes_are_of_kinds_that_exist() -> None:
    assert sorted(REACHABLE) == sorted(ours())
