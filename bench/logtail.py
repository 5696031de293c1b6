"""A log that grows by 100,000 lines a second: what is lost, how old a line is when it is shown, what keys take.

`python -m bench.logtail FILE RATE SECONDS` is what writes: numbered lines, and on its output how many stood in the
file when. Clocks are comparable, since both read the system's monotonic one.
"""

from __future__ import annotations

import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.feeders import LEVELS, PATHS
from bench.logscreen import LogScreen, opened

TURN = 0.02
PATIENCE = 10.0
"""Seconds after the last line for the title to count them all."""
FIRST = 1_000
"""Lines that are there before: the format is told by them."""


@dataclass(frozen=True)
class Tailed:
    """What following a growing file came to.

    Attributes:
        written: Lines in the file.
        lost: How many of them the screen does not count.
        lags: For each time lines were written, the seconds until a line as new was shown.
        keys: Milliseconds that keys took while lines came.
    """

    written: int
    lost: int
    lags: Sequence[float]
    keys: Sequence[float]


def tailed(home: Path, *, rate: int, seconds: float, rest: float = 1.0) -> Tailed:
    """Follow a file that grows for so long, and then again with keys pressed meanwhile.

    Args:
        home: Where the file is made.
        rate: Lines a second.
        seconds: How long it grows, each time.
        rest: Seconds for the screen to come to rest, before and after.

    Raises:
        Gone: Something was not on the screen in time.
    """
    path = home / "growing.log"
    path.write_bytes(_lines(0, FIRST))
    with opened(home, path) as screen:
        screen.await_title(f"{FIRST:,}", "count of the first lines")
        screen.terminal.run(rest)
        first = _written(screen, path, rate, seconds, lambda: screen.terminal.run(0.1))
        screen.terminal.run(rest)
        lags = _lags(first, screen.eye.newest)
        keys: list[float] = []
        screen.terminal.send(b"k")
        screen.terminal.run(rest / 2)
        last = _written(
            screen,
            path,
            rate,
            seconds,
            lambda: keys.extend(screen.presses(lambda: False, 24)),
            at=first[-1][1],
        )
        screen.terminal.run(rest)
        screen.terminal.send(b"f")
        written = last[-1][1]
        until = time.perf_counter() + PATIENCE
        while (counted := _counted(screen)) < written and time.perf_counter() < until:
            screen.terminal.run(0.1)
        lost = written - counted
        return Tailed(written, lost, lags, keys)


def _counted(screen: LogScreen) -> int:
    """Return how many lines the title counts."""
    counts = [part.replace(",", "") for part in screen.eye.title.split()]
    return max((int(count) for count in counts if count.isdigit()), default=0)


def _written(
    screen: LogScreen,
    path: Path,
    rate: int,
    seconds: float,
    meanwhile: Callable[[], None],
    *,
    at: int = FIRST,
) -> list[tuple[float, int]]:
    """Let lines be written; return when how many stood in the file."""
    argv = [sys.executable, "-m", "bench.logtail", str(path), str(rate), str(seconds), str(at)]
    output = path.with_suffix(".turns")
    with output.open("w") as turns, subprocess.Popen(argv, stdout=turns) as writer:
        while writer.poll() is None:
            meanwhile()
    parts = [line.split() for line in output.read_text().splitlines()]
    return [(float(moment), int(lines)) for moment, lines in parts]


def _lags(turns: Sequence[tuple[float, int]], shown: Sequence[tuple[float, int]]) -> list[float]:
    """Return for each turn how long it took until its last line, or a newer one, was shown."""
    numbers = [number for _, number in shown]
    lags = []
    for moment, lines in turns:
        place = bisect_left(numbers, lines - 1)
        lags.append(shown[place][0] - moment if place < len(shown) else float("inf"))
    return lags


def _lines(first: int, end: int) -> bytes:
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return "".join(
        f"{stamp} {LEVELS[n % 10]} request {PATHS[n % 7]} took {n * 7919 % 997} ms user={n * 31 % 5003} seq={n}\n"
        for n in range(first, end)
    ).encode()


def write(path: Path, rate: float, seconds: float, at: int) -> None:
    """Append numbered lines at a rate, which what a late turn missed is made up for by the next one."""
    began, sent = time.perf_counter(), 0
    with path.open("ab", buffering=0) as opened_file:
        while sent < rate * seconds:
            time.sleep(TURN)
            due = min(int((time.perf_counter() - began) * rate), int(rate * seconds))
            opened_file.write(_lines(at + sent, at + due))
            sent = due
            print(time.perf_counter(), at + sent)


if __name__ == "__main__":
    write(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
