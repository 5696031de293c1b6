"""What the tests of sources that look at hosts share: a lab whose targets do as they are told, and waiting."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from cockpit.config.settings import Settings, SshSettings
from cockpit.source import Emit, Source
from cockpit.ssh.connections import Connections, connections_of
from tests.helpers.ssh_lab import SshLab, ssh_lab
from tests.live.servers import program

WELL = 'eval "$SSH_ORIGINAL_COMMAND"\n'


@contextlib.contextmanager
def host_lab(folder: Path) -> Iterator[SshLab]:
    """Hold a lab whose second target does what `two_does` says, and whose first what it is asked."""
    program("sshd", "openssh-server")
    (folder / "force").write_text(WELL)
    with ssh_lab(folder, target=f"ForceCommand . {folder}/force") as lab:
        yield lab


def two_does(lab: SshLab, what: str = WELL) -> None:
    """Have the second target do something else than it is asked."""
    address, port = lab.target_ports["two"]
    (lab.folder / "force").write_text(
        f'case "$SSH_CONNECTION" in *" {address} {port}") {what};; *) {WELL};; esac\n'
    )


def connections_to(lab: SshLab) -> Connections:
    return connections_of(Settings(ssh=SshSettings(config=str(lab.config))))


@contextlib.asynccontextmanager
async def running(source: Source[Any], emit: Emit) -> AsyncIterator[None]:
    """Let a source run for the length of a block, in which it must not end."""
    task = asyncio.create_task(source.run(emit))
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], object], *, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not come true"
        await asyncio.sleep(0.03)
