"""`cockpit logs FILE` in a terminal: until what is asked for stands on the screen, and what keys take meanwhile."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from bench.keys import Eye
from bench.loglines import RARE, Made
from bench.processes import Peak
from bench.programs import cockpit
from bench.terminal import Terminal

PATIENCE = 60.0
"""Seconds that anything may take."""
STROKE = 12
"""Rows that the cursor goes up before it goes down again."""
SEQUENCE = re.compile(r"\bseq=(\d+)")
TITLE = "Logs · "
ESCAPE = b"\x1b"
PASTE = b"\x1b[200~%b\x1b[201~"


@dataclass
class LogEye(Eye):
    """What the last bytes showed of the logs pane.

    Attributes:
        title: Its title.
        wanted: A text to look for.
        there: Whether it was drawn.
        newest: When numbered lines were drawn, and the greatest number until then.
    """

    title: str = ""
    wanted: str = ""
    there: bool = False
    newest: list[tuple[float, int]] = field(default_factory=list)

    def see(self, row: int, sgr: str, text: str) -> None:
        """Note a run of text as it is drawn."""
        super().see(row, sgr, text)
        if len(self.runs) > 10_000:
            self.runs.clear()
        if TITLE in text:
            self.title = text
        self.there = self.there or (bool(self.wanted) and self.wanted in text)
        if (found := SEQUENCE.search(text)) and int(found[1]) > (self.newest[-1][1] if self.newest else -1):
            self.newest.append((perf_counter(), int(found[1])))

    def look_for(self, text: str) -> None:
        """Look for another text from now on."""
        self.wanted, self.there = text, False


@dataclass
class LogScreen:
    """A running `cockpit logs FILE`."""

    terminal: Terminal
    eye: LogEye

    def await_title(self, said: str, what: str) -> float:
        """Wait until the title says something; return when.

        Raises:
            Gone: It did not.
        """
        wanted = re.compile(rf"(?<![\d,]){re.escape(said)}(?![\d,])")
        done = self._done(lambda: wanted.search(self.eye.title) is not None)
        return done or self.terminal.wait(
            lambda: wanted.search(self.eye.title) is not None, PATIENCE, f"{what} ({said})"
        )

    def read_on(self, log: Made) -> float:
        """Wait until the title counts every line; return when."""
        return self.await_title(f"{log.lines:,}", "count of all lines")

    def sought(self, query: str, hits: int, lines: int) -> float:
        """Paste a query; return the seconds until the title says how many it finds, all being searched.

        Typed, each letter would be a search of its own, and the last but one find as much as the last.
        """
        self._typing()
        at = self.terminal.send(PASTE % query.encode())
        return self.await_title(f"{hits:,} of {lines:,}", f"count for {query}") - at

    def _typing(self) -> None:
        self.eye.prompt = -1
        self.terminal.send(b"/")
        self.terminal.wait(lambda: self.eye.prompt >= 0, PATIENCE, "filter line")

    def unfilter(self, lines: int) -> None:
        """Let go of the filter, and wait until that is shown."""
        self.terminal.send(ESCAPE)
        self.terminal.run(0.5)  # what follows an escape at once would be taken for a part of it
        if " of " in self.eye.title:
            self.terminal.send(ESCAPE)
            self.terminal.run(0.5)
        until = perf_counter() + PATIENCE
        while " of " in self.eye.title and perf_counter() < until:
            self.terminal.run(0.1)
        self.await_title(f"{lines:,}", "count without a filter")

    def presses(self, until: Callable[[], bool], most: int) -> list[float]:
        """Press k and j until something is so; return the milliseconds that each took."""
        times = []
        for key in strokes(most):
            if until():
                break
            before = self.eye.cursor
            at = self.terminal.send(key)
            moved = self.terminal.wait(lambda was=before: self.eye.cursor != was, PATIENCE, "cursor's move")
            times.append(1000 * (moved - at))
            self.terminal.run(random.uniform(0.03, 0.15))
        return times

    def presses_while_filtered(self, log: Made) -> list[float]:
        """Filter, and press keys until all is searched."""
        self._typing()
        self.eye.cursor = -1
        self.terminal.send(query_of(log.patterns).encode() + b"\r")
        self.terminal.wait(lambda: self.eye.cursor >= 0, PATIENCE, "first row that is found")
        self.terminal.run(0.2)  # what follows Enter at once would still be typed into the filter line
        wanted = f"{log.filtered:,} of {log.lines:,}"
        times = self.presses(lambda: wanted in self.eye.title, 10_000)
        self.unfilter(log.lines)
        return times

    @staticmethod
    def _done(is_so: Callable[[], bool]) -> float:
        return perf_counter() if is_so() else 0.0


@contextmanager
def opened(home: Path, path: Path) -> Iterator[LogScreen]:
    """Start `cockpit logs` with a file."""
    program = cockpit(home)
    eye = LogEye()
    with Terminal([*program.argv, "logs", str(path)], env=program.env, on_run=eye.see) as terminal:
        yield LogScreen(terminal, eye)


def query_of(patterns: Sequence[str]) -> str:
    """Return a query for lines that hold any of some texts."""
    return " or ".join(f'"{pattern}"' if " " in pattern else pattern for pattern in patterns)


def strokes(presses: int) -> Iterator[bytes]:
    """Yield keys that lead up and down again."""
    for number in range(presses):
        yield b"j" if number // STROKE % 2 else b"k"


def first_screen(home: Path, path: Path, last: str) -> float:
    """Return the seconds from `exec` until a text is shown; without one, until the screen is painted."""
    with opened(home, path) as screen:
        screen.eye.look_for(last or TITLE)
        terminal = screen.terminal
        whole = 0.95 * terminal.columns * terminal.rows
        shown = terminal.wait(lambda: screen.eye.there and terminal.cells >= whole, PATIENCE, "first screen")
        return shown - terminal.started


@dataclass
class Figures:
    """What one file took.

    Attributes:
        indexed: Seconds from `exec` until the title counts every line.
        held: Bytes of memory until then, of all processes, at most.
        rare: Seconds to find the rare string.
        filtered: Seconds to filter by three patterns.
    """

    indexed: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    rare: list[float] = field(default_factory=list)
    filtered: list[float] = field(default_factory=list)

    def measure(self, home: Path, log: Made, *, times: int) -> None:
        """Open the file, wait until it is indexed, and search it.

        Raises:
            Gone: Something was not on the screen in time.
        """
        with opened(home, log.path) as screen, Peak(screen.terminal.process.pid) as peak:
            self.indexed.append(screen.read_on(log) - screen.terminal.started)
            self.held.append(peak.most())
            screen.terminal.run(1.0)
            for _ in range(times):
                self.rare.append(screen.sought(f'"{RARE}"', log.rare, log.lines))
                screen.unfilter(log.lines)
                self.filtered.append(screen.sought(query_of(log.patterns), log.filtered, log.lines))
                screen.unfilter(log.lines)


def key_times(home: Path, log: Made, *, rounds: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds that keys took while a file was indexed, and while it was filtered.

    Raises:
        Gone: Something was not on the screen in time.
    """
    indexing: list[float] = []
    filtering: list[float] = []
    for _ in range(rounds):
        with opened(home, log.path) as screen:
            indexing += _presses_while_indexed(screen, log)
            filtering += screen.presses_while_filtered(log)
    return indexing, filtering


def _presses_while_indexed(screen: LogScreen, log: Made) -> list[float]:
    screen.eye.look_for(log.last)
    screen.terminal.wait(lambda: screen.eye.there, PATIENCE, "first screen")
    wanted = f"{log.lines:,}"
    times = screen.presses(lambda: wanted in screen.eye.title, 10_000)
    screen.read_on(log)
    return times
