"""The columns that every log's table has, as expressions over the fields of JSON lines."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.formats import structured
from cockpit.formats.levels import SYSLOG, WORDS
from cockpit.signals import level_name
from cockpit.stores.logs.sql.names import COMMON, quoted, text


def json_columns(types: dict[str, str]) -> dict[str, str]:
    """Return the expressions for the common columns of JSON lines but source and line, by name.

    Args:
        types: What is read of the objects: a type a field.
    """
    found = {
        "time": _first(types, structured.TIMES, _time),
        "level": _level(types, words=True),
        "severity": _level(types, words=False),
        "body": _first(types, structured.BODIES, _string),
        "service": _first(types, structured.SERVICES, _string),
        "host": _first(types, structured.HOSTS, _string),
        "trace_id": _first(types, structured.TRACES, _string),
    }
    return {name: expression or f"NULL::{COMMON[name]}" for name, expression in found.items()}


def _first(types: dict[str, str], names: Iterable[str], expression: object) -> str:
    parts = []
    for name in names:
        if (read := _read(types, name)) is not None and (part := expression(*read)):  # type: ignore[operator]
            parts.append(part)
    return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})" if parts else ""


def _read(types: dict[str, str], name: str) -> tuple[str, str] | None:
    """Return how a field is read and its type; `a.b` may be a member of `a`."""
    if name in types:
        return quoted(name), types[name]
    outer, dot, inner = name.partition(".")
    if dot and types.get(outer) == "JSON":
        return f"{quoted(outer)}->>{text(f'$.{quoted(inner)}')}", "VARCHAR"
    return None


def _string(read: str, kind: str) -> str:
    return f"nullif({read}, '')" if kind == "VARCHAR" else ""


def _time(read: str, kind: str) -> str:
    if kind in ("BIGINT", "DOUBLE", "HUGEINT"):
        return _epoch(read)
    if kind != "VARCHAR":
        return ""
    return f"coalesce(try_cast({read} AS TIMESTAMPTZ), {_epoch(f'try_cast({read} AS DOUBLE)')})"


def _epoch(read: str) -> str:
    """Return a moment told by a number in any unit: its size tells which."""
    units = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (9.3e18, 1e-3))
    cases = " ".join(f"WHEN abs({read}) < {limit:.0f} THEN {read} * {factor:g}" for limit, factor in units)
    return f"timezone('UTC', make_timestamp(try_cast(round(CASE {cases} END) AS BIGINT)))"


def _level(types: dict[str, str], *, words: bool) -> str:
    parts = []
    for name in structured.LEVELS:
        if (read := _read(types, name)) is None:
            continue
        if read[1] == "VARCHAR":
            parts.append(_of_word(read[0], words=words))
        elif read[1] in ("BIGINT", "DOUBLE"):
            parts.append(_of_number(read[0], words=words))
    for name in structured.NUMBERS:
        if types.get(name) == "BIGINT":
            number = quoted(name)
            told = f"CASE WHEN {number} BETWEEN 1 AND 24 THEN {number} END"
            parts.append(_named(told) if words else told)
    joined = parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})" if parts else ""
    return joined if words or not joined else f"({joined})::UTINYINT"


def _of_word(read: str, *, words: bool) -> str:
    cases: dict[int | str, list[str]] = {}
    for word, number in WORDS.items():
        cases.setdefault(level_name(number) if words else number, []).append(word)
    shown = text if words else str
    whens = " ".join(
        f"WHEN lower({read}) IN ({', '.join(map(text, told))}) THEN {shown(str(meant))}"
        for meant, told in sorted(cases.items(), key=lambda case: -("info" in case[1]))
    )
    return f"CASE {whens} ELSE {_of_number(f'try_cast({read} AS INTEGER)', words=words)} END"


def _of_number(read: str, *, words: bool) -> str:
    """Return the level of a number: from 10 on as bunyan and pino count, below as syslog does."""
    pino = (1, 5, 9, 13, 17, 21)
    shown = (lambda number: text(level_name(number))) if words else str
    tens = " ".join(f"WHEN {10 * place + 10} THEN {shown(number)}" for place, number in enumerate(pino))
    syslog = " ".join(f"WHEN {place} THEN {shown(number)}" for place, number in enumerate(SYSLOG))
    return (
        f"CASE WHEN {read} BETWEEN 10 AND 69 THEN CASE ({read}::INTEGER // 10) * 10 {tens} END"
        f" WHEN {read} BETWEEN 0 AND 7 THEN CASE {read} {syslog} END END"
    )


def _named(number: str) -> str:
    whens = " ".join(f"WHEN {band} THEN {text(level_name(4 * band + 1))}" for band in range(6))
    return f"CASE (({number}) - 1) // 4 {whens} END"
