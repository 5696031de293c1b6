"""What an option of ssh_config takes is what it takes in the OpenSSH that is installed here."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from cockpit.errors import ConfigError, ConfigErrors
from cockpit.ssh.config import read
from cockpit.ssh.config.options import OPTIONS, Kind
from tests.live.servers import program

_WORDS = """
    yes no true FALSE ask auto autoask always none any inet force off accept-new confirm subsystem default unbound
    host-bound md5 sha256 ethernet point-to-point 5 0 -5 007 5m 1h1x a=b a:b @b u@b:7 [::1]:7 /x ${PLACE} $PLACE ~
"""
WORDS = [*_WORDS.split(), "'x y'", "x y", "yes no", "confirm 5m", "''", '"']
UNCHECKED = {
    *("casignaturealgorithms", "ciphers", "hostkeyalgorithms", "kexalgorithms", "macs"),
    *("pubkeyacceptedalgorithms", "controlpersist", "escapechar", "gssapikexalgorithms"),
    *("hostbasedacceptedalgorithms", "loglevel", "streamlocalbindmask", "syslogfacility", "tunneldevice"),
    *("dynamicforward", "localforward", "remoteforward"),
}
"""What we leave to OpenSSH to check: names of algorithms, and what we have no use for."""
NEWER = {"obscurekeystroketiming", "refuseconnection", "tag", "versionaddendum", "warnweakcrypto"}
"""Options that came after OpenSSH 9.2."""
CHECKED = [
    name
    for name, option in OPTIONS.items()
    if name not in UNCHECKED and option.kind not in (Kind.BLOCK, Kind.OBSOLETE, Kind.WORDS)
]


@pytest.mark.parametrize("name", [*CHECKED, "userknownhostsfile", "globalknownhostsfile"])
def test_an_option_takes_what_it_takes_in_openssh(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("ssh", "openssh-client")
    monkeypatch.setenv("PLACE", "/place")
    file = tmp_path / "config"
    file.write_text("".join(f"{name} {word}\n" for word in WORDS))
    theirs = subprocess.run(
        ["ssh", "-G", "-F", str(file), "a"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    ).stderr
    if "Bad configuration option" in theirs:
        assert name in NEWER
        return
    try:
        asyncio.run(read("a", files=[file]))
        ours = set()
    except ConfigErrors as errors:
        ours = {mistake.line for mistake in errors.mistakes}
    except ConfigError as error:
        ours = {error.line}
    refused = {int(number) for number in re.findall(r"line (\d+)", theirs)}
    assert {WORDS[line - 1] for line in ours} == {WORDS[line - 1] for line in refused}
