"""`cockpit init` and `cockpit doctor` against real servers: what one finds and writes, the other finds to work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from cockpit import config, registry
from cockpit.checkup import Checkup
from cockpit.config import template
from cockpit.discovery import PROBES, Discovered, Probe, discover
from tests.live.servers import Alertmanager, Blackbox, NodeExporter, Prometheus, Server

SERVERS: dict[str, type[Server]] = {
    "Prometheus": Prometheus,
    "Alertmanager": Alertmanager,
    "node_exporter": NodeExporter,
    "blackbox_exporter": Blackbox,
}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        yield {what: stack.enter_context(server()) for what, server in SERVERS.items()}


def probes(servers: dict[str, Server]) -> list[Probe]:
    """Return the probes of those servers, pointed at the ports they have here."""
    return [replace(probe, port=servers[probe.what].port) for probe in PROBES if probe.what in servers]


@pytest.fixture
def found(servers: dict[str, Server]) -> Discovered:
    return asyncio.run(discover(probes(servers), timeout=5))


def test_each_server_is_told_from_the_others(servers: dict[str, Server], found: Discovered) -> None:
    assert {service.what for service in found.services} == set(SERVERS)
    crossed = [
        replace(probe, port=server.port)
        for probe in PROBES
        for what, server in servers.items()
        if probe.path and probe.what != what
    ]
    assert asyncio.run(discover(crossed, timeout=5)).services == ()


def test_what_init_writes_doctor_finds_to_work(found: Discovered, tmp_path: Path) -> None:
    file = tmp_path / "cockpit.toml"
    file.write_text("default_sources = false\n" + template.render(found))
    settings = config.load(str(file))
    plugins, _ = registry.load_all({service.kind for service in found.services})
    findings = {finding.name: finding for finding in Checkup(settings, tmp_path / "data", timeout=10).run()}
    working = [finding for finding in findings.values() if finding.kind in plugins]
    assert {"prometheus", "alertmanager"} <= {finding.kind for finding in working}
    assert [(finding.name, finding.state, finding.error) for finding in working] == [
        (finding.name, "ok", "") for finding in working
    ]
    assert all(finding.latency_ms > 0 and finding.detail for finding in working)


def test_a_server_that_is_gone_is_said_with_what_to_do(servers: dict[str, Server], tmp_path: Path) -> None:
    gone = servers["Prometheus"]
    gone.stop()
    try:
        (tmp_path / "c.toml").write_text(
            f'default_sources = false\n[[sources]]\nname = "prom"\nkind = "prometheus"\nurl = "{gone.url}"\n'
        )
        checkup = Checkup(config.load(str(tmp_path / "c.toml")), tmp_path / "data", timeout=10)
        (finding,) = checkup.run(["prom"])
    finally:
        gone.start()
    assert finding.state == "failed"
    assert "refused" in finding.error
    assert finding.hint
