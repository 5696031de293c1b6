"""Judge what a MongoDB shell is given, as `--eval`, a file or standard input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding, rank
from cockpit.guard.languages.javascript import Chain, Made, Pairs, Reader, Step, UnreadableError
from cockpit.guard.languages.lexer import LIMIT
from cockpit.guard.languages.mongo_methods import (
    CODE,
    COLLECTION,
    COMMANDS,
    CURSOR,
    DATABASE,
    REPLICA_SET,
    SHARDS,
    SHOWS,
    WRITES,
)
from cockpit.guard.languages.mongo_scripts import only_looks
from cockpit.guard.languages.words import Effect

_PRINTS = frozenset({"print", "printjson", "tojson", "console.log", "JSON.stringify", "EJSON.stringify"})
_DATABASES = frozenset({"getSiblingDB", "getSisterDB", "getDB"})
_READING_CONNECTION = frozenset(
    {"getDBNames", "getDBs", "getReadPrefMode", "getReadConcern", "setReadPref", "setSecondaryOk"}
)
_QUERIES = frozenset({"find", "findOne", "count", "countDocuments"})
"""Methods to which a text is code."""
_CALLED = re.compile(r"""[.\]]\s*([A-Za-z]+)\s*\(|\[\s*["']([A-Za-z]+)["']\s*\]\s*\(""")
_LEGACY_HELP = frozenset({"help", "exit", "quit", "it", "cls"})


def judge_mongo(script: str) -> list[Finding]:
    """Judge every statement of a script; what is more than a chain of known methods is unknown."""
    if len(script) > LIMIT:
        return [_finding(Risk.UNKNOWN, script, "is too long to be judged")]
    findings: list[Finding] = []
    try:
        reader = Reader(script)
        while not reader.ended():
            findings += _helper(reader) or _chain(reader.chain())
    except UnreadableError as error:
        if only_looks(script):
            return [_finding(Risk.READ, script, "only looks")]
        return [*findings, _finding(Risk.UNKNOWN, script, str(error)), *_called(script)]
    return findings or [_finding(Risk.READ, "", "runs nothing")]


def _finding(risk: Risk, part: str, why: str) -> Finding:
    return Finding(risk=risk, part=" ".join(part.split())[:400], why=why)


def _helper(reader: Reader) -> list[Finding]:
    """Judge `show dbs`, `use x` and their like, which are no JavaScript."""
    line = reader.rest_of_line()
    said = [piece.text for piece in line]
    part = " ".join(said)
    if said[:1] == ["use"] and len(said) == 2 and line[1].kind in {"name", "string"}:
        reader.skip(2)
        return [_finding(Risk.READ, part, "picks a database")]
    if said[:1] == ["show"] and len(said) in {2, 3} and said[1] in SHOWS:
        reader.skip(len(said))
        return [_finding(Risk.READ, part, "shows")]
    if len(said) == 1 and said[0] in _LEGACY_HELP:
        reader.skip(1)
        return [_finding(Risk.READ, part, "is about the client alone")]
    return []


def _called(script: str) -> list[Finding]:
    """Find what an unreadable script calls, so that it is not taken for something milder than it is."""
    findings: list[Finding] = []
    for match in _CALLED.finditer(script):
        name = match.group(1) or match.group(2)
        for methods in (COLLECTION, DATABASE, REPLICA_SET):
            effect = methods.get(name)
            if effect is not None and rank(effect[0]) > rank(Risk.UNKNOWN):
                findings.append(_finding(effect[0], f"{name}(…)", effect[1]))
    return list(dict.fromkeys(findings))


def _chain(chain: Chain) -> list[Finding]:
    """Judge one chain."""
    root, rest = chain.steps[0], chain.steps[1:]
    part = chain.text
    if root.name == "" and root.arguments is not None:
        return [*_nested(root.arguments), _finding(Risk.READ, part, "is a value")]
    name = f"{root.name}.{rest[0].name}" if root.name in {"console", "JSON", "EJSON"} and rest else root.name
    if name in _PRINTS:
        called = rest[0] if "." in name else root
        if called.arguments is None or rest[1 if "." in name else 0 :]:
            return [_finding(Risk.UNKNOWN, part, "is no chain that is known here")]
        return [*_nested(called.arguments), _finding(Risk.READ, part, "prints")]
    if name in {"quit", "exit"} and not rest:
        return [_finding(Risk.READ, part, "is about the client alone")]
    if (
        root.name == "Object"
        and rest[:1]
        and rest[0].name in {"keys", "entries"}
        and rest[0].arguments is not None
    ):
        return [*_nested(rest[0].arguments), _finding(Risk.READ, part, "lists keys")]
    if root.arguments is not None or root.name not in {"db", "rs", "sh"}:
        return [_finding(Risk.UNKNOWN, part, "starts from what is not known here"), *_called(part)]
    arguments = [value for step in rest for value in step.arguments or ()]
    found = [*_nested(arguments, of=part), *_code(arguments, part)]
    if root.name == "db":
        return [*found, *_Database(part).judge(list(rest))]
    methods = REPLICA_SET if root.name == "rs" else SHARDS
    return [*found, *_of_methods(rest, methods, part)]


def _nested(values: Sequence[object], *, of: str = "") -> list[Finding]:
    """Judge chains among values; a name alone, such as the `printjson` of forEach, is judged where it is used."""
    findings: list[Finding] = []
    for value in _all(values):
        if isinstance(value, Chain) and not (of and _is_printer(value)):
            findings += _chain(value)
    return findings


def _is_printer(value: object) -> bool:
    return isinstance(value, Chain) and value.text in _PRINTS


def _all(values: Sequence[object]) -> Iterator[object]:
    """Yield values and all that are in them."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, Pairs):
            waiting += [inner for _, inner in value.items]
        elif isinstance(value, list):
            waiting += value


def _code(values: Sequence[object], part: str) -> list[Finding]:
    """Find code and stages that write among the keys of values."""
    keys = {key for value in _all(values) if isinstance(value, Pairs) for key, _ in value.items}
    findings: list[Finding] = []
    if keys & CODE:
        findings.append(_finding(Risk.UNKNOWN, part, "runs code on the server"))
    if keys & WRITES:
        findings.append(_finding(Risk.CHANGE, part, "writes what it finds into a collection"))
    return findings


def _of_methods(steps: Sequence[Step], methods: Mapping[str, Effect], part: str) -> list[Finding]:
    """Judge a chain whose first step is a method of a known list."""
    if not steps:
        return [_finding(Risk.READ, part, "shows what it is")]
    first = steps[0]
    if first.arguments is None:
        plain = all(step.arguments is None for step in steps)
        return [_finding(Risk.READ if plain else Risk.UNKNOWN, part, "shows what it is")]
    effect = methods.get(first.name)
    if effect is None:
        return [_finding(Risk.UNKNOWN, part, f"calls {first.name}, which is not known here")]
    return [_finding(*_at(effect, part)), *_results(steps[1:], part)]


def _at(effect: Effect, part: str) -> tuple[Risk, str, str]:
    return effect[0], part, effect[1]


def _results(steps: Sequence[Step], part: str) -> list[Finding]:
    """Judge what is done with what a method returned."""
    for step in steps:
        if step.arguments is None or step.name in CURSOR:
            continue
        if step.name in {"forEach", "map"} and all(_is_printer(value) for value in step.arguments):
            continue
        return [_finding(Risk.UNKNOWN, part, f"calls {step.name}, which is not known here"), *_called(part)]
    return []


class _Database:
    """Judges a chain that starts from `db`."""

    def __init__(self, part: str) -> None:
        self._part = part

    def judge(self, steps: list[Step]) -> list[Finding]:
        """Judge the steps after `db`."""
        path: list[str] = []
        while steps and steps[0].arguments is None:
            path.append(steps.pop(0).name)
        if not steps:
            return [self._one(Risk.READ, "shows what it is")]
        step = steps.pop(0)
        arguments = step.arguments or ()
        if path:
            return self._collection(step, steps)
        if step.name in _DATABASES:
            return self.judge(steps) if _is_name(arguments) else [self._one(Risk.UNKNOWN, "computes a name")]
        if step.name == "getMongo":
            return self._connection(steps)
        if step.name == "getCollection":
            if not _is_name(arguments):
                return [self._one(Risk.UNKNOWN, "computes a name")]
            while steps and steps[0].arguments is None:
                steps.pop(0)
            return (
                self._collection(steps[0], steps[1:]) if steps else [self._one(Risk.READ, "shows what it is")]
            )
        if step.name in {"runCommand", "adminCommand"}:
            return [*self._command(arguments), *_results(steps, self._part)]
        if step.name == "aggregate":
            return [self._one(Risk.READ, "reads"), *_results(steps, self._part)]
        return _of_methods([step, *steps], DATABASE, self._part)

    def _one(self, risk: Risk, why: str) -> Finding:
        return _finding(risk, self._part, why)

    def _connection(self, steps: list[Step]) -> list[Finding]:
        if not steps:
            return [self._one(Risk.READ, "shows what it is")]
        step = steps.pop(0)
        if step.name in _DATABASES and _is_name(step.arguments or ()):
            return self.judge(steps)
        known = step.name in _READING_CONNECTION
        return [
            self._one(Risk.READ if known else Risk.UNKNOWN, f"calls {step.name}"),
            *_results(steps, self._part),
        ]

    def _collection(self, step: Step, steps: Sequence[Step]) -> list[Finding]:
        name, arguments = step.name, step.arguments or ()
        first = arguments[0] if arguments else Pairs(())
        results = _results(steps, self._part)
        if name == "aggregate":
            return [self._one(Risk.READ, "reads"), *results]
        if name == "explain":
            known = all(
                later.arguments is None or later.name in {*COLLECTION, "aggregate"} for later in steps[:1]
            )
            return [
                self._one(Risk.READ if known else Risk.UNKNOWN, "shows a plan"),
                *_results(steps[1:], self._part),
            ]
        if name == "getPlanCache":
            reads = all(
                later.arguments is None or later.name in {"list", "listQueryShapes", "help"}
                for later in steps
            )
            return [self._one(Risk.READ if reads else Risk.CHANGE, "works on the cache of plans")]
        if name == "validate" and not any(
            isinstance(value, Pairs) and value.get("repair") for value in arguments
        ):
            return [self._one(Risk.READ, "checks a collection"), *results]
        if name in _QUERIES and isinstance(first, str):
            return [self._one(Risk.UNKNOWN, "runs code on the server")]
        if name == "deleteMany" and _matches_all(first):
            return [self._one(Risk.DESTRUCTIVE, "deletes every document: its filter matches all")]
        several = name == "updateMany" or any(
            isinstance(value, Pairs) and value.get("multi") for value in arguments
        )
        if name in {"updateMany", "update"} and several and _matches_all(first):
            return [self._one(Risk.DESTRUCTIVE, "changes every document: its filter matches all")]
        if name == "bulkWrite" and any(_deletes_all(value) for value in _all(arguments)):
            return [self._one(Risk.DESTRUCTIVE, "deletes every document: a filter of it matches all")]
        effect = COLLECTION.get(name)
        if effect is None:
            return [self._one(Risk.UNKNOWN, f"calls {name}, which is not known here"), *_called(self._part)]
        return [self._one(*effect), *results]

    def _command(self, arguments: Sequence[object]) -> list[Finding]:
        first = arguments[0] if arguments else None
        name = (
            first
            if isinstance(first, str)
            else first.items[0][0]
            if isinstance(first, Pairs) and first.items
            else ""
        )
        if name == "aggregate":
            return [self._one(Risk.READ, "reads")]
        if name == "profile" and isinstance(first, Pairs):
            level = first.items[0][1]
            reads = isinstance(level, Made) and level.text == "-1"
            return [self._one(Risk.READ if reads else Risk.CHANGE, "shows or changes what is profiled")]
        if name == "delete" and isinstance(first, Pairs):
            everything = any(isinstance(value, Pairs) and _deletes_all_q(value) for value in _all([first]))
            why = "deletes every document: a filter of it matches all" if everything else "deletes documents"
            return [self._one(Risk.DESTRUCTIVE if everything else Risk.CHANGE, why)]
        effect = COMMANDS.get(name)
        if effect is None:
            return [self._one(Risk.UNKNOWN, "runs a command that is not known here")]
        return [self._one(*effect)]


def _is_name(arguments: Sequence[object]) -> bool:
    return len(arguments) >= 1 and isinstance(arguments[0], str)


def _matches_all(value: object) -> bool:
    """Tell whether a filter matches every document, as far as that can be seen."""
    if not isinstance(value, Pairs):
        return value is None
    for key, condition in value.items:
        if key == "$comment":
            continue
        if (
            key == "_id"
            and isinstance(condition, Pairs)
            and {name for name, _ in condition.items} <= {"$exists", "$ne"}
        ):
            continue
        if key in {"$and", "$or"} and isinstance(condition, list):
            matching = [_matches_all(inner) for inner in condition]
            if (all if key == "$and" else any)(matching):
                continue
        if key == "$expr" and condition in {True}:
            continue
        return False
    return True


def _deletes_all(value: object) -> bool:
    if not isinstance(value, Pairs):
        return False
    many = value.get("deleteMany")
    return isinstance(many, Pairs) and _matches_all(many.get("filter"))


def _deletes_all_q(value: Pairs) -> bool:
    return any(key == "q" for key, _ in value.items) and _matches_all(value.get("q"))
