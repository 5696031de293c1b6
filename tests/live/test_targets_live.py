"""Targets on real servers: reached by what their rules and inventories say, and listed by the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.config.settings import Settings, SshSettings
from cockpit.errors import UsageError
from cockpit.inventory.inventories import known_targets
from cockpit.inventory.settings import InventoryTable
from cockpit.ssh.connections import Connections, connections_of
from cockpit.ssh.finding import Finder
from cockpit.targets import Host, TargetRule, Targets
from tests.helpers.cockpit_cli import cockpit
from tests.helpers.ssh_lab import SSHD, USER, SshLab, ssh_lab
from tests.live.servers import program

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    program("sshd", "openssh-server")
    assert SSHD
    with ssh_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


async def said(connections: Connections, host: str, line: str) -> str:
    program = await connections.start(host, line)
    out = b"".join([piece async for number, piece in program.pieces() if number == 1])
    await program.wait()
    return out.decode()


async def test_a_host_that_only_an_inventory_knows_is_reached_through_its_via(
    lab: SshLab, tmp_path: Path
) -> None:
    """ssh_config has its keys, the inventory address and port, the rules the user and the bastion's address."""
    address, port = lab.target_ports["one"]
    plain = tmp_path / "config"
    plain.write_text(
        lab.config.read_text()[lab.config.read_text().index("Host *") :].replace(f"User {USER}", "")
    )
    (tmp_path / "hosts.ini").write_text(f"[db]\ndb-1 ansible_host={address} ansible_port={port}\n")
    settings = Settings(
        ssh=SshSettings(config=str(plain)),
        targets=(
            TargetRule(name="jump", host="127.0.0.1", port=lab.port, user=USER),
            TargetRule(name="@db", user=USER, via="jump"),
        ),
        inventories=(InventoryTable(kind="ansible", path=str(tmp_path / "hosts.ini")),),
    )
    targets, _ = await known_targets(settings)
    connections = connections_of(settings, targets=targets)
    try:
        assert (await said(connections, "db-1", "echo $SSH_CONNECTION")).split()[2:] == [address, str(port)]
        assert [hop.name for hop in connections.hops()] == ["jump", "db-1"]
    finally:
        await connections.close()


async def test_the_agent_goes_along_only_where_a_rule_lets_it(lab: SshLab, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(f"ForwardAgent yes\n{lab.config.read_text()}")
    settings = Settings(
        ssh=SshSettings(config=str(config)), targets=(TargetRule(name="two", forward_agent=True),)
    )
    find = Finder(settings)
    assert [hop.forward_agent for hop in await find("one")] == ["", ""]
    assert [hop.forward_agent for hop in await find("two")] == ["", "yes"]


async def test_a_way_that_never_ends_is_refused(lab: SshLab) -> None:
    settings = Settings(ssh=SshSettings(config=str(lab.config)))
    targets = Targets((TargetRule(name="a", via="b"), TargetRule(name="b", via="c")))
    targets.learn((Host(name="c", via="a"),))
    with pytest.raises(UsageError, match="the way never ends: a <- b <- c <- a"):
        await Finder(settings, targets)("a")


def test_the_command_line_lists_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text("[web]\nweb[1:2] ansible_user=www\n[db]\ndb-1\n")
    (tmp_path / "c.toml").write_text(
        '[[targets]]\nname = "db-*"\nenvironment = "staging"\nvia = "b"\n'
        '[[inventories]]\nkind = "ansible"\npath = "hosts.ini"\n'
        '[[inventories]]\nkind = "ssh_config"\nenabled = false\n'
    )
    data, config = tmp_path / "data", ("--config", str(tmp_path / "c.toml"))
    told = json.loads(cockpit(data, "targets", "--json", *config).stdout)
    assert [(each["name"], each["environment"], each["user"], each["via"]) for each in told["targets"]] == [
        ("local", "production", "", ""), ("db-1", "staging", "", "b"), ("web1", "production", "www", ""),
        ("web2", "production", "www", ""),
    ]  # fmt: skip
    assert told["groups"]["web"] == ["web1", "web2"] and len(told["groups"]["all"]) == 3
    lines = cockpit(data, "targets", *config, "@web").stdout.decode().splitlines()
    assert lines[0].split() == ["TARGET", "ENVIRONMENT", "GROUPS", "VIA", "ADDRESS", "KNOWN", "FROM"]
    assert [line.split()[0] for line in lines[1:]] == ["web1", "web2"] and "www@web1" in lines[1]
    assert cockpit(data, "targets", *config, "--groups").stdout.decode().split()[:2] == ["@all", "3"]
    wrong = cockpit(data, "targets", *config, "@wbe")
    assert wrong.returncode == 2 and b"did you mean @web?" in wrong.stderr
    (tmp_path / "hosts.ini").write_text("[web\n")
    broken = cockpit(data, "targets", *config)
    assert (
        broken.returncode == 1
        and b"warning: inventory ansible: " in broken.stderr
        and b"line 1" in broken.stderr
    )
    checked = json.loads(cockpit(data, "check", *config, "--target", "db-9", "--", "rm", "x").stdout)
    assert (checked["environment"], checked["target"]) == ("staging", "db-9")
