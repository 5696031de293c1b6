"""Clients of databases: which of their words, or which input, is a script, and in which language.

Sources: psql(1) of PostgreSQL 15, mysql(1) of MariaDB 10.11, sqlite3(1), redis-cli and its `--help`, mongosh's and
clickhouse-client's documentation, cqlsh's and influx's `--help`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.languages.words import words
from cockpit.guard.words import Word

Judge = Callable[[str], list[Finding]]


def psql(call: Call) -> list[Finding]:
    """Judge `psql [-c SCRIPT]… [-f FILE]`, or the script that it reads; each `-c` may be one meta-command."""
    from cockpit.guard.languages.psql import judge_psql

    if call.has("-l", "--list", "-V", "--version", "-?", "--help"):
        return [call.finding(Risk.READ, "lists databases, or prints help")]

    def judge(script: str) -> list[Finding]:
        return judge_psql(script, shell=_shell(call))

    found = _named_variables(call, "-v", "--set", "--variable")
    scripts = call.values("-c", "--command")
    return found + _explained(call, scripts, _scripts(call, scripts, judge, files=("-f", "--file")), judge)


def mysql(call: Call) -> list[Finding]:
    """Judge `mysql [-e SCRIPT]`, or the script that it reads."""
    from cockpit.guard.languages.mysql_client import judge_mysql

    if call.has("-V", "--version", "-?", "--help", "--print-defaults"):
        return [call.finding(Risk.READ, "prints help")]

    def judge(script: str) -> list[Finding]:
        return judge_mysql(script, shell=_shell(call))

    scripts = call.values("-e", "--execute", "--init-command")
    return _explained(call, scripts, _scripts(call, scripts, judge), judge)


def sqlite(call: Call) -> list[Finding]:
    """Judge `sqlite3 [-cmd SCRIPT]… FILE [SCRIPT…]`, or the script that it reads."""
    from cockpit.guard.languages.sqlite_shell import judge_sqlite

    if call.has("-version", "-help"):
        return [call.finding(Risk.READ, "prints help")]

    def judge(script: str) -> list[Finding]:
        return judge_sqlite(script, shell=_shell(call))

    scripts = [*call.values("-cmd"), *call.parts.operands[1:]]
    found = _scripts(call, scripts, judge, alone=not call.parts.operands[1:])
    if call.has("-readonly"):
        # Opened read-only, nothing in the file changes; what a dot-command writes or runs is outside of it.
        return [each for each in found if each.risk is Risk.READ or each.part.startswith(".")] or [
            call.finding(Risk.READ, "opens the file read-only")
        ]
    return found


def redis(call: Call) -> list[Finding]:
    """Judge `redis-cli [OPTIONS] [COMMAND…]`, or the commands that it reads."""
    from cockpit.guard.languages.redis import judge_redis, judge_redis_script

    if call.has("--version", "--help"):
        return [call.finding(Risk.READ, "prints help")]
    if call.has("--eval"):
        return [call.finding(Risk.UNKNOWN, "runs a script that isn't known before")]
    if call.has("--pipe"):
        return [call.finding(Risk.UNKNOWN, "runs what it reads")]
    if call.has("--rdb", "--functions-rdb"):
        return [call.finding(Risk.CHANGE, "writes a file")]
    if call.has("--lru-test", "--replica", "--slave"):
        return [call.finding(Risk.CHANGE, "fills or follows the server")]
    if call.has("--cluster"):
        return _redis_cluster(call)
    looks = call.has(
        "--scan", "--bigkeys", "--memkeys", "--keystats", "--hotkeys", "--stat", "--latency", "--latency-history",
        "--latency-dist", "--intrinsic-latency",
    )  # fmt: skip
    if looks and not call.parts.operands:
        return [call.finding(Risk.READ, "looks at keys or latency")]
    given: list[str | None] = [
        None if word.text is None or word.many else word.text for word in call.parts.operands
    ]
    if given:
        return judge_redis([*given, None] if call.has("-x", "-X") else given)
    return _read(call, judge_redis_script)


def _redis_cluster(call: Call) -> list[Finding]:
    wanted = [value.text for value in call.values("--cluster")]
    if (
        wanted
        and set(wanted) <= {"check", "info", "help"}
        and not call.has("--cluster-fix-with-unreachable-masters")
    ):
        return [call.finding(Risk.READ, "looks at a cluster")]
    grave = bool(set(wanted) & {"del-node", "fix"})
    return [call.finding(Risk.DESTRUCTIVE if grave else Risk.CHANGE, "changes a cluster")]


def mongo(call: Call) -> list[Finding]:
    """Judge `mongosh [--eval SCRIPT]… [FILE.js…]`, or the script that it reads."""
    from cockpit.guard.languages.mongo import judge_mongo

    if call.has("--version", "--help", "-h", "--build-info"):
        return [call.finding(Risk.READ, "prints help")]
    files = [word for word in call.parts.operands if (word.text or "").endswith((".js", ".mongodb"))]
    if files or call.has("--shell") or call.values("-f", "--file"):
        return [call.finding(Risk.UNKNOWN, "runs a script that isn't known before, or stays open")]
    return _scripts(call, call.values("--eval"), judge_mongo)


def clickhouse(call: Call) -> list[Finding]:
    """Judge `clickhouse-client [--query SQL]`, or the script that it reads."""
    from cockpit.guard.languages.sql import judge_sql

    if call.has("-V", "--version", "--help"):
        return [call.finding(Risk.READ, "prints help")]
    files = ("--queries-file",)
    return _scripts(
        call, call.values("-q", "--query"), lambda text: judge_sql(text, dialect="clickhouse"), files=files
    )


def duckdb(call: Call) -> list[Finding]:
    """Judge `duckdb FILE [SQL]` or `duckdb -c SQL`; dot-commands are not followed."""
    from cockpit.guard.languages.sql import judge_sql

    if call.has("-version", "-help"):
        return [call.finding(Risk.READ, "prints help")]

    def judge(text: str) -> list[Finding]:
        if any(line.lstrip().startswith(".") for line in text.splitlines()):
            return [call.finding(Risk.UNKNOWN, "holds dot-commands")]
        return judge_sql(text, dialect="duckdb")

    scripts = [*call.values("-c", "-cmd", "-s"), *call.parts.operands[1:]]
    return _scripts(call, scripts, judge, files=("-f", "-init"))


def cql(call: Call) -> list[Finding]:
    """Judge `cqlsh [-e SCRIPT]`, or the script that it reads."""
    from cockpit.guard.languages.cql import judge_cql

    if call.has("--version", "--help"):
        return [call.finding(Risk.READ, "prints help")]
    return _scripts(call, call.values("-e", "--execute"), judge_cql, files=("-f", "--file"))


def influx(call: Call) -> list[Finding]:
    """Judge `influx -execute SCRIPT`, or the script that it reads."""
    from cockpit.guard.languages.influx import judge_influx

    if call.has("-import"):
        return [call.finding(Risk.CHANGE, "imports data")]
    if call.has("-version", "-help"):
        return [call.finding(Risk.READ, "prints help")]
    return _scripts(call, call.values("-execute"), judge_influx)


def flux(call: Call) -> list[Finding]:
    """Judge `influx query FLUX`: a script that calls nothing but functions known to read and shape.

    Source: the Flux standard library's reference.
    """
    scripts = call.parts.operands
    if not scripts or any(word.text is None for word in scripts):
        return [call.finding(Risk.UNKNOWN, "runs a script that isn't known before")]
    text = " ".join(word.text or "" for word in scripts)
    called = set(re.findall(r"([A-Za-z_][\w.]*)\s*\(", text))
    if called - _FLUX_READS or re.search(r"\b(import|option|builtin)\b", text):
        return [call.finding(Risk.UNKNOWN, "calls functions that no rule knows")]
    return [call.finding(Risk.READ, "reads")]


_FLUX_READS = words(
    """
    from range filter fn mean sum count min max first last median stddev spread quantile group aggregateWindow window
    duplicate drop keep rename map sort limit tail top bottom distinct unique pivot join union yield derivative
    difference increase cumulativeSum movingAverage timeShift histogram histogramQuantile fill elapsed sample mode
    buckets tableFind findColumn findRecord time now duration string int float bool exists reduce columns keys set
    toString toInt toFloat timedMovingAverage exponentialMovingAverage skew integral covariance and or not
    """
)


def tsql(call: Call) -> list[Finding]:
    """Judge `sqlcmd -Q SQL`; its own commands (`:r`, `:!!`) begin a line with a colon."""
    from cockpit.guard.languages.sql import judge_sql

    def judge(text: str) -> list[Finding]:
        if any(line.lstrip().startswith((":", "!!")) or "$(" in line for line in text.splitlines()):
            return [call.finding(Risk.UNKNOWN, "holds the client's own commands")]
        lines = [line for line in text.splitlines() if line.strip().upper() != "GO"]
        return judge_sql("\n".join(lines), dialect="tsql")

    if call.has("-o", "-e"):
        return [call.finding(Risk.CHANGE, "writes a file"), *_scripts(call, call.values("-Q", "-q"), judge)]
    return _scripts(call, call.values("-Q", "-q"), judge, files=("-i",))


def _scripts(
    call: Call, scripts: Sequence[Word], judge: Judge, *, files: tuple[str, ...] = (), alone: bool = True
) -> list[Finding]:
    """Judge the scripts among a client's words; without any, what it reads."""
    given = call.values(*files)
    if given and not scripts and all(word.text in {"-", "/dev/stdin"} for word in given):
        return _read(call, judge)
    if call.has(*files):
        return [call.finding(Risk.UNKNOWN, "runs a script that isn't known before")]
    found: list[Finding] = []
    for script in scripts:
        if script.text is None or script.glob:
            found.append(call.finding(Risk.UNKNOWN, f"runs a script that isn't known: {script.raw}"))
        else:
            found += judge(script.text)
    return found if scripts else [*found, *(_read(call, judge) if alone else [])]


