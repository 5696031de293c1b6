"""Log files against lnav and ripgrep: the first screen, the index, searches, counts, and a file that grows."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.lnav import Lnav
from bench.loglines import RARE, Made, cache, made, sample
from bench.logscreen import Figures, first_screen, key_times
from bench.logtail import tailed
from bench.options import Options
from bench.programs import cockpit
from bench.report import Table, percentile, spread, verdict
from bench.terminal import Gone

LARGE = 34_300_000
"""Lines of syslog that make 3 GB."""
SIZES = (1_000_000, 10_000_000)
RATE = 100_000
FIELD = "name"
COLUMNS = ["what", "of", "peer", "cockpit", "ratio", "limit"]
FIRST_LIMIT, LAG_LIMIT, KEY_LIMIT = 150.0, 0.2, 50.0
"""Milliseconds, seconds, milliseconds."""
INDEX, MEMORY, SEARCH, FILTER, COUNT = 0.5, 0.25, 2.0, 0.3, 0.15
"""At most so many times what the peer takes."""
Row = list[str]


def run(options: Options) -> Table:
    """Measure each file in turn, peers and cockpit one after another."""
    quick = options.quick
    folder = options.home if quick else cache()
    sizes = (20_000,) if quick else SIZES
    kinds = ["syslog", "json", *(["real"] if sample() and not quick else [])]
    lnav = Lnav(options.home)
    notes = _notes(lnav, options)
    rows = _first(made("syslog", 50_000 if quick else LARGE, folder), lnav, options)
    for kind in kinds:
        for lines in sizes:
            if kind == "real" and lines != sizes[-1]:
                continue
            log = made(kind, lines, folder)
            if not (quick and kind == "json"):
                rows += _attempt(log.name, partial(_file, log, lnav, options))
            if kind == "json":
                rows += _attempt("count by field", partial(_count, log, lnav, options))
            options.noise.listen()
    log = made("syslog", sizes[-1], folder)
    rows += _attempt("keys", lambda: _keys(log, options))
    rows += _attempt("live tail", lambda: _tail(options))
    options.noise.listen()
    return Table("Logs", COLUMNS, rows, notes)


def _attempt(what: str, measure: Callable[[], list[Row]]) -> list[Row]:
    """Measure, and go on with the rest where that fails: the table says what failed and why."""
    try:
        return measure()
    except (Gone, subprocess.SubprocessError) as error:
        said = f"{error} {getattr(error, 'stderr', None) or ''}"
        return [[what, "", "", "", "", f"**failed**: {' '.join(said.split()).replace('|', '/')[-200:]}"]]


def _first(log: Made, lnav: Lnav, options: Options) -> list[Row]:
    """Open a large file and an empty one in turns."""
    empty = options.home / "empty.log"
    empty.touch()
    warm(log.path)

    def measure() -> list[Row]:
        large, bare = [], []
        for _ in range(options.repeat(9, least=1)):
            bare.append(1000 * first_screen(options.home, empty, ""))
            large.append(1000 * first_screen(options.home, log.path, log.last))
        more = statistics.median(large) - statistics.median(bare)
        peer = _peer(lnav, lambda: 1000 * lnav.indexed(log, filtered=False)[0])
        limit = verdict(round(more), FIRST_LIMIT, "ms")
        return [
            ["an empty file, ms", "", "", spread(bare, digits=0), "", ""],
            [
                "first screen, ms",
                log.name,
                f"lnav {peer:,.0f}" if peer else "",
                spread(large, digits=0),
                "",
                "",
            ],
            ["first screen, ms more than the empty file's", log.name, "", f"{more:.0f}", "", limit],
        ]

    rows = _attempt("first screen", measure)
    options.noise.listen()
    return rows


def warm(path: Path) -> None:
    """Read a file, so that everyone finds it in memory."""
    with path.open("rb") as opened:
        while opened.read(1 << 22):
            pass


def _peer(lnav: Lnav, measure: Callable[[], float]) -> float:
    return measure() if lnav.there else 0.0


def _file(log: Made, lnav: Lnav, options: Options) -> list[Row]:
    warm(log.path)
    small = log.lines < SIZES[-1]
    ours, theirs = Figures(), Figures()
    scans: list[float] = []
    for _ in range(options.repeat(3)):
        ours.measure(options.home, log, times=options.repeat(3))
        if lnav.there and (small or not theirs.indexed):
            indexed, held, filtered = lnav.indexed(log, filtered=True)
            theirs.indexed.append(indexed)
            theirs.held.append(held)
            theirs.filtered.append(filtered)
        scans += [took for _ in range(3) if (took := _scanned(log))]
    whole = log.lines >= SIZES[-1]
    return [
        _row("full index, s", log, ("lnav", theirs.indexed), ours.indexed, INDEX if whole else 0),
        _row(
            "its memory, MB",
            log,
            ("lnav", _megabytes(theirs.held)),
            _megabytes(ours.held),
            MEMORY if whole else 0,
        ),
        _row("a rare string, s", log, ("rg", scans), ours.rare, SEARCH),
        _row("a filter with 3 patterns, s", log, ("lnav", theirs.filtered), ours.filtered, FILTER),
    ]


def _megabytes(held: Sequence[float]) -> list[float]:
    return [each / 1e6 for each in held]


def _row(what: str, log: Made, peer: tuple[str, Sequence[float]], ours: Sequence[float], limit: float) -> Row:
    name, theirs = peer
    if not theirs:
        return [what, log.name, "", spread(ours), "", "no peer here"]
    ratio = statistics.median(ours) / statistics.median(theirs)
    held = verdict(round(ratio, 2), limit, "times") if limit else ""
    return [what, log.name, f"{name} {spread(theirs)}", spread(ours), f"{ratio:.2f}", held]


def _scanned(log: Made) -> float:
    """Count the rare string's lines with ripgrep; return the seconds, 0 where it is not there."""
    program = shutil.which("rg")
    if program is None:
        return 0.0
    began = time.perf_counter()
    ended = subprocess.run(
        [program, "-c", "-F", RARE, str(log.path)], capture_output=True, text=True, check=True
    )
    took = time.perf_counter() - began
    assert int(ended.stdout) == log.rare
    return took


