"""What the cockpit costs while nobody touches it: a share of a core, and memory."""

from __future__ import annotations

import statistics

from bench.options import Options
from bench.processes import Meter, resident, unique
from bench.programs import Program, cockpit, empty, peers
from bench.report import Table, spread, verdict
from bench.terminal import Gone, Terminal

SETTLE = 7.0
"""Seconds after the start before the first look."""
WINDOW = 6.0
"""Seconds of a look."""
CPU_LIMIT = 2.0
MEMORY_LIMIT = 90.0


def run(options: Options) -> Table:
    """Let each program sit in a terminal, and look at it again and again."""
    rivals, absent = peers(options.home, options.peers)
    rows = []
    for program in (cockpit(options.home), empty(), *rivals):
        looks = options.repeat(5 if program.name == "cockpit" else 1)
        try:
            rows.append(_sit(program, options, looks))
        except Gone as gone:
            rows.append([program.name, str(gone)[:40], "", "", ""])
        options.noise.listen()
    notes = [
        f"After {SETTLE:g} s, looks of {WINDOW:g} s (five at the cockpit, one at the others): user and system time "
        "of the process and all that it started; median (least–greatest).",
        "Resident memory is the sum over the process and what it started, shared pages counted for each; own is what "
        "would be free if they were gone (USS).",
        "The cockpit runs its default sources: this host, the files under /var/log, the journal where there is one, "
        "and the OTLP receiver.",
    ]
    if absent:
        notes.append(f"Not installed here: {', '.join(absent)}.")
    columns = ["program", "% of a core", "resident MB", "own MB", "limits"]
    return Table("Idle", columns, rows, notes)


def _sit(program: Program, options: Options, looks: int) -> list[str]:
    settle, window = (1.0, 0.5) if options.quick else (SETTLE, WINDOW)
    with Terminal(program.argv, env=program.env) as terminal:
        terminal.run(settle)
        pid = terminal.process.pid
        meter = Meter(pid)
        shares, memory = [], []
        for _ in range(looks):
            terminal.run(window)
            shares.append(100 * meter.share())
            memory.append(resident(pid) / 1e6)
        own = unique(pid) / 1e6
    limits = ""
    if program.name == "cockpit":
        limits = f"{verdict(statistics.median(shares), CPU_LIMIT, '%')}; {verdict(max(memory), MEMORY_LIMIT, 'MB')}"
    return [program.name, spread(shares), f"{max(memory):.0f}", f"{own:.0f}", limits]
