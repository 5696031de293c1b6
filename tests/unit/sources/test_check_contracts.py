"""The check sources keep the contract of a source, and load nothing heavy before they look."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cockpit.source import Source
from cockpit.testing import check_source
from sources.dns_check import DnsCheck, DnsCheckSource, DnsOptions
from sources.http_check import HttpCheck, HttpCheckSource, HttpOptions
from sources.tcp_check import TcpCheckSource, TcpOptions
from tests.helpers.dns_server import Zone, dns_server
from tests.helpers.http_server import Said, http_server
from tests.helpers.tcp_server import free_port


def web(url: str) -> Source[HttpOptions]:
    return HttpCheckSource("web", HttpOptions(interval=0.2, checks=(url, HttpCheck(url=url, matches="o."))))


def ports(address: str) -> Source[TcpOptions]:
    return TcpCheckSource("ports", TcpOptions(interval=0.2, checks=(address,)))


def names(server: str) -> Source[DnsOptions]:
    checks = ("www.example", DnsCheck(name="www.example", transport="tcp"))
    return DnsCheckSource("names", DnsOptions(interval=0.2, timeout=0.3, checks=checks, servers=(server,)))


async def test_checks_that_reach_something_keep_the_contract() -> None:
    async with http_server(lambda asked: Said(200, b"ok")) as url:
        assert (await check_source(lambda: web(url), seconds=0.5)).signals >= 2
        port = url.rsplit(":", 1)[1]
        assert (await check_source(lambda: ports(f"127.0.0.1:{port}"), seconds=0.5)).signals >= 1
    async with dns_server(Zone("www.example. 60 IN A 192.0.2.1")) as server:
        assert (await check_source(lambda: names(server), seconds=0.5)).signals >= 2


async def test_checks_that_reach_nothing_keep_the_contract() -> None:
    dead = f"127.0.0.1:{free_port()}"
    await check_source(lambda: web(f"http://{dead}/"), reachable=False, seconds=0.5)
    await check_source(lambda: ports(dead), reachable=False, seconds=0.5)
    await check_source(lambda: names(dead), reachable=False, seconds=0.5)


@pytest.mark.parametrize(
    "module", ["http_check", "tcp_check", "dns_check", "jaeger", "zipkin", "victorialogs"]
)
def test_loading_a_source_loads_nothing_heavy(module: str) -> None:
    program = (
        f"import sys, sources.{module}\n"
        "heavy = {'httpx', 'h11', 'dns', 'cryptography', 'textual', 'google', 'numpy'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or None)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
