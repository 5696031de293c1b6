"""Log files to measure with, the same at every run: syslog, JSON lines, and a real log repeated.

A second holds a block of lines; the blocks are drawn from a pool by a seeded generator. Some lines hold what is
searched for, and how many do is known. Files are kept in `COCKPIT_BENCH_CACHE`, or else in the temporary folder.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

MADE = 2
"""Raised whenever the lines change, so that no older file is taken for them."""
SEED = 20261126
BLOCK = 100
"""Lines of one second."""
POOL = 2_000
"""Blocks that differ, where there are so many."""
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
RARE = "checksum mismatch on extent"
RARE_EVERY = 100_000
"""Lines for each that holds the rare string; the first line of all is one."""
PATTERNS = ("timed out", "refused", "quarantined")
"""What a filter lets in: 1 line of 25, of 100 and of 1,000."""
SERVICES = ("checkout", "cart", "payment", "stock", "search", "gateway", "mailer", "ledger")
HOSTS = tuple(f"node-{number:02d}" for number in range(24))
VERBS = ("GET", "POST", "PUT", "DELETE")
PATHS = ("/cart", "/checkout", "/search?q=shoes", "/login", "/product/4711", "/static/app.js", "/health")
NAMES = {"syslog": "syslog", "json": "JSON", "real": "OpenSSH's syslog"}
LEVELS = (
    (30, "info"),
    (30, "info"),
    (30, "info"),
    (20, "debug"),
    (30, "info"),
    (40, "warning"),
    (50, "error"),
)
"""Bunyan's number and syslog's word."""


SAMPLE = "loghub-2k/OpenSSH/OpenSSH_2k.log"
REAL_PATTERNS = ("pam_unix", "Connection closed", "POSSIBLE BREAK-IN")
STAMP = len("Mar  1 00:00:00")


@dataclass(frozen=True)
class Made:
    """A file of lines.

    Attributes:
        name: What it is, for a table.
        kind: `syslog`, `json` or `real`.
        path: Where it is.
        lines: How many it has.
        rare: How many of them hold the rare string.
        patterns: What to filter by.
        filtered: How many lines hold any of the patterns.
        last: What stands in its last line and in no other.
    """

    name: str
    kind: str
    path: Path
    lines: int
    rare: int
    patterns: Sequence[str]
    filtered: int
    last: str


def sample() -> Path | None:
    """Return a real syslog of 2,000 lines (loghub's OpenSSH), where it is at hand; its times are replaced."""
    given = os.environ.get("COCKPIT_SHARED_DATA")
    beside = [parent / "shared/data" for parent in Path(__file__).resolve().parents]
    paths = [folder / SAMPLE for folder in ([Path(given)] if given else beside)]
    return next((path for path in paths if path.is_file()), None)


def cache() -> Path:
    """Return the folder in which files are kept from run to run."""
    named = os.environ.get("COCKPIT_BENCH_CACHE", "")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "cockpit-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def made(kind: str, lines: int, folder: Path) -> Made:
    """Return a file of so many lines, written where it is not there yet.

    Args:
        kind: `syslog`, `json`, or `real`, which needs the sample.
        lines: A multiple of a block's.
        folder: Where to keep it.
    """
    path = folder / f"{kind}-{lines}-{MADE}.log"
    counted = path.with_suffix(".counts")
    last = f"line {lines} is the last of all"
    patterns = REAL_PATTERNS if kind == "real" else PATTERNS
    if not counted.exists():
        half = path.with_suffix(".part")
        filtered = _write(kind, lines, half, (last, [pattern.encode() for pattern in patterns]))
        half.rename(path)
        counted.write_text(str(filtered))
    size = f"{lines / 1e6:g} M" if lines >= 100_000 else f"{lines:,}"
    name = f"{size} lines of {NAMES[kind]}, {path.stat().st_size / 1e6:,.0f} MB"
    return Made(name, kind, path, lines, -(-lines // RARE_EVERY), patterns, int(counted.read_text()), last)


def _write(kind: str, lines: int, path: Path, wanted: tuple[str, Sequence[bytes]]) -> int:
    """Write a file; return how many of its lines hold any of the patterns."""
    last, patterns = wanted
    chance = random.Random(SEED)
    head = b'{"time":"' if kind == "json" else b""
    rest = _bunyan if kind == "json" else _syslog
    pool = _real() if kind == "real" else _pool(chance, rest, min(POOL, lines // BLOCK))
    hits = [sum(_holds(line, patterns) for line in block) for block in pool]
    rare, end = rest(chance, f"{RARE} 77, volume kept read-only"), rest(chance, last)
    filtered = 0
    with path.open("wb", buffering=1 << 22) as opened:
        for second in range(lines // BLOCK):
            which = chance.randrange(len(pool))
            block, filtered = pool[which], filtered + hits[which]
            if second % (RARE_EVERY // BLOCK) == 0:
                filtered -= _holds(block[0], patterns)
                block = [rare, *block[1:]]
            if second == lines // BLOCK - 1:
                filtered -= _holds(block[-1], patterns)
                block = [*block[:-1], end]
            stamp = head + _stamp(kind, second)
            opened.write(stamp + stamp.join(block))
    return filtered


def _pool(
    chance: random.Random, rest: Callable[[random.Random, str], bytes], blocks: int
) -> list[list[bytes]]:
    return [
        [rest(chance, _said(chance, number * BLOCK + place)) for place in range(BLOCK)]
        for number in range(blocks)
    ]


def _real() -> list[list[bytes]]:
    path = sample()
    assert path is not None, "there is no sample: ask first"
    lines = [line[STAMP:] + b"\n" for line in path.read_bytes().splitlines()]
    return [lines[at : at + BLOCK] for at in range(0, len(lines), BLOCK)]


def _holds(line: bytes, patterns: Sequence[bytes]) -> bool:
    return any(pattern in line for pattern in patterns)


def _stamp(kind: str, second: int) -> bytes:
    moment = BEGIN + timedelta(seconds=second)
    if kind == "json":
        return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z".encode()
    return f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S}".encode()


def _said(chance: random.Random, number: int) -> str:
    """Return what a line says."""
    user, took = chance.randrange(5_000), chance.randrange(900)
    if number % 1_000 == 7:
        return f"upload of user {user} quarantined after {took} ms"
    if number % 100 == 13:
        return f"connection to {chance.choice(HOSTS)}:5432 refused, next try in {took} ms"
    if number % 25 == 3:
        return f"request {chance.choice(PATHS)} timed out after {took} ms user={user}"
    return f"{chance.choice(VERBS)} {chance.choice(PATHS)} {200 + number % 3} took {took} ms user={user}"


def _syslog(chance: random.Random, said: str) -> bytes:
    level, process = chance.choice(LEVELS)[1], chance.randrange(30_000)
    return f" {chance.choice(HOSTS)} {chance.choice(SERVICES)}[{process}]: {level}: {said}\n".encode()


def _bunyan(chance: random.Random, said: str) -> bytes:
    level = chance.choice(LEVELS)[0]
    return (
        f'","name":"{chance.choice(SERVICES)}","hostname":"{chance.choice(HOSTS)}","pid":{chance.randrange(30_000)},'
        f'"level":{level},"status":{chance.choice((200, 200, 200, 204, 404, 500))},'
        f'"duration_ms":{chance.randrange(900)},"msg":"{said}","v":0}}\n'.encode()
    )