def _count(log: Made, lnav: Lnav, options: Options) -> list[Row]:
    """Count JSON lines by a field: whole programs, from their start to their end."""
    program = cockpit(options.home)
    statement = f"select {FIELD}, count(*) from logs group by {FIELD}"
    argv = [*program.argv, "logs", "sql", "--csv", statement, str(log.path)]
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(options.repeat(3)):
        began = time.perf_counter()
        ended = subprocess.run(argv, capture_output=True, text=True, env=environment(program.env), check=True)
        ours.append(time.perf_counter() - began)
        counted = sum(int(line.rsplit(",", 1)[1]) for line in ended.stdout.splitlines()[1:])
        assert counted == log.lines, f"counted {counted}"
        if lnav.there and (log.lines < SIZES[-1] or not theirs):
            took, counted = lnav.counted(log, FIELD)
            assert counted == log.lines, f"lnav counted {counted}"
            theirs.append(took)
    return [_row("count by field in SQL, s", log, ("lnav", theirs), ours, COUNT)]


def _keys(log: Made, options: Options) -> list[Row]:
    indexing, filtering = key_times(options.home, log, rounds=options.repeat(5))
    return [
        _pressed("keys while it is indexed, ms", log.name, indexing),
        _pressed("keys while it is filtered, ms", log.name, filtering),
    ]


def _pressed(what: str, of: str, times: Sequence[float]) -> Row:
    if not times:
        return [what, of, "", "done before a key was pressed", "", ""]
    p99 = percentile(times, 0.99)
    said = f"p50 {percentile(times, 0.5):.0f}, p99 {p99:.0f}, of {len(times)}"
    return [what, of, "", said, "", verdict(round(p99), KEY_LIMIT, "ms")]


def _tail(options: Options) -> list[Row]:
    rate, seconds = (2_000, 1.0) if options.quick else (RATE, 10.0)
    got = tailed(options.home, rate=rate, seconds=seconds, rest=options.settle(1.0))
    of = f"{rate:,} lines/s for {2 * seconds:g} s"
    p99 = percentile(got.lags, 0.99)
    lag = f"p50 {percentile(got.lags, 0.5):.2f}, p99 {p99:.2f}, of {len(got.lags)}"
    return [
        ["lines lost", of, "", f"{got.lost:,} of {got.written:,}", "", verdict(got.lost, 0, "")],
        ["from write to screen, s", of, "", lag, "", verdict(round(p99, 2), LAG_LIMIT, "s")],
        _pressed("keys while it grows, ms", of, got.keys),
    ]


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's variables with others put over them."""
    return {**os.environ, **more}


def _notes(lnav: Lnav, options: Options) -> list[str]:
    versions = [lnav.version if lnav.there else "lnav is not installed here"]
    versions.append(_version("rg"))
    return [
        f"Files are read before, so that everyone finds them in memory. Peers: {', '.join(versions)}. Median "
        f"(least–greatest); at a {options.size} terminal.",
        "First screen: from `exec` until the file's last line is drawn on a whole screen; nine times, in turns with "
        "an empty file. lnav shows its last lines once it has indexed all.",
        "Full index: from `exec` until the title counts every line; lnav: until the last line is drawn. Memory until "
        "then: the most that the process and all it started held, what they share counted once (PSS), ten looks a "
        "second.",
        "Searches: from pasting the query (lnav: Enter) until the screen counts what is found in the whole file; "
        "`rg -c -F` from start to end. Three patterns are joined by `or`; in lnav by a bar in one `:filter-in`. At "
        "10 M lines lnav ran once.",
        f"Count by field: `select {FIELD}, count(*) … group by {FIELD}`, both programs from start to end; lnav has a "
        "format of its own for these lines.",
        "From write to screen: for every 20 ms of writing, until a line as new is drawn. Keys: from the press until "
        "the cursor is drawn in another row, pauses of 30 to 150 ms.",
        f"{'The real log is' if sample() else 'Not at hand: the real log,'} loghub's OpenSSH sample of 2,000 lines "
        "repeated, with times that go on.",
    ]


def _version(program: str) -> str:
    if shutil.which(program) is None:
        return f"{program} is not installed here"
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )[0]
