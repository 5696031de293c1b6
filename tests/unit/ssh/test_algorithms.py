"""Lists of algorithms as ssh_config has them."""

from __future__ import annotations

import pytest
from asyncssh.public_key import get_certificate_algs, get_public_key_algs

from cockpit.ssh.algorithms import DEFAULT, PLAIN, certified, chosen

ABLE = (*get_public_key_algs(), *get_certificate_algs())


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ((), ["ssh-ed25519", "rsa-sha2-512"]),
        (("rsa-sha2-512", "ssh-rsa", "nonsense"), ["rsa-sha2-512", "ssh-rsa"]),
        (("+ssh-rsa",), ["ssh-ed25519", "rsa-sha2-512", "ssh-rsa"]),
        (("-rsa-*",), ["ssh-ed25519"]),
        (("^rsa-sha2-512", "ssh-rsa"), ["rsa-sha2-512", "ssh-rsa", "ssh-ed25519"]),
        (("ssh-*",), ["ssh-rsa", "ssh-ed25519"]),
    ],
)
def test_a_list_stands_for_itself_or_changes_the_default(said: tuple[str, ...], wanted: list[str]) -> None:
    able = [b"ssh-rsa", b"rsa-sha2-512", b"ssh-ed25519"]
    assert chosen(said, able, ["ssh-ed25519", "rsa-sha2-512"]) == wanted


def test_asyncssh_can_do_all_that_counts_by_default() -> None:
    able = {name.decode() for name in ABLE}
    assert able.issuperset(PLAIN)
    assert able.issuperset(map(certified, set(PLAIN) - {"rsa-sha2-256", "rsa-sha2-512"}))
    assert "ssh-rsa" not in chosen((), ABLE) and set(PLAIN) <= set(DEFAULT)
