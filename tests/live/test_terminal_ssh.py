"""A terminal on a host, over real sshd behind a real bastion."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from cockpit.actions.transport import Outcome
from cockpit.config.settings import Settings, SshSettings
from cockpit.ssh.connections import Connections, connections_of
from cockpit.term.bittty_emulator import BitttyEmulator
from cockpit.term.cable import SshCable
from cockpit.term.feeding import feed
from cockpit.term.size import Size
from tests.helpers.ssh_lab import SSHD, ssh_lab
from tests.helpers.terminals import text

pytestmark = pytest.mark.skipif(not SSHD, reason="sshd is not installed (Debian package openssh-server)")
SIZE = Size(90, 20)


@pytest.fixture
async def connections(tmp_path: Path) -> AsyncIterator[Connections]:
    folder = tmp_path / "lab"
    folder.mkdir()
    with ssh_lab(folder) as lab:
        made = connections_of(replace(Settings(), ssh=SshSettings(config=str(lab.config))))
        try:
            yield made
        finally:
            await made.close()


async def test_a_shell_on_a_host(connections: Connections) -> None:
    cable = SshCable(await connections.start("one", "sh -i", terminal=SIZE, stdin=True))
    emulator = BitttyEmulator(SIZE)
    feeding = asyncio.create_task(feed(cable, emulator))

    async def says(wanted: str) -> None:
        async with asyncio.timeout(10):
            while wanted not in text(emulator):
                await asyncio.sleep(0.02)

    cable.write(b"stty size; echo $TERM; tty\r")
    await says("20 90")
    await says("xterm-256color")
    await says("/dev/pts/")
    cable.resize(Size(100, 30))
    cable.write(b"stty size\r")
    await says("30 100")
    cable.write(b"exit 4\r")
    await asyncio.wait_for(feeding, 10)
    assert await cable.wait() == Outcome(exit_status=4)
    cable.close()


@pytest.mark.alone
async def test_ctrl_c_ends_a_flood_at_once(connections: Connections) -> None:
    cable = SshCable(await connections.start("one", "sh -i", terminal=SIZE, stdin=True))
    emulator = BitttyEmulator(SIZE)
    feeding = asyncio.create_task(feed(cable, emulator))
    cable.write(b"yes\r")
    await asyncio.sleep(1)
    began = time.monotonic()
    cable.write(b"\x03")
    await asyncio.sleep(0.1)
    cable.write(b"echo quiet-$((1+1))\r")
    async with asyncio.timeout(10):
        while "quiet-2" not in text(emulator):
            await asyncio.sleep(0.02)
    assert time.monotonic() - began < 2
    assert emulator.scrollback.end > 50_000
    cable.close()
    await asyncio.wait_for(feeding, 10)
