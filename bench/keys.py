"""From a key's press to the paint that answers it, at a real terminal, while telemetry pours in."""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import Load, under
from bench.options import Options
from bench.processes import Meter, resident, waiting
from bench.programs import cockpit
from bench.report import Table, percentile, verdict
from bench.terminal import Terminal

SETTLE = 12.0
"""Seconds under load before the first press: the rings are full, the alerts listed."""
LIMIT = 50.0
STROKE = 12
"""Rows that the cursor goes down before it goes up again: it never leaves the screen, so a paint is a new row."""
WORD = "TOOK 12"
"""Found in the lines whatever its case, and in capitals nowhere on the screen but where it is typed."""
CURSOR = "48;2;95;175;215"
"""The cursor's background, as the default theme has it."""
LISTED = "cluster=cluster-"
"""What the list of alerts shows once it has those of the load."""
ALONE = "typed into an app that is nothing but an input"
INPUT = """
from textual.app import App
from textual.widgets import Input

class Alone(App):
    def compose(self):
        yield Input()

Alone().run()
"""
PROMPT = "filter ·"
SEQUENCE = re.compile(r"seq=(\d+)")


@dataclass
class Eye:
    """What the last bytes showed of the cursor and of the filter line."""

    cursor: int = -1
    prompt: int = -1
    listed: bool = False
    runs: set[str] = field(default_factory=set)

    def see(self, row: int, sgr: str, text: str) -> None:
        """Note a run of text as it is drawn."""
        if CURSOR in sgr and text.strip():
            self.cursor = row
        self.listed = self.listed or LISTED in text
        if PROMPT in text:
            self.prompt = row
        self.runs.add(text.strip(" ┃│"))


def run(options: Options) -> Table:
    """Press keys without load and under it."""
    full = Load(2_000, 200, 500) if options.quick else Load()
    rows, notes = [], []
    loads = {"nothing arrives": Load(0, 0, full.alerts), "all of it arrives": full}
    for name, load in loads.items():
        measured, note = _under(load, options)
        rows += [_row(name, what, times) for what, times in measured.items()]
        notes.append(f"While {name}: {note}")
        options.noise.listen()
    intro = (
        f"All of it: a file that another process appends {full.lines:,} lines a second to, {full.spans:,} spans a "
        f"second by OTLP/HTTP from another process, {full.alerts:,} alerts of which one in fifty changes at each of "
        "Alertmanager's polls (5 s). With the default sources' host. Nothing: the alerts alone."
    )
    how = (
        f"Milliseconds from writing the key to a {options.size} terminal until the bytes that answer it are read: "
        f"for j and k the cursor's row, for a typed letter its echo. Pauses of 30 to 150 ms between two presses."
    )
    columns = ["load", "what is pressed", "presses", "p50", "p95", "p99", "greatest", "limit (p99)"]
    return Table("Key press to paint", columns, rows, [how, intro, *notes])


def _row(load: str, what: str, times: list[float]) -> list[str]:
    p99 = percentile(times, 0.99)
    figures = [percentile(times, 0.5), percentile(times, 0.95), p99, max(times)]
    return [
        load,
        what,
        str(len(times)),
        *(f"{each:.0f}" for each in figures),
        "" if what == ALONE else verdict(round(p99), LIMIT, "ms"),
    ]


def _under(load: Load, options: Options) -> tuple[dict[str, list[float]], str]:
    eye = Eye()
    with under(load, options.home) as (config, log):
        program = cockpit(options.home, config)
        with Terminal(program.argv, env=program.env, on_run=eye.see) as terminal:
            terminal.run(options.settle(SETTLE))
            meter = Meter(terminal.process.pid)
            at_first, waited = resident(terminal.process.pid), waiting(terminal.process.pid)
            began = time.perf_counter()
            presses = options.repeat(500 if load.lines else 250, least=STROKE)
            measured = {
                "j and k among the alerts": _moves(terminal, eye, presses, options),
                "a filter typed over the logs": _letters(
                    terminal, eye, options.repeat(150, least=13), options
                ),
            }
            share, memory = meter.share(), resident(terminal.process.pid)
            note = f"{100 * share:.0f} % of a core, "
            note += f"{at_first / 1e6:.0f} MB resident at first, {memory / 1e6:.0f} MB at last"
            held = (waiting(terminal.process.pid) - waited) / (time.perf_counter() - began)
            note += f", {1000 * held:.0f} ms of each second ready to run and without a core"
            if load.lines:
                note += f", {_kept_up(terminal, log, options)}"
        measured[ALONE] = _alone(options.repeat(50, least=13), options)
        return measured, note + "."


