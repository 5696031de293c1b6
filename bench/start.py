"""First paint, and the first real data, from the moment the program is executed to the bytes at the terminal."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable

from bench.options import Options
from bench.programs import Program, cockpit, empty, peers
from bench.report import Table, spread, verdict
from bench.terminal import Terminal

FULL = 0.95
"""The share of the screen's cells that a frame has to draw to count as whole."""
LEAST_TEXT = 300
"""Visible characters that a program which does not draw blanks has to show to count as painted."""
TITLES = ("1 Health", "2 Alerts", "3 Logs", "4 Traces")
HOST = re.compile(r"\bmemory +\d+\.\d%")


def run(options: Options) -> Table:
    """Start each program again and again, in turns, so that the machine's moods meet all of them."""
    rivals, absent = peers(options.home, options.peers)
    bare, ours = empty(), cockpit(options.home)
    for program in (bare, ours, *rivals):  # warm caches
        _start(program, _painted, 60)
    paints: dict[str, list[float]] = {program.name: [] for program in (bare, ours, *rivals)}
    hosts: list[float] = []
    for number in range(options.repeat(9)):
        paints[bare.name].append(_start(bare, _whole, 60))
        paint, host = _cockpit(ours)
        paints[ours.name].append(paint)
        hosts.append(host)
        if number % 3 == 0:
            for rival in rivals:
                paints[rival.name].append(_start(rival, _painted, 60))
        options.noise.listen()
    base = statistics.median(paints[bare.name])
    rows = [
        [name, spread(times), f"{statistics.median(times) / base:.2f}", _limit(name, times, base)]
        for name, times in paints.items()
    ]
    rows.append(
        ["cockpit: host data on the screen", spread(hosts), "", verdict(statistics.median(hosts), 1, "s")]
    )
    notes = [
        f"Seconds from `exec` to the last byte of the first whole frame at a {options.size} terminal; "
        f"median (least–greatest) of {len(hosts)} starts, peers {len(hosts) // 3 or 1}, in turns in the same run.",
        "A whole frame of a Textual program has drawn 95 % of the cells; of the cockpit, with all four panes' "
        f"titles. A peer counts as painted once {LEAST_TEXT} visible characters are there.",
        "Host data is the memory reading of the health pane.",
    ]
    if absent:
        notes.append(f"Not installed here: {', '.join(absent)}.")
    return Table("First paint", ["program", "seconds", "times the empty app", "limit"], rows, notes)


def _limit(name: str, times: list[float], base: float) -> str:
    return verdict(statistics.median(times) / base, 1.5, "times") if name == "cockpit" else ""


def _start(program: Program, done: Callable[[Terminal], bool], timeout: float) -> float:
    with Terminal(program.argv, env=program.env) as terminal:
        return terminal.wait(lambda: done(terminal), timeout, "first paint") - terminal.started


def _whole(terminal: Terminal) -> bool:
    return terminal.cells >= FULL * terminal.columns * terminal.rows


def _painted(terminal: Terminal) -> bool:
    return len(terminal.text) - terminal.text.count(" ") >= LEAST_TEXT or _whole(terminal)


def _cockpit(program: Program) -> tuple[float, float]:
    with Terminal(program.argv, env=program.env) as terminal:
        paint = terminal.wait(
            lambda: _whole(terminal) and all(title in terminal.text for title in TITLES), 60, "first paint"
        )
        if HOST.search(terminal.text):  # the reader came late, and got both at once
            return paint - terminal.started, paint - terminal.started
        host = terminal.wait(lambda: HOST.search(terminal.text) is not None, 60, "host data")
        return paint - terminal.started, host - terminal.started
