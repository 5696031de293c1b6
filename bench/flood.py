"""Keys while a terminal within the cockpit is flooded: `yes | head -n 5000000`, and how soon ctrl+c ends it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.keys import LISTED, STROKE, Eye, pause, strokes
from bench.load import Load, under
from bench.options import Options
from bench.processes import Meter, resident
from bench.programs import cockpit
from bench.report import Table, percentile, verdict
from bench.terminal import Terminal

LIMIT = 60.0
LINES = 5_000_000
FLOOD = "yes | head -n {lines}"
LEADER = b"\x1d"
NOTHING = b"w"
"""A key that does nothing after the leader key."""
LEADING = "leader"
"""What is shown once the leader key was pressed."""
PROMPT = "bench>"
DONE = "flood is over"
HERE = '\n[[targets]]\nname = "local"\nenvironment = "development"\n'


@dataclass
class FloodEye(Eye):
    """What the last bytes showed of the terminal pane, too."""

    leading: bool = False
    prompt_at: int = -1
    text: str = ""

    def see(self, row: int, sgr: str, text: str) -> None:
        """Note a run of text as it is drawn."""
        super().see(row, sgr, text)
        self.leading = self.leading or LEADING in text
        if PROMPT in text:
            self.prompt_at = row
        self.text = (self.text + text)[-400:]


def run(options: Options) -> Table:
    """Flood a terminal and press keys meanwhile."""
    lines = 200_000 if options.quick else LINES
    presses = options.repeat(300, least=STROKE)
    eye = FloodEye()
    rows, notes = [], []
    with under(Load(0, 0, 200), options.home) as (config, _):
        config.write_text(config.read_text() + HERE)
        program = cockpit(options.home, config)
        env = {**program.env, "PS1": f"{PROMPT} ", "ENV": "", "SHELL": "/bin/sh"}
        with Terminal(program.argv, env=env, on_run=eye.see) as terminal:
            terminal.wait(lambda: LISTED in terminal.text, 60, "list of alerts")
            terminal.run(options.settle(1.0))
            terminal.send(b"2jg")
            terminal.run(options.settle(1.0))
            rows.append(
                _row(
                    "without a terminal", "j and k among the alerts", _moves(terminal, eye, presses, options)
                )
            )
            terminal.send(LEADER)
            _prompted(terminal, eye, "first prompt")
            rows.append(_row("at a quiet prompt", "the leader key", _leads(terminal, eye, presses, options)))
            took = _flooded(terminal, eye, FLOOD.format(lines=lines))
            notes.append(f"`{FLOOD.format(lines=lines)}` took {took:.1f} s, with nobody at the keys.")
            _type(terminal, f"while :; do {FLOOD.format(lines=lines)}; done")
            terminal.run(options.settle(2.0))
            meter = Meter(terminal.process.pid)
            rows.append(_row("in the flood", "the leader key", _leads(terminal, eye, presses, options)))
            terminal.send(LEADER)
            terminal.send(b"b2jg")
            terminal.run(options.settle(1.0))
            rows.append(
                _row("beside the flood", "j and k among the alerts", _moves(terminal, eye, presses, options))
            )
            terminal.send(LEADER)
            terminal.run(options.settle(0.5))
            share, memory = meter.share(), resident(terminal.process.pid)
            stopped = _interrupted(terminal, eye)
            notes.append(
                f"Meanwhile {100 * share:.0f} % of a core, {memory / 1e6:.0f} MB resident. From ctrl+c to the prompt "
                f"{1000 * stopped:.0f} ms."
            )
    options.noise.listen()
    how = (
        f"Milliseconds from writing the key to a {options.size} terminal until the bytes that answer it are read: "
        "for the leader key the notice that it was pressed, for j and k the cursor's row. Pauses of 30 to 150 ms."
    )
    columns = ["when", "what is pressed", "presses", "p50", "p95", "p99", "greatest", "limit (p99)"]
    return Table("Key press to paint, with a terminal in flood", columns, rows, [how, *notes])


def _row(when: str, what: str, times: list[float]) -> list[str]:
    p99 = percentile(times, 0.99)
    figures = [percentile(times, 0.5), percentile(times, 0.95), p99, max(times)]
    return [
        when,
        what,
        str(len(times)),
        *(f"{each:.0f}" for each in figures),
        verdict(round(p99), LIMIT, "ms"),
    ]


def _type(terminal: Terminal, line: str) -> None:
    terminal.send(line.encode() + b"\r")


def _prompted(terminal: Terminal, eye: FloodEye, what: str) -> float:
    """Wait until a prompt is drawn anew."""
    eye.prompt_at = -1
    return terminal.wait(lambda: eye.prompt_at >= 0, 120, what)


def _leads(terminal: Terminal, eye: FloodEye, presses: int, options: Options) -> list[float]:
    times = []
    for _ in range(presses):
        eye.leading = False
        at = terminal.send(LEADER)
        times.append(1000 * (terminal.wait(lambda: eye.leading, 60, "answer to the leader key") - at))
        pause(terminal, options)
        terminal.send(NOTHING)
        pause(terminal, options)
    return times


def _moves(terminal: Terminal, eye: FloodEye, presses: int, options: Options) -> list[float]:
    times = []
    for key in strokes(presses):
        before = eye.cursor
        at = terminal.send(key)
        times.append(1000 * (terminal.wait(lambda was=before: eye.cursor != was, 60, "cursor's move") - at))
        pause(terminal, options)
    return times


def _flooded(terminal: Terminal, eye: FloodEye, line: str) -> float:
    """Run a flood to its end."""
    began = time.perf_counter()
    half = len(DONE) // 2
    _type(terminal, f"{line}; echo '{DONE[:half]}''{DONE[half:]}'")
    eye.text = ""
    return terminal.wait(lambda: DONE in eye.text, 300, "end of the flood") - began


def _interrupted(terminal: Terminal, eye: FloodEye) -> float:
    """Press ctrl+c and wait for the prompt."""
    eye.prompt_at = -1
    at = terminal.send(b"\x03")
    return terminal.wait(lambda: eye.prompt_at >= 0, 60, "prompt") - at