def pause(terminal: Terminal, options: Options) -> None:
    """Let as much time pass between two presses as people do."""
    terminal.run(0.01 if options.quick else random.uniform(0.03, 0.15))


def _moves(terminal: Terminal, eye: Eye, presses: int, options: Options) -> list[float]:
    if not eye.listed:
        terminal.wait(lambda: eye.listed, 60, "list of alerts")
    terminal.send(b"2jg")
    terminal.run(options.settle(1.0))
    times = []
    for key in strokes(presses):
        before = eye.cursor
        at = terminal.send(key)
        times.append(1000 * (terminal.wait(lambda was=before: eye.cursor != was, 60, "cursor's move") - at))
        pause(terminal, options)
    return times


def strokes(presses: int) -> Iterator[bytes]:
    """Yield keys that lead down and up again."""
    for number in range(presses):
        yield b"k" if number // STROKE % 2 else b"j"


def _letters(terminal: Terminal, eye: Eye, presses: int, options: Options) -> list[float]:
    eye.prompt = -1
    terminal.send(b"3/")
    terminal.wait(lambda: eye.prompt >= 0, 60, "filter line")
    times = _typed(terminal, eye, presses, options)
    terminal.send(b"\x1b")
    terminal.run(options.settle(1.0))  # what follows an escape at once would be taken for a part of it
    return times


def _alone(presses: int, options: Options) -> list[float]:
    """Type into a Textual app that has an input line and nothing else: what the machine has to spare just now."""
    eye = Eye()
    with Terminal([sys.executable, "-c", INPUT], on_run=eye.see) as terminal:
        terminal.wait(lambda: terminal.cells > 1_000, 60, "first paint")
        terminal.run(options.settle(1.0))
        return _typed(terminal, eye, presses, options)


def _typed(terminal: Terminal, eye: Eye, presses: int, options: Options) -> list[float]:
    typed, times = "", []
    while len(times) < presses:
        for wanted in [WORD[: n + 1] for n in range(len(WORD))] + [
            WORD[:n] for n in range(len(WORD) - 1, 0, -1)
        ]:
            key = wanted[-1].encode() if len(wanted) > len(typed) else b"\x7f"
            eye.runs.clear()
            at = terminal.send(key)
            typed = wanted
            times.append(
                1000 * (terminal.wait(lambda word=wanted: _shows(eye, word), 60, f"echo of {typed!r}") - at)
            )
            pause(terminal, options)
        terminal.send(b"\x7f")
        typed = ""
        pause(terminal, options)
    return times


def _shows(eye: Eye, typed: str) -> bool:
    return typed.strip() in eye.runs


def _kept_up(terminal: Terminal, log: Path, options: Options) -> str:
    """Say how far the newest line on the screen is behind the newest in the file, and what was dropped."""
    dropped = re.findall(r"([\d,]+) dropped", terminal.text)
    terminal.send(b"3G")
    terminal.run(options.settle(1.0))
    terminal.forget()
    terminal.wait(lambda: SEQUENCE.search(terminal.text) is not None, 60, "numbered log line")
    terminal.run(options.settle(1.0))
    shown = max(int(number) for number in SEQUENCE.findall(terminal.text))
    with log.open("rb") as opened:
        opened.seek(-400, os.SEEK_END)
        written = int(SEQUENCE.findall(opened.read().decode())[-1])
    behind = f"the newest line on the screen {written - shown:,} behind the newest of {written:,} in the file"
    return f"{dropped[-1] if dropped else 'nothing'} dropped, {behind}"
