"""Searching and listing a long action log, and what the index for it costs whoever writes."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from bench.options import Options
from bench.report import Table, percentile, spread, verdict
from cockpit.actionlog import search
from cockpit.actionlog.database import connect, immediate
from cockpit.actionlog.filters import Filter
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Result, State
from cockpit.actionlog.ulid import Ulids
from cockpit.actions.command import Command, Risk
from cockpit.guard.judge import Decision
from cockpit.targets import Target

SIZE = 1_000_000
LIMIT_MS = 100.0
ROUNDS = 15
BEGINS = 300
RARE = 10_007
"""One action in so many is on the rare target, and says the rare word; the two never meet."""


def run(options: Options) -> Table:
    """Write a log of a million actions, and ask it questions."""
    size = 2_000 if options.quick else SIZE
    path = options.home / "search" / "actions.db"
    ActionLog.open(path).close()
    started = time.perf_counter()
    _fill(path, size)
    filled = time.perf_counter() - started
    with closing(connect(path)) as db:
        started = time.perf_counter()
        with immediate(db):
            search.rebuild(db)
        rebuilt = time.perf_counter() - started
        pages = db.execute("select sum(length(block)) from search_data").fetchone()[0]
    rows = list(_asked(path, size, options))
    with_index, without = _begins(path, options)
    options.noise.listen()
    rows.append(
        [f"recording an intent, median and p99 of {len(with_index)}: indexed", *_pair(with_index), ""]
    )
    rows.append(["the same without the index", *_pair(without), ""])
    notes = [
        f"Milliseconds. A log of {size:,} actions, each with its result, one in ten with output: "
        f"{path.stat().st_size / 1e6:,.0f} MB, of which the index is {pages / 1e6:,.0f} MB. "
        f"Written in {filled:.0f} s; its index is made anew in {rebuilt:.0f} s.",
        f"The first 50, newest first, of a reader that is open already: median (least–greatest) of {ROUNDS}, and the "
        "greatest against the limit. The rare word and the rare target are in one action of ten thousand.",
    ]
    return Table("Searching the action log", ["what", "median (least–greatest)", "p99", "limit"], rows, notes)


def _pair(values: list[float]) -> tuple[str, str]:
    return spread(values, 1000, 2), f"{percentile(values, 0.99) * 1000:.2f}"


def _asked(path: Path, size: int, options: Options) -> Iterator[list[str]]:
    """Ask each question again and again."""
    reader = ActionReader(path)
    last = _at(size)
    hour, day = 3600 * 10**9, 86_400 * 10**9

    def searching(**wanted: object) -> Callable[[], object]:
        return lambda: reader.search(Filter(**wanted))  # type: ignore[arg-type]

    questions: dict[str, Callable[[], object]] = {
        "search: a word in every action": searching(text="kubectl"),
        "search: a rare word": searching(text="quorum"),
        "search: a word of the output": searching(text="denied"),
        "search: a phrase": searching(text='"rollout restart"'),
        "search: the beginning of a word": searching(text="roll*"),
        "search: two common words and one that is nowhere": searching(text="kubectl rollout nowhere"),
        "search: a common word on the rare target": searching(text="kubectl", target="db-rare"),
        "search: a common word, rare target, another risk": searching(
            text="kubectl", target="db-rare", risk="destructive"
        ),
        "search: a common word in an hour long ago": searching(
            text="kubectl", since_ns=_at(0) + day, until_ns=_at(0) + day + hour
        ),
        "search: a common word of the failed": searching(text="kubectl", state="failed"),
        "search: a common word of the denied": searching(text="kubectl", state="denied"),
        "list: the newest": lambda: reader.find(Filter()),
        "list: on the rare target": lambda: reader.find(Filter(target="db-rare")),
        "list: what destroys": lambda: reader.find(Filter(risk="destructive")),
        "list: what was denied": lambda: reader.find(Filter(state="denied")),
        "list: the last day's": lambda: reader.find(Filter(since_ns=last - day)),
    }
    for name, ask in questions.items():
        took = []
        for _ in range(options.repeat(ROUNDS, least=2)):
            started = time.perf_counter()
            ask()
            took.append(time.perf_counter() - started)
        options.noise.listen()
        yield [name, *_pair(took), verdict(max(took) * 1000, LIMIT_MS, "ms")]
    reader.close()


def _begins(path: Path, options: Options) -> tuple[list[float], list[float]]:
    """Return the seconds that recording an intent takes with the index and without, in turns of a log each."""
    took: tuple[list[float], list[float]] = ([], [])
    for indexed in (1, 0):
        if not indexed:
            with closing(sqlite3.connect(path)) as db:
                db.execute("drop trigger actions_search")
        took[1 - indexed].extend(asyncio.run(_begin(path, options.repeat(BEGINS, least=3))))
    return took


async def _begin(path: Path, times: int) -> list[float]:
    log = ActionLog.open(path)
    took = []
    for turn in range(times):
        command = Command(
            argv=("kubectl", "get", "pods", str(turn)), target=Target(name="local"), actor="a@b"
        )
        started = time.perf_counter()
        action = await log.begin(command, Risk.READ, Decision.RUN, ("kubectl get reads",))
        took.append(time.perf_counter() - started)
        await log.finish(action, Result(state=State.DONE, exit_status=0))
    log.close()
    return took


def _at(number: int) -> int:
    """Return when an action began: one every 30 seconds, for a year of a million."""
    return 1_750_000_000_000_000_000 + number * 30 * 10**9


def _fill(path: Path, size: int) -> None:
    """Write actions past the log, as it would take a day to write them one by one."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        kept = db.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
        for name, _ in kept:
            db.execute(f"drop trigger {name}")
        db.execute("pragma synchronous = off")
        db.execute("begin")
        place = db.execute("select position from chain_head").fetchone()[0]
        ids = Ulids()
        sessions = [ids.new() for _ in range(200)]
        actions, results, outputs = [], [], []
        for number in range(size):
            action = ids.new()
            actions.append(_action(action, sessions[number * 200 // size], number, place + 1))
            results.append(_result(action, number, place + 2))
            place += 2
            if number % 10 == 0:
                place += 1
                outputs.append(_output(action, number, place))
            if len(actions) == 10_000 or number == size - 1:
                for table, rows in (("actions", actions), ("results", results), ("output", outputs)):
                    _insert(db, table, rows)
                    rows.clear()
        db.execute("update chain_head set position = ?", [place])
        for _, sql in kept:
            db.execute(sql)
        db.execute("commit")


def _insert(db: sqlite3.Connection, table: str, rows: list[dict[str, object]]) -> None:
    if rows:
        names = ", ".join(rows[0])
        marks = ", ".join(f":{name}" for name in rows[0])
        db.executemany(f"insert into {table} ({names}) values ({marks})", rows)


def _action(action: str, session: str, number: int, place: int) -> dict[str, object]:
    rare = number % RARE == 0
    words = ("get", "pods"), ("rollout", "restart"), ("delete", "pod"), ("logs", "--tail=100")
    argv = ("kubectl", *words[number % 4], f"checkout-{number % 5003:x}", "-n", f"team-{number % 40}")
    return {
        "id": action,
        "session": session,
        "started_ns": _at(number),
        "kind": "command",
        "incident": f"INC-{number // 5000}",
        "actor": f"user{number % 30}@desk",
        "origin": "operator",
        "target": "db-rare" if number % RARE == 1 else f"cluster-{number % 12}",
        "environment": ("production", "staging")[number % 2],
        "transport": "local",
        "argv": json.dumps([*argv, "quorum"] if rare else argv),
        "reason": "the checkout is slow and the queue grows" if number % 3 else None,
        "risk": ("read", "change", "destructive", "read")[number % 4],
        "decision": "run",
        "reasons": '["kubectl, as the rules have it"]',
        "position": place,
        "hash": "0" * 64,
    }


def _result(action: str, number: int, place: int) -> dict[str, object]:
    state = "denied" if number % 20_011 == 7 else "failed" if number % 9 == 0 else "done"
    return {
        "id": place,
        "action": action,
        "recorded_ns": _at(number) + 10**9,
        "recorded_by": "",
        "ended_ns": _at(number) + 10**9,
        "state": state,
        "exit_status": 0 if state == "done" else 1,
        "output_bytes": 0,
        "output_kept": 0,
        "position": place,
        "hash": "0" * 64,
    }


def _output(action: str, number: int, place: int) -> dict[str, object]:
    said = "permission denied" if number % 1000 == 0 else "Running 1/1 ready"
    data = f"checkout-{number % 5003:x}   {said}   {number % 60}m\n".encode() * 4
    return {
        "action": action,
        "seq": 0,
        "at_ns": _at(number),
        "pieces": json.dumps([[0, "stdout", len(data)]]),
        "codec": "raw",
        "size": len(data),
        "sha256": "0" * 64,
        "data": data,
        "position": place,
        "hash": "0" * 64,
    }
