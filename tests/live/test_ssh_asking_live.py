"""The command line asks at its terminal, records what became of a host key, and keeps no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.actionlog.log import FILE
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action
from tests.helpers.asking_terminal import Terminal
from tests.helpers.cockpit_cli import cockpit
from tests.helpers.sshd import Sshd, run, sshd

PHRASE = "swordfish 0815"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        server.key("other")
        server.key("locked", "rsa", PHRASE, "-m", "PEM")
        (server.folder / "authorized").write_text(f"{server.public('locked')}\n")
        server.start()
        (server.folder / "ssh_config").write_text(
            f"Host web-1\n  HostName 127.0.0.1\n  Port {server.port}\n  User {server.config().user}\n"
            f"  IdentityFile {server.path('locked')}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {server.path('known_hosts')}\n  GlobalKnownHostsFile /dev/null\n"
        )
        yield server


def recorded(data_dir: Path) -> list[Action]:
    """Return the actions, oldest first."""
    reader = ActionReader(data_dir / FILE)
    listed = list(reader.list(limit=20))
    reader.close()
    return listed[::-1]


def test_a_key_and_a_passphrase_are_asked_for_and_nothing_keeps_the_phrase(
    server: Sshd, tmp_path: Path
) -> None:
    server.know()
    data_dir = tmp_path / "data"
    at = Terminal(server.folder / "ssh_config", data_dir, "echo", "it is", "done")
    at.until("anything else is no)")
    printed = run("ssh-keygen", "-lvf", server.path("host_ed25519.pub")).split()[1]
    assert printed in at.shown and "+--[ED25519 256]--+" in at.shown
    at.type("yes")
    at.until(f"Enter passphrase for key '{server.path('locked')}':")
    at.type("wrong one")
    at.until("(attempt 2)")
    at.type(PHRASE)
    at.until("it is done")
    assert at.ended() == 0
    assert PHRASE not in at.shown and "wrong one" not in at.shown
    assert server.public("host_ed25519") in (server.folder / "known_hosts").read_text()
    command, key = recorded(data_dir)
    assert (command.argv, command.state) == (("echo", "it is", "done"), "done")
    assert key.argv == ("known_hosts", "add", server.address, printed)
    assert (key.kind, key.state, key.target) == ("host-key", "done", "web-1")
    for path in data_dir.rglob("*"):
        if path.is_file():
            assert PHRASE.encode() not in path.read_bytes()


@pytest.mark.parametrize("answer", ["y", ""])
def test_anything_else_than_yes_is_no(server: Sshd, tmp_path: Path, answer: str) -> None:
    known = server.know()
    at = Terminal(server.folder / "ssh_config", tmp_path / "data", "true")
    at.until("anything else is no)")
    at.type(answer)
    assert at.ended() == 1
    assert "is not known, and was not accepted" in at.shown and known.read_text() == ""
    _, key = recorded(tmp_path / "data")
    assert (key.argv[1], key.state) == ("refuse", "denied")


def test_ctrl_c_leaves_the_question_and_the_terminal_as_it_was(server: Sshd, tmp_path: Path) -> None:
    server.know(f"{server.address} {server.public('host_ed25519')}")
    at = Terminal(server.folder / "ssh_config", tmp_path / "data", "true")
    at.until("Enter passphrase")
    at.type("\x03")
    assert at.ended() == 130
    (action,) = recorded(tmp_path / "data")
    assert action.state in {"cancelled", "unknown-outcome"}


def test_without_a_terminal_it_says_so(server: Sshd, tmp_path: Path) -> None:
    server.know(f"{server.address} {server.public('host_ed25519')}")
    config = tmp_path / "cockpit.toml"
    config.write_text(f'[ssh]\nconfig = "{server.path("ssh_config")}"\n')
    done = cockpit(
        tmp_path / "data",
        "run",
        "--config",
        str(config),
        "--target",
        "web-1",
        "--",
        "true",
        prefix=("setsid", "-w"),
    )
    assert done.returncode == 1
    assert b"there is no terminal to ask at" in done.stderr
    assert (
        b"permission denied" in done.stderr and b"its passphrase was asked for and not given" in done.stderr
    )


def test_a_changed_key_is_refused_and_recorded(server: Sshd, tmp_path: Path) -> None:
    server.know(f"{server.address} {server.public('other')}")
    at = Terminal(server.folder / "ssh_config", tmp_path / "data", "true")
    assert at.ended() == 1
    assert "THE KEY OF THIS HOST HAS CHANGED" in re.sub(r"\s+", " ", at.shown)
    _, key = recorded(tmp_path / "data")
    assert (key.argv[1], key.state, key.decision) == ("refuse", "denied", "deny")
