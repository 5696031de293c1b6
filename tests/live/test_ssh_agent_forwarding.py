"""An agent goes along to a host only where that target's rule asks for it, whatever ssh_config says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.config.settings import Settings, SshSettings
from cockpit.ssh.connections import connections_of
from cockpit.ssh.quoting import quoted
from cockpit.targets import TargetRule
from tests.helpers.ssh_lab import SshLab, ssh_lab
from tests.live.servers import program

ASK = ("sh", "-c", 'test -n "$SSH_AUTH_SOCK" && exec ssh-add -l')


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshLab]:
    program("sshd", "openssh-server")
    agent = program("ssh-agent", "openssh-client")
    socket = tmp_path / "agent"
    running = subprocess.Popen([agent, "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    try:
        folder = tmp_path / "lab"
        folder.mkdir()
        with ssh_lab(folder) as started:
            config = started.config.read_text()
            started.config.write_text(f"Host *\n  ForwardAgent yes\n{config}")
            environment = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
            subprocess.run(
                ["ssh-add", "-q", str(folder / "id")], env=environment, check=True, capture_output=True
            )
            yield started
    finally:
        running.kill()
        running.wait()


async def test_only_where_the_rule_says_so(lab: SshLab) -> None:
    settings = Settings(
        ssh=SshSettings(config=str(lab.config)), targets=(TargetRule(name="two", forward_agent=True),)
    )
    connections = connections_of(settings)
    try:
        answers = {}
        for host in ("one", "two"):
            ran = await connections.start(host, quoted(ASK))
            said = b"".join([data async for number, data in ran.pieces() if number == 1])
            answers[host] = ((await ran.wait()).exit_status, b"lab-id" in said)
    finally:
        await connections.close()
    assert answers == {"one": (1, False), "two": (0, True)}
