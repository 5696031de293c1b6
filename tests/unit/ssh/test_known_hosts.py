"""known_hosts files, and pictures of keys, against what OpenSSH's own ssh-keygen says of the same."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import asyncssh
import pytest

from cockpit.ssh.known_hosts import add, address_of, entries, hashed, names
from cockpit.ssh.randomart import randomart

KEYGEN = shutil.which("ssh-keygen")
needs_keygen = pytest.mark.skipif(
    KEYGEN is None, reason="ssh-keygen is not installed (Debian package openssh-client)"
)
KEY = asyncssh.generate_private_key("ssh-ed25519").convert_to_public()
PUBLIC = KEY.export_public_key().decode().strip()
WORDS = [
    "web-1",
    "web-1,10.0.0.1",
    "WEB-1",
    "web-?",
    "web-*,!web-1",
    "!web-1,web-*",
    "*.example.com",
    "*",
    "[web-1]:2222",
    "[web-*]:2222",
    "*:2222",
    "10.0.0.0/8",
    "web-1*",
    "!web-2,*",
    "[::1]:2222",
    "we[b]-1",
]
HOSTS = [
    ("web-1", 22),
    ("web-1", 2222),
    ("a.example.com", 22),
    ("10.0.0.1", 22),
    ("::1", 2222),
    ("web-2", 22),
]


def found_by_openssh(file: Path, name: str) -> list[int]:
    assert KEYGEN is not None
    done = subprocess.run([KEYGEN, "-F", name, "-f", str(file)], check=False, capture_output=True, text=True)
    found = re.findall(r"^# Host .* found: line (\d+)", done.stdout, re.MULTILINE)
    return [int(number) for number in found]


@needs_keygen
@pytest.mark.parametrize(("host", "port"), HOSTS)
def test_the_same_lines_speak_of_a_host_as_for_openssh(tmp_path: Path, host: str, port: int) -> None:
    file, name = tmp_path / "known", address_of(host, port)
    hidden = [hashed(address_of(each, at)) for each, at in HOSTS]
    marked = [f"@revoked {name}", f"@cert-authority {name}", f"@nonsense {name}", f"# {name}", ""]
    file.write_text("".join(f"{words} {PUBLIC}\n" for words in [*WORDS, *hidden, *marked]))
    ours = [entry.line for entry in entries([str(file)], name)]
    assert ours == found_by_openssh(file, name)
    assert ours


def test_a_hostile_file_harms_nothing(tmp_path: Path) -> None:
    file = tmp_path / "known"
    lines = [
        b"\xff\xfe\x00",
        b"|1|x|y " + PUBLIC.encode(),
        b"|2|YQ==|YQ== a b",
        b"web-1 ssh-ed25519 AAAA",
        b"@",
    ]
    file.write_bytes(b"\n".join([*lines, b"*" * 5_000 + b"x " + PUBLIC.encode(), f"web-1 {PUBLIC}".encode()]))
    found = entries([str(tmp_path / "none"), str(file)], "web-1")
    assert [(entry.line, entry.place) for entry in found] == [(7, f"{file}:7")]


def test_one_pattern_is_not_slow() -> None:
    assert not names("*a" * 50 + "c", "a" * 200)


@pytest.mark.parametrize("hide", [False, True])
def test_a_key_is_added_to_a_new_file_for_its_owner_alone(tmp_path: Path, hide: bool) -> None:
    file = tmp_path / "new" / "known_hosts"
    add(str(file), "[web-1]:2222", KEY, hide=hide)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    (found,) = entries([str(file)], "[web-1]:2222")
    assert found.key == KEY
    assert ("web-1" in file.read_text()) is not hide


def test_a_file_without_its_last_line_feed_is_not_broken(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"web-1 {PUBLIC}")
    add(str(file), "web-2", KEY, hide=False)
    assert [entry.line for name in ("web-1", "web-2") for entry in entries([str(file)], name)] == [1, 2]
    assert file.read_text().endswith("\n")


@needs_keygen
@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_the_picture_is_the_one_that_openssh_draws(tmp_path: Path, kind: str) -> None:
    from cockpit.ssh.hostkeys import picture

    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file], check=True)
    lines = subprocess.run(
        ["ssh-keygen", "-lv", "-f", file], check=True, capture_output=True, text=True
    ).stdout
    key = asyncssh.read_public_key(f"{file}.pub")
    assert lines.splitlines()[1:] == picture(key).splitlines()
    assert key.get_fingerprint() in lines.splitlines()[0]


def test_a_title_that_is_too_long_is_cut() -> None:
    assert {len(line) for line in randomart(b"x", "A" * 40).splitlines()} == {19}
