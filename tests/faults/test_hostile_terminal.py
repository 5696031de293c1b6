"""Hostile telemetry from real files and real servers, through the real program, to the bytes at a real terminal.

Whatever the sources send, the terminal gets only what the cockpit's own drawing writes: no title, no clipboard, no
device query, no bell, no reordered text; and the program lives on and leaves tidily.
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import struct
import termios
import time
import urllib.error
import urllib.request
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.helpers.cockpit_cli import COCKPIT, environment
from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.tcp_server import free_port

ATTACK = (
    "\x1b]0;OWNED\x07\x1b]52;c;T1dORUQ=\x07\x1b[2J\x1b[?1049lOWNED"
    "\x9b6n\x90q\x9c\u202eDENWO\x07\r\x08[red]OWNED[/]\n"
)
LETTERS = re.compile(
    r"\x1b\[[0-9;:?<=>$]*[A-Za-z]|\x1b\[[0-9;?$]*[ -/][@-~]|\x1b[=>()][AB0]?|\x1b\]22;[a-z-]*\x07"
)
"""What the drawing writes: control sequences, and one string, Textual's for the pointer's shape (OSC 22)."""
ESCAPED = 0.12
"""Seconds after which an Esc is one, and no beginning of another key's sequence."""


def alerts(_now: str) -> list[dict[str, object]]:
    return [
        {
            "labels": {"alertname": ATTACK, "severity": ATTACK, "service": ATTACK, "x": "y" * 100_000},
            "annotations": {"summary": ATTACK, "runbook_url": ATTACK},
            "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "not a time",
            "updatedAt": "2026-01-01T00:00:00Z",
            "fingerprint": ATTACK,
            "generatorURL": ATTACK,
            "receivers": [{"name": ATTACK}],
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        }
    ]


def answer(asked: Asked) -> Said:
    """Pose as a metrics page and as an Alertmanager, both hostile."""
    if asked.path == "/metrics":
        page = (
            f'# HELP x {ATTACK}\nx{{l="{ATTACK}"}} 1e999\n\x1b]0;OWNED\x07 nonsense\n'.encode()
            + b"\xff\xfe" * 1_000
        )
        return Said(body=page, headers={"content-type": "text/plain\x7f"[:10]})
    if asked.path == "/api/v2/alerts/groups":
        group = {"labels": {"service": ATTACK}, "receiver": {"name": ATTACK}, "alerts": alerts("")}
        return Said(body=json.dumps([group]).encode(), headers={"content-type": "application/json"})
    if asked.path == "/api/v2/silences":
        return Said(body=b"[]", headers={"content-type": "application/json"})
    return Said(body=ATTACK.encode(), headers={"content-type": "application/json"})


def spans() -> bytes:
    now = time.time_ns()
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": ATTACK,
        "startTimeUnixNano": str(now - 10**9),
        "endTimeUnixNano": str(now),
        "attributes": [{"key": ATTACK, "value": {"stringValue": ATTACK}}],
        "status": {"code": 2, "message": ATTACK},
    }
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": ATTACK}}]}
    return json.dumps({"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span]}]}]}).encode()


def send(port: int) -> None:
    """Send the spans, as soon as somebody listens."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/traces", spans(), {"content-type": "application/json"}
    )
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20):
                return
        except urllib.error.URLError as error:
            assert isinstance(error.reason, ConnectionRefusedError), error
            assert time.monotonic() < end, "nothing listens for spans"
            time.sleep(0.1)


def config(folder: Path, url: str, port: int) -> Path:
    log = folder / "hostile.log"
    log.write_bytes(
        (ATTACK * 50).encode("utf-8", "surrogatepass")
        + b"\xff\xfe\x00\x80 OWNED\n"
        + b"A" * 10_000_000
        + b"\n"
        + json.dumps({"msg": ATTACK, "level": ATTACK, "service": ATTACK, "time": "never"}).encode()
        + b"\n"
    )
    file = folder / "cockpit.toml"
    file.write_text(
        f"""
default_sources = false
[[sources]]
kind = "files"
paths = ["{log}"]
backfill_bytes = 20000000
backfill_total = 20000000
[[sources]]
kind = "exposition"
url = "{url}/metrics"
interval = 1
[[sources]]
kind = "alertmanager"
url = "{url}"
interval = 1
[[sources]]
kind = "prometheus"
url = "{url}"
interval = 1
[[sources]]
kind = "otlp"
port = {port}
grpc = false
[[targets]]
name = "local"
environment = "development"
"""
    )
    return file


class Watched:
    """The program in a PTY, and every byte that it wrote."""

    def __init__(self, file: Path, folder: Path) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = {**environment(folder / "data"), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execvpe(COCKPIT[0], [*COCKPIT, "--config", str(file)], env)
        ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 150, 0, 0))
        self.seen = bytearray()
        asyncio.get_running_loop().add_reader(self.fd, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self.fd)
        self.seen += data

    async def until(self, words: bytes) -> None:
        end = time.monotonic() + 60
        while words not in self.seen:
            assert time.monotonic() < end, f"never drew {words!r}: …{bytes(self.seen[-2000:])!r}"
            await asyncio.sleep(0.05)

    async def type(self, *keys: str) -> None:
        """Press keys, each once the last one is drawn; one that draws nothing gets a quarter second."""
        for key in keys:
            before, end = len(self.seen), time.monotonic() + 0.25
            os.write(self.fd, key.encode())
            while len(self.seen) == before and time.monotonic() < end:
                await asyncio.sleep(0.01)
            before = -1
            while len(self.seen) != before and time.monotonic() < end:
                before = len(self.seen)
                await asyncio.sleep(ESCAPED if key == "\x1b" else 0.04)

    async def whole(self) -> bytes:
        """Return all that was drawn, once no drawing is under way."""
        seen = -1
        while len(self.seen) != seen:
            seen = len(self.seen)
            await asyncio.sleep(0.3)
        return bytes(self.seen)

    async def leave(self) -> int:
        os.write(self.fd, b"\x11")
        for _ in range(600):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                asyncio.get_running_loop().remove_reader(self.fd)
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            await asyncio.sleep(0.05)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        raise AssertionError("it did not leave within half a minute")


@pytest.mark.timeout(240)
async def test_nothing_hostile_reaches_the_terminal(tmp_path: Path) -> None:
    port = free_port()
    async with http_server(answer) as url:
        watched = Watched(config(tmp_path, url, port), tmp_path)
        await watched.until(b"OWNED")
        await asyncio.to_thread(send, port)
        await asyncio.sleep(1.5)
        began = len(watched.seen)
        for pane in "1234":
            await watched.type(pane, "g", "\r", "j", "\r", "\x1b", "\x1b", "z", "z")
        await watched.type("2", "/", "OWNED", "\r", "s", "\x1b", "\x1b", "?", "\x1b")
        drawn = await watched.whole()
        assert await watched.leave() == 0
    text = drawn.decode("utf-8", "strict")
    assert "OWNED" in text[began:], "it was drawn, as text"
    assert "\x1b]0;" not in text, "a title"
    assert "\x1b]52" not in text, "a clipboard"
    assert "\u202e" not in text, "reordered text"
    left = LETTERS.sub("", text)
    strange = sorted({hex(ord(char)) for char in left if not char.isprintable() and char not in "\r\n"})
    assert strange == []
    assert "\x1b[2J" not in text[began:], "the attack's clear screen"
    assert "\x1b[?1049l" not in text, "the attack's leaving of the alternate screen"
