"""What is typed in secret, or on a command line, is nowhere in the whole data directory."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.actionlog.capture import unpack
from cockpit.targets import Environment
from tests.helpers.shells import Typist, typing_at
from tests.live.servers import program

SECRET = "S3cretW0rd"


def everything(data: Path) -> bytes:
    """Return all that the data directory holds, what is packed among it unpacked."""
    parts = [path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file()]
    with closing(sqlite3.connect(data / "actions.db")) as db:
        parts += [unpack(*row) for row in db.execute("select codec, size, data from output")]
    return b"\n".join(parts)


def nowhere(data: Path) -> bool:
    held = everything(data)
    return not any(SECRET[:length].encode() in held for length in range(6, len(SECRET) + 1))


async def slowly(typist: Typist, text: str) -> None:
    """Type as a person does: a key at a time, each echoed before the next."""
    for key in text:
        typist.type(key)
        await asyncio.sleep(0.004)


PROMPTS = {
    "read": ("bash", "bash", "read -rsp 'Pass''word: ' it; echo got ${#it}", "Password: "),
    "psql": ("psql", "postgresql-client", "psql -W -h 127.0.0.1 -p 1 x", "Password"),
    "ssh-keygen": ("ssh-keygen", "openssh-client", "ssh-keygen -y -f key", "passphrase"),
    "su": ("su", "util-linux", "setpriv --reuid=65534 --clear-groups su -c true", "assword"),
    "sudo": ("sudo", "sudo", "setpriv --reuid=65534 --clear-groups sudo -k true", "assword"),
}


@pytest.mark.parametrize(
    ("prompt", "shell"), [*((prompt, "bash") for prompt in PROMPTS), ("read", "dash"), ("su", "dash")]
)
async def test_what_a_prompt_asks_for_is_nowhere(prompt: str, shell: str, tmp_path: Path) -> None:
    needed, package, line, asks = PROMPTS[prompt]
    program(needed, package)
    if "setpriv" in line and os.geteuid():
        pytest.skip("only root can become somebody else to be asked")
    if shell == "dash" and prompt == "read":
        line = "stty -echo; printf 'Pass''word: '; read -r it; stty echo; echo got ${#it}"
    home = tmp_path / "home"
    home.mkdir()
    if prompt == "ssh-keygen":
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "other", "-f", str(home / "key")]
        subprocess.run(keygen, check=True)
    async with typing_at(shell, tmp_path) as typist:
        await typist.until(lambda: typist.session.why_not != "starting")
        typist.type(f"{line}\r")
        await typist.shows(asks)
        await asyncio.sleep(0.2)  # the echo is off a moment after the question
        await slowly(typist, f"{SECRET}\r")
        await asyncio.sleep(0.3)
        typist.type("\x03")
        typist.type("exit\r")
        await asyncio.sleep(0.3)
        assert SECRET.encode() not in typist.screen
    assert nowhere(tmp_path / "data")


@pytest.mark.parametrize(
    ("shell", "environment"),
    [
        ("bash", Environment.DEVELOPMENT),
        ("bash", Environment.PRODUCTION),
        ("zsh", Environment.DEVELOPMENT),
        ("zsh", Environment.PRODUCTION),
        ("fish", Environment.PRODUCTION),
        ("dash", Environment.DEVELOPMENT),
    ],
)
async def test_a_password_on_a_command_line_is_nowhere(
    shell: str, environment: Environment, tmp_path: Path
) -> None:
    async with typing_at(shell, tmp_path, environment=environment) as typist:
        itemised = shell != "dash"
        await typist.until(lambda: typist.session.why_not != "starting")
        await typist.until(lambda: b"#" in typist.screen or b"$" in typist.screen or b">" in typist.screen)
        await asyncio.sleep(0.1)
        await slowly(typist, f"true mysql -pX\x7f{SECRET} db\r")
        if itemised:
            await typist.settled(1)
        await slowly(typist, f"true mysql -p{SECRET}")  # given up, and brought back from the history
        typist.type("\x15" if shell != "dash" else "\x03")
        await asyncio.sleep(0.3)
        if itemised:
            await slowly(typist, "\x12mysql -p")
            await asyncio.sleep(0.3)
            typist.type("\x03")
            await asyncio.sleep(0.3)
        typist.type("exit\r")
        await typist.ended()
        assert SECRET.encode() in typist.screen.replace(b"\x1b[K", b"") or shell == "fish"
        if itemised:
            items = await typist.items()
            assert items[0].shell == "true mysql -p[redacted:flag] db", items[0].shell
            assert b"mysql -p[redacted:flag] db\r\n" in typist.recorded()
        listed = json.dumps([each.shell for each in await typist.items()])
        assert SECRET not in listed
    assert nowhere(tmp_path / "data")


def test_the_search_would_find_it(tmp_path: Path) -> None:
    """A secret that were kept would be seen."""
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / "actions.db")) as db:
        db.execute("create table output (codec, size, data)")
        db.execute("insert into output values ('raw', 7, ?)", [SECRET[:7].encode()])
        db.commit()
    assert not nowhere(tmp_path / "data")
