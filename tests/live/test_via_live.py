"""Sources through a real bastion, to real servers that only it reaches."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.config.settings import Settings, SshSettings
from cockpit.errors import Unreachable
from cockpit.remote import Carrier
from cockpit.signals import HealthState
from cockpit.source import Source
from cockpit.ssh.connections import Connections, connections_of
from sources.alertmanager import AlertmanagerOptions, AlertmanagerSource
from sources.exposition import ExpositionOptions, ExpositionSource
from sources.http_check import HttpCheck, HttpCheckSource, HttpOptions
from sources.prometheus import PrometheusOptions, PrometheusSource
from sources.tcp_check import TcpCheck, TcpCheckSource, TcpOptions
from tests.helpers.certs import Authority
from tests.helpers.emits import Kept
from tests.helpers.ssh_lab import SshLab, ssh_lab
from tests.live.collect import Closing, Collected, poll_until
from tests.live.servers import Alertmanager, NodeExporter, Prometheus, program


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    program("sshd", "openssh-server")
    with ssh_lab(tmp_path_factory.mktemp("lab")) as lab:
        if not lab.isolated:
            pytest.skip("no network namespace can be made here, so nothing is behind the bastion alone")
        yield lab


@pytest.fixture(scope="module")
def exporter(lab: SshLab) -> Iterator[NodeExporter]:
    with NodeExporter().behind(lab) as server:
        yield server


@pytest.fixture
async def connections(lab: SshLab) -> AsyncIterator[Connections]:
    made = connections_of(Settings(ssh=SshSettings(config=str(lab.config))))
    yield made
    await made.close()


def carry(source: Source[Any], connections: Connections, via: str = "bastion") -> None:
    source.remote = Carrier(connections, via)


async def test_prometheus_and_alertmanager_are_read_through_the_bastion(
    lab: SshLab, exporter: NodeExporter, connections: Connections, closing: Closing
) -> None:
    with Prometheus(scrape={"node": [exporter.address]}).behind(lab) as prometheus:
        source = closing(PrometheusSource("prom", PrometheusOptions(url=prometheus.url)))
        with pytest.raises(Unreachable, match="connection refused"):
            await source.check()
        await source.aclose()
        carry(source, connections)
        assert "Prometheus" in await source.check()
        seen = Collected()
        await poll_until(
            source,
            seen,
            lambda: any(
                exporter.address in subject and row.state is HealthState.OK
                for subject, row in seen.health.items()
            ),
        )
    with Alertmanager().behind(lab) as alertmanager:
        alerts = closing(AlertmanagerSource("am", AlertmanagerOptions(url=alertmanager.url)))
        carry(alerts, connections)
        await alerts.poll(seen)
        assert seen.alerts == []
    [bastion] = connections.hops()
    assert bastion.name == "bastion", "one connection carries both"


async def test_requests_of_one_source_share_a_channel(
    lab: SshLab, exporter: NodeExporter, connections: Connections, closing: Closing
) -> None:
    source = closing(ExpositionSource("node", ExpositionOptions(url=exporter.url)))
    dialled: list[tuple[str, int]] = []

    class Counting(Carrier):
        async def dial(self, host: str, port: int) -> Any:
            dialled.append((host, port))
            return await super().dial(host, port)

    source.remote = Counting(connections, "bastion")
    kept = Kept()
    for _ in range(5):
        await source.poll(kept)
    assert kept.health
    assert dialled == [("127.0.0.1", exporter.port)]


async def test_a_proxy_of_the_environment_is_left_aside(
    lab: SshLab,
    exporter: NodeExporter,
    connections: Connections,
    closing: Closing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    source = closing(ExpositionSource("node", ExpositionOptions(url=f"http://localhost:{exporter.port}")))
    carry(source, connections)
    await source.poll(Kept())


async def test_checks_tell_the_phase_through_the_bastion(
    lab: SshLab, exporter: NodeExporter, connections: Connections
) -> None:
    tcp = TcpCheckSource("tcp", TcpOptions(checks=(exporter.address, "127.0.0.1:1")))
    web = HttpCheckSource("web", HttpOptions(checks=(f"{exporter.url}/metrics",)))
    for source in (tcp, web):
        carry(source, connections)
    kept = Kept()
    await tcp.poll(kept)
    await web.poll(kept)
    rows = {row.subject: row for row in kept.health}
    for subject in (exporter.address, f"{exporter.url}/metrics"):
        assert rows[subject].state is HealthState.OK, rows[subject].reason
        assert "ssh s" in rows[subject].details and "dns s" not in rows[subject].details
        assert rows[subject].details["address"] == "127.0.0.1 through bastion"
    closed = rows["127.0.0.1:1"]
    assert closed.state is HealthState.DOWN
    assert "not reached through bastion" in closed.reason and "listens" in closed.reason


async def test_the_hop_that_failed_is_named(
    lab: SshLab, exporter: NodeExporter, connections: Connections, closing: Closing
) -> None:
    source = closing(ExpositionSource("node", ExpositionOptions(url=exporter.url)))
    carry(source, connections, "no-such-bastion.invalid")
    with pytest.raises(Unreachable, match=r"not reached through no-such-bastion\.invalid: no-such-bastion"):
        await source.check()
    check = TcpCheckSource("tcp", TcpOptions(checks=(exporter.address,)))
    carry(check, connections, "no-such-bastion.invalid")
    kept = Kept()
    await check.poll(kept)
    assert "no-such-bastion.invalid" in kept.health[0].reason


async def test_tls_is_spoken_end_to_end(
    lab: SshLab, connections: Connections, closing: Closing, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    pem = authority.issue("metrics.example", "127.0.0.1")
    config = f"tls_server_config:\n  cert_file: {pem}\n  key_file: {pem}\n"
    with Prometheus(web_config=config).behind(lab) as server:
        good = closing(
            PrometheusSource("good", PrometheusOptions(url=server.url, ca_file=str(authority.ca_file)))
        )
        bad = closing(PrometheusSource("bad", PrometheusOptions(url=server.url)))
        checks = (
            HttpCheck(url=f"{server.url}/-/ready", ca_file=str(authority.ca_file)),
            HttpCheck(url=f"{server.url}/-/healthy"),
        )
        web = HttpCheckSource("web", HttpOptions(checks=checks))
        port = TcpCheckSource(
            "port",
            TcpOptions(
                checks=(
                    TcpCheck(
                        address=server.address,
                        tls=True,
                        server_name="metrics.example",
                        ca_file=str(authority.ca_file),
                    ),
                )
            ),
        )
        for source in (good, bad, web, port):
            carry(source, connections)
        assert "Prometheus" in await good.check()
        with pytest.raises(Unreachable, match="certificate does not verify"):
            await bad.check()
        kept = Kept()
        await web.poll(kept)
        await port.poll(kept)
        trusted, untrusted, tls = (
            next(row for row in kept.health if subject in row.subject)
            for subject in ("ready", "healthy", server.address)
        )
        assert trusted.state is HealthState.OK and "tls s" in trusted.details
        assert untrusted.state is HealthState.DOWN and "unknown issuer" in untrusted.reason
        assert untrusted.details["certificate names"] == "metrics.example, 127.0.0.1"
        ready = next(row for row in kept.health if row.subject == server.address)
        assert ready.state is HealthState.OK and tls.details["tls version"]


def test_doctor_and_snapshot_go_through_it(lab: SshLab, exporter: NodeExporter, tmp_path: Path) -> None:
    file = tmp_path / "cockpit.toml"
    file.write_text(
        f'default_sources = false\n[ssh]\nconfig = "{lab.config}"\n'
        f'[[sources]]\nname = "node"\nkind = "exposition"\nurl = "{exporter.url}"\nvia = "bastion"\n'
        f'[[sources]]\nname = "port"\nkind = "tcp"\nchecks = ["{exporter.address}"]\nvia = "bastion"\n'
    )

    def cockpit(*argv: str) -> Any:
        command = [sys.executable, "-m", "cockpit", "--config", str(file), "--data-dir", str(tmp_path), *argv]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert done.stdout, done.stderr
        return msgspec.json.decode(done.stdout)

    found = {one["name"]: one for one in cockpit("doctor", "--json", "node", "port")}
    assert found["node"]["state"] == found["port"]["state"] == "ok", found
    seen = cockpit("snapshot", "--for", "3", "--json")
    assert {one["name"]: one["state"] for one in seen["sources"] if one["kind"] != "rules"} == {
        "node": "live",
        "port": "live",
    }
    assert any(exporter.address in row["subject"] for row in seen["health"])
