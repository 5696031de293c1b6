"""Interactive shells on hosts behind a bastion: itemised, held, recorded, and honest about a lost connection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.actions.ssh import SshTransport
from cockpit.config import load as load_settings
from cockpit.ssh.connections import connections_of
from cockpit.ssh.pool import Pool
from cockpit.targets import Environment
from cockpit.term.size import Size
from tests.helpers.shells import typing_at
from tests.helpers.ssh_lab import SshLab, ssh_lab
from tests.live.servers import program


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    """A lab whose targets' account has one of the shells."""
    program("sshd", "openssh-server")
    shell = program(request.param, request.param)
    folder = tmp_path_factory.mktemp("lab")
    home = folder / "home"
    home.mkdir()
    with ssh_lab(folder, target=f"SetEnv SHELL={shell} HOME={home} XDG_DATA_HOME={home}/data") as running:
        yield running


@pytest.fixture
def transport(lab: SshLab, tmp_path: Path) -> SshTransport:
    file = tmp_path / "cockpit.toml"
    file.write_text(
        f'[ssh]\nconfig = "{lab.config}"\n[[targets]]\nname = "one"\nenvironment = "production"\n'
    )
    return SshTransport(connections_of(load_settings(str(file))))


async def test_a_shell_on_a_host_is_itemised_and_held(
    lab: SshLab, transport: SshTransport, tmp_path: Path
) -> None:
    home = lab.folder / "home"
    (home / "keep").mkdir(exist_ok=True)
    try:
        async with typing_at(
            "", tmp_path, transport=transport, target="one", environment=Environment.PRODUCTION
        ) as typist:
            await typist.prompt()
            await typist.run(f"cd {home}; echo o''ne")
            typist.session.resize(Size(90, 20))
            await typist.run("stty size")
            await typist.shows("20 90")
            typist.type("rm -rf keep\r")
            await typist.until(lambda: typist.session.held, "the line being held")
            assert (home / "keep").exists()
            typist.session.answer(True)
            await typist.until(lambda: not (home / "keep").exists())
            items = await typist.settled(3)
            assert [each.target for each in items] == ["one"] * 3
            assert [each.cwd for each in items][1:] == [str(home)] * 2
            typist.type("exit\r")
            await typist.ended()
            assert (await typist.log.show(typist.session.action)).state == "done"
            assert b"one\r\n" in typist.recorded()
            assert not list(home.rglob("*cockpit*"))
    finally:
        await transport.connections.close()


async def test_a_lost_connection_is_told_as_such(
    lab: SshLab, transport: SshTransport, tmp_path: Path
) -> None:
    try:
        async with typing_at("", tmp_path, transport=transport, target="one") as typist:
            await typist.prompt()
            typist.type("sleep 300\r")
            await typist.until(lambda: typist.session.running)
            await transport.connections.on_loop(cut)
            outcome = await typist.session.wait()
            assert outcome.unknown
            shell = await typist.log.show(typist.session.action)
            [item] = await typist.settled(1)
            assert {shell.state, item.state} == {"unknown-outcome"}
    finally:
        await transport.connections.close()


async def cut(pool: Pool) -> None:
    """Cut the connection as a network does."""
    hop = await pool.hop("one")
    (await hop.connected()).abort()


async def test_a_host_that_starts_only_its_own_shell(
    lab: SshLab, transport: SshTransport, tmp_path: Path
) -> None:
    try:
        async with typing_at("", tmp_path, transport=transport, target="one", integrated=False) as typist:
            assert not typist.session.itemised and typist.session.why_not
            typist.type("echo o''ne\r")
            await typist.shows("one\r\n")
            typist.session.close()
            await typist.ended()
            assert (await typist.log.show(typist.session.action)).state in {"cancelled", "unknown-outcome"}
    finally:
        await transport.connections.close()