def _explained(call: Call, scripts: Sequence[Word], found: list[Finding], judge: Judge) -> list[Finding]:
    """Offer `EXPLAIN` as the dry run of one statement that changes rows, where that only reads."""
    known = all(word.text is not None and not word.glob for word in call.words)
    if len(scripts) != 1 or len(found) != 1 or found[0].risk is Risk.READ or not known:
        return found
    script = scripts[0].text or ""
    explained = f"EXPLAIN {script}"
    if not re.match(r"(?i)\s*(update|delete|insert|merge)\b", script) or any(
        each.risk is not Risk.READ for each in judge(explained)
    ):
        return found
    argv = [explained if word.text == script else word.text or "" for word in call.words]
    return [replace(found[0], preview=tuple(argv))] if explained in argv else found


def _read(call: Call, judge: Judge) -> list[Finding]:
    if call.given == NOTHING:
        return [call.finding(Risk.UNKNOWN, "opens a client that waits for commands")]
    if call.given.text is None:
        return [call.finding(Risk.UNKNOWN, "runs what it reads, which isn't known before")]
    return judge(call.given.text)


def _shell(call: Call) -> Callable[[str], list[Finding]]:
    def judge(line: str) -> list[Finding]:
        return call.inner.line(Word(raw=line, text=line), NOTHING)

    return judge


def _named_variables(call: Call, *names: str) -> list[Finding]:
    """Variables whose values aren't known may become any part of the script."""
    return [
        call.finding(Risk.UNKNOWN, f"puts a value that isn't known into its script: {value.raw}")
        for value in call.values(*names)
        if value.text is None
    ]
