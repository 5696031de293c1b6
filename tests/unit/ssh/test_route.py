from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.ssh.config import resolve
from cockpit.ssh.host_config import HostConfig, Jump
from cockpit.ssh.route import Route, route

CONFIG = """\
Host target
  ProxyJump me@first:7,second
Host first
  ProxyJump zeroth
Host second
  ProxyJump never
Host circle
  ProxyJump round
Host round
  ProxyJump circle
Host itself
  ProxyJump itself
Host *
  User ops
"""


def way(tmp_path: Path, host: str, *, via: str = "") -> Route:
    config = tmp_path / "config"
    config.write_text(CONFIG)

    async def resolved(jump: Jump) -> HostConfig:
        return await resolve(jump.host, files=[config], user=jump.user, port=jump.port)

    return asyncio.run(route(host, resolved, via=via))


def test_the_first_jump_s_own_configuration_counts_and_no_later_one_s(tmp_path: Path) -> None:
    found = [(hop.user, hop.hostname, hop.port) for hop in way(tmp_path, "target")]
    assert found == [("ops", "zeroth", 22), ("me", "first", 7), ("ops", "second", 22), ("ops", "target", 22)]


def test_via_goes_before_the_configuration(tmp_path: Path) -> None:
    assert [hop.hostname for hop in way(tmp_path, "target", via="first")] == ["zeroth", "first", "target"]


@pytest.mark.parametrize(
    ("host", "told"), [("circle", "circle <- round <- circle"), ("itself", "itself <- itself")]
)
def test_a_way_that_never_ends_is_told(host: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{host}: the way never ends: {told} "):
        way(tmp_path, host)
