from __future__ import annotations

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from cockpit import config
from cockpit.cli import main
from cockpit.config import template
from cockpit.discovery import PROBES, Probe, discover
from cockpit.signals import Signal
from cockpit.targets import Environment
from sources.otlp import OtlpOptions, OtlpSource
from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.tcp_server import free_port, tcp_server


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COCKPIT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def test_it_writes_where_the_cockpit_will_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    file = tmp_path / "config/cockpit/cockpit.toml"
    out, err = capsys.readouterr()
    assert out == ""
    assert f"wrote {file}" in err
    assert "cockpit doctor" in err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = config.load()
    assert found.file == file
    assert (found.targets[0].name, found.targets[0].environment) == ("local", Environment.DEVELOPMENT)


def test_it_never_replaces_a_file_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text("mine")
    assert main(["init", "--config", "c.toml"]) == 2
    assert "c.toml: there is such a file already (--force replaces it" in capsys.readouterr().err
    assert (tmp_path / "c.toml").read_text() == "mine"
    assert main(["init", "--config", "c.toml", "--force"]) == 0
    assert "[[targets]]" in (tmp_path / "c.toml").read_text()


def test_it_prints_instead(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--stdout"]) == 0
    assert "[[targets]]" in capsys.readouterr().out
    assert not (tmp_path / "config").exists()


def test_a_place_that_can_not_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["init", "--config", "file/c.toml"]) == 2
    assert "file/c.toml: can't be written: " in capsys.readouterr().err


class Nobody:
    """An `Emit` that lets all go by."""

    async def __call__(self, batch: Sequence[Signal]) -> None:
        pass

    async def replace(self, signal_type: type, batch: Sequence[Signal]) -> None:
        pass


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_services_are_told_by_what_they_answer() -> None:
    def answer(asked: Asked) -> Said:
        return Said(body=b"x" * 100_000 + b"the_mark" if asked.path == "/there" else b"nothing")

    async with http_server(answer) as url:
        port = port_of(url)
        probes = [
            Probe(kind="a", what="A", port=port, path="/there", mark=b"the_mark", page="/metrics"),
            Probe(kind="b", what="B", port=port, path="/other", mark=b"the_mark"),
            Probe(kind="c", what="C", port=free_port(), mark=b"x"),
        ]
        found = await discover(probes)
    assert [(service.kind, service.url) for service in found.services] == [
        ("a", f"http://127.0.0.1:{port}/metrics")
    ]
    assert not found.otlp_port_taken


async def test_a_port_that_is_silent_garbled_or_endless_costs_a_bounded_time() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"\xff\x00" * 32768)
                await writer.drain()
        except ConnectionError:
            pass

    async with tcp_server(silent) as quiet, tcp_server(endless) as loud:
        probes = [
            Probe(kind="a", what="A", port=quiet, mark=b"mark"),
            Probe(kind="b", what="B", port=loud, mark=b"mark"),
            Probe(kind="otlp", what="O", port=quiet, path=""),
        ]
        started = asyncio.get_running_loop().time()
        found = await discover(probes, timeout=0.3)
        assert asyncio.get_running_loop().time() - started < 2
    assert found.services == ()
    assert found.otlp_port_taken


async def test_a_cockpit_on_the_port_leaves_it_to_the_cockpit() -> None:
    source = OtlpSource("otlp", OtlpOptions(port=0, grpc=False))
    task = asyncio.create_task(source.run(Nobody()))
    try:
        while not source.ports:
            await asyncio.sleep(0.01)
        (probe,) = (probe for probe in PROBES if probe.kind == "otlp")
        found = await discover([replace(probe, port=source.ports["HTTP"])], timeout=5)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not found.otlp_port_taken
    assert "14318" not in template.render(found)
