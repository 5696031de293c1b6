"""The http and tcp checks against a real Prometheus that is killed and paused, and a real OpenSSL server."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cockpit.signals import HealthSample, HealthState
from sources.http_check import HttpCheck, HttpCheckSource, HttpOptions
from sources.support.checking import CheckSource
from sources.tcp_check import TcpCheck, TcpCheckSource, TcpOptions
from tests.helpers.certs import Authority
from tests.helpers.emits import Kept
from tests.helpers.tcp_server import free_port
from tests.live.servers import Blackbox, Prometheus, program


async def rows(source: CheckSource[Any]) -> list[HealthSample]:
    kept = Kept()
    await source.poll(kept)
    return kept.health


async def test_a_real_server_is_seen_dying_hanging_and_coming_back() -> None:
    with Prometheus() as server:
        web = HttpCheckSource(
            "web",
            HttpOptions(
                timeout=1.0,
                checks=(HttpCheck(url=f"{server.url}/-/ready", contains="Ready", matches="^Prom"),),
            ),
        )
        port = TcpCheckSource("port", TcpOptions(timeout=1.0, checks=(server.address,)))
        assert [row.state for row in (*await rows(web), *await rows(port))] == [HealthState.OK] * 2
        server.pause()
        [hung], [listening] = await rows(web), await rows(port)
        for _ in range(20):  # the signal reaches each of its threads in its own time
            if hung.state is HealthState.DOWN:
                break
            await asyncio.sleep(0.05)
            [hung] = await rows(web)
        assert hung.state is HealthState.DOWN and "no answer came within 1 s" in hung.reason
        assert (
            listening.state is HealthState.OK
        )  # the kernel still accepts, which is why an HTTP check is better
        server.resume()
        server.kill()
        [dead], [closed] = await rows(web), await rows(port)
        assert dead.state is closed.state is HealthState.DOWN
        assert "refused" in dead.reason and "refused" in closed.reason
        server.start()
        [back] = await rows(web)
        assert back.state is HealthState.OK


async def test_redirects_and_statuses_of_a_real_server() -> None:
    with Prometheus() as server, Blackbox() as other:
        options = HttpOptions(
            checks=(
                HttpCheck(url=f"{server.url}/", name="home"),
                HttpCheck(url=f"{server.url}/no-such-page", name="missing"),
                HttpCheck(
                    url=f"{server.url}/metrics", name="metrics", headers={"content-type": "text/plain"}
                ),
                HttpCheck(url=f"{other.url}/", name="exporter", contains="Blackbox"),
            )
        )
        found = {row.subject: row for row in await rows(HttpCheckSource("web", options))}
    assert found["home"].state is HealthState.OK and int(str(found["home"].details["redirects"])) >= 1
    assert found["missing"].state is HealthState.DOWN and "404" in found["missing"].reason
    assert found["metrics"].state is found["exporter"].state is HealthState.OK


@pytest.mark.parametrize(
    ("days", "state"), [(60, HealthState.OK), (10, HealthState.DEGRADED), (-1, HealthState.DOWN)]
)
async def test_a_real_openssl_server_s_certificate_is_judged(
    days: float, state: HealthState, tmp_path: Path
) -> None:
    openssl = program("openssl", "openssl")
    authority = Authority(tmp_path)
    authority.server("127.0.0.1", days=days)
    [certificate] = [file for file in tmp_path.glob("*.pem") if file.name != "ca.pem"]
    port = free_port()
    argv = [openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(certificate), "-www", "-quiet"]
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        try:
            web = HttpCheck(url=f"https://127.0.0.1:{port}/", ca_file=str(authority.ca_file), max_latency=30)
            raw = TcpCheck(address=f"127.0.0.1:{port}", tls=True, ca_file=str(authority.ca_file))
            port_source = TcpCheckSource("port", TcpOptions(checks=(raw,)))
            [tcp] = await rows(port_source)
            for _ in range(100):
                if "refused" not in tcp.reason:
                    break
                await asyncio.sleep(0.05)
                [tcp] = await rows(port_source)
            [http] = await rows(HttpCheckSource("web", HttpOptions(checks=(web,))))
        finally:
            server.kill()
    for row in (tcp, http):
        assert row.state is state, row.reason
        assert row.details["certificate days left"] == pytest.approx(days, abs=0.05)
