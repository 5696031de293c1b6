"""What judging a command costs: every line of the labelled corpus, once the rules are read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

from bench.options import Options
from bench.report import Table, percentile, verdict
from cockpit.guard.classify import Classified, Classifier

CORPUS = Path(__file__).parents[1] / "tests" / "unit" / "guard" / "corpus"
LIMIT = 2.0


def run(options: Options) -> Table:
    """Judge the corpus over and over."""
    began = time.perf_counter()
    judge = Classifier()
    judge.line("psql -c 'select 1' | jq . | awk '{print $1}' | sed -n 1p")
    first = 1000 * (time.perf_counter() - began)
    entries = list(_entries())[: 200 if options.quick else None]
    for entry in entries:
        _judge(judge, entry)
    times: dict[str, list[float]] = {}
    waited: list[float] = []
    for _ in range(options.repeat(5)):
        for entry in entries:
            began, worked = time.perf_counter(), time.thread_time()
            _judge(judge, entry)
            times.setdefault(entry["family"], []).append(1000 * (time.thread_time() - worked))
            waited.append(1000 * (time.perf_counter() - began))
        options.noise.listen()
    every = [each for family in times.values() for each in family]
    slowest = sorted(times, key=lambda family: -percentile(times[family], 0.99))[:5]
    rows = [_row("all families", every, limit=True), *(_row(family, times[family]) for family in slowest)]
    rows.append(_row("all families, by the clock", waited, limit=True))
    notes = [
        f"Milliseconds of CPU to judge one command of the corpus ({len(entries):,} of them, five times over), in a "
        "process that has judged each once before; the five families with the greatest p99 below all of them. By the "
        "clock, what else the machine did counts too.",
        f"The first judgement of a process, which reads the rules and loads the grammar: {first:.0f} ms.",
    ]
    return Table(
        "Judging a command",
        ["family", "commands", "p50", "p95", "p99", "greatest", "limit (p99)"],
        rows,
        notes,
    )


def _entries() -> Iterator[dict[str, str]]:
    for file in sorted(CORPUS.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _judge(judge: Classifier, entry: dict[str, str]) -> Classified:
    return judge.argv(entry["argv"]) if "argv" in entry else judge.line(entry["shell"])


def _row(name: str, times: list[float], *, limit: bool = False) -> list[str]:
    figures = [percentile(times, share) for share in (0.5, 0.95, 0.99, 1.0)]
    return [
        name,
        f"{len(times):,}",
        *(f"{each:.2f}" for each in figures),
        verdict(figures[2], LIMIT, "ms") if limit else "",
    ]
