"""A server that answers as the documentation of Loki's HTTP API and of LogQL says, from records it is given.

Loki can't be had here, so this one honours the documented parameters and limits: the end of a time lies outside it,
`limit` cuts in the direction asked for and among records of one moment anywhere, what is the same line of a stream at
the same time is kept once, and errors are plain text.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.helpers.http_server import Asked, Said

Labels = dict[str, str]
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:\\.|[^"\\\n])*"|`[^`]*`)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)'
    r"|(?P<sign>\|~|\|=|=~|!~|!=|>=|<=|[|=><(){},]))"
)
_COUNTING = re.compile(
    r"sum by \((?P<by>[^)]*)\) \(count_over_time\((?P<query>.*) \[(?P<step>\d+)ms\]\)\)", re.DOTALL
)


class Refused(Exception):
    """What Loki answers with another status than 200."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.said = Said(status, text.encode() + b"\n", {"content-type": "text/plain", **headers})


class Entry(NamedTuple):
    at: int
    line: str
    stream: Labels
    metadata: Labels


class Loki:
    """Loki's API below `/loki/api/v1`."""

    def __init__(self, *, entries: int = 5_000, tenant: str = "") -> None:
        self.entries: list[Entry] = []
        self.most = entries
        self.tenant = tenant
        self.asked: list[Asked] = []
        self.refusing: Refused | None = None
        self.random = random.Random(1)
        self._known: set[str] = set()

    def push(self, at: int, line: str, stream: Labels, **metadata: str) -> None:
        """Take a record in."""
        key = json.dumps([at, line, stream, metadata], sort_keys=True)
        if key not in self._known:
            self._known.add(key)
            self.entries.append(Entry(at, line, stream, metadata))

    def __call__(self, asked: Asked) -> Said:
        self.asked.append(asked)
        try:
            if self.refusing is not None:
                raise self.refusing
            if self.tenant and asked.headers.get("x-scope-orgid") != self.tenant:
                raise Refused(401, "no org id")
            return Said(200, json.dumps(self._answer(asked)).encode(), {"content-type": "application/json"})
        except Refused as refused:
            return refused.said

    def _answer(self, asked: Asked) -> object:
        match asked.path.removeprefix("/loki/api/v1/"):
            case "status/buildinfo":
                return {"version": "3.1.0", "revision": "935aee77ed"}
            case "labels":
                return {
                    "status": "success",
                    "data": sorted({name for entry in self.entries for name in entry.stream}),
                }
            case "series":
                start, end = int(asked.param("start")), int(asked.param("end"))
                chosen, _ = parse(asked.param("match[]"))
                found = {
                    json.dumps(entry.stream, sort_keys=True)
                    for entry in self.entries
                    if start <= entry.at < end and chosen(entry.stream)
                }
                return {"status": "success", "data": [json.loads(one) for one in sorted(found)]}
            case "query_range":
                if counting := _COUNTING.fullmatch(asked.param("query")):
                    return _success("matrix", self._matrix(counting, asked))
                return _success("streams", self._streams(asked))
        raise Refused(404, "404 page not found")

    def _found(self, query: str) -> Iterator[tuple[Entry, Labels]]:
        chosen, stages = parse(query)
        for entry in self.entries:
            if not chosen(entry.stream):
                continue
            labels: Labels | None = {**entry.stream, **entry.metadata}
            for stage in stages:
                labels = stage(entry.line, labels) if labels is not None else None
            if labels is not None:
                yield entry, labels

    def _streams(self, asked: Asked) -> list[dict[str, Any]]:
        limit = int(asked.param("limit", "100"))
        if limit > self.most:
            raise Refused(
                400,
                "max entries limit per query exceeded, limit > max_entries_limit_per_query "
                f"({limit} > {self.most})",
            )
        start, end = int(asked.param("start")), int(asked.param("end"))
        found = [
            (entry, labels) for entry, labels in self._found(asked.param("query")) if start <= entry.at < end
        ]
        self.random.shuffle(found)
        found.sort(key=lambda one: one[0].at, reverse=asked.param("direction", "backward") == "backward")
        apart = asked.headers.get("x-loki-response-encoding-flags") == "categorize-labels"
        series: dict[str, dict[str, Any]] = {}
        for entry, labels in found[:limit]:
            named = entry.stream if apart else labels
            one = series.setdefault(json.dumps(named, sort_keys=True), {"stream": named, "values": []})
            parsed = {
                name: text for name, text in labels.items() if name not in entry.stream | entry.metadata
            }
            own = {"structuredMetadata": entry.metadata, "parsed": parsed}
            own = {name: texts for name, texts in own.items() if texts}
            one["values"].append([str(entry.at), entry.line, *([own] if apart else [])])
        return list(series.values())

    def _matrix(self, counting: re.Match[str], asked: Asked) -> list[dict[str, Any]]:
        start, end = int(asked.param("start")), int(asked.param("end"))
        step, span = round(float(asked.param("step", "60")) * 1e9), int(counting["step"]) * 1_000_000
        if (end - start) // step > 11_000:
            raise Refused(400, "exceeded maximum resolution of 11,000 points per timeseries")
        names = [name.strip() for name in counting["by"].split(",")]
        points: dict[str, Counter[int]] = {}
        for entry, labels in self._found(counting["query"]):
            key = json.dumps({name: labels[name] for name in names if labels.get(name)})
            for point in range(start, end + 1, step):
                if point - span < entry.at <= point:
                    points.setdefault(key, Counter())[point] += 1
        return [
            {
                "metric": json.loads(key),
                "values": [[at // 1_000_000 / 1000, str(n)] for at, n in sorted(counts.items())],
            }
            for key, counts in points.items()
        ]


def _success(kind: str, result: object) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": kind, "result": result, "stats": {"summary": {}}}}


Stage = Callable[[str, Labels], Labels | None]


def parse(query: str) -> tuple[Callable[[Labels], bool], list[Stage]]:
    """Read a query: what chooses streams, and the stages after it."""
    tokens = _tokens(query)
    _take(tokens, "{")
    matchers: list[tuple[str, str, str]] = []
    while tokens[0] != "}":
        name, sign, text = tokens.pop(0), tokens.pop(0), _unquoted(tokens.pop(0))
        matchers.append((name, sign, text))
        if tokens[0] == ",":
            tokens.pop(0)
    _take(tokens, "}")
    if not any(sign in ("=", "=~") and not _holds("", sign, text) for _, sign, text in matchers):
        raise Refused(
            400,
            "parse error : queries require at least one regexp or equality matcher that does not have an "
            'empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will',
        )
    stages = []
    while tokens:
        stages.append(_stage(tokens))
    return lambda labels: all(
        _holds(labels.get(name, ""), sign, text) for name, sign, text in matchers
    ), stages


def _stage(tokens: list[str]) -> Stage:
    sign = tokens.pop(0)
    if sign in ("|~", "|=", "!~", "!="):
        wanted = _unquoted(tokens.pop(0))
        search = re.compile(wanted).search if "~" in sign else None
        finds = sign.startswith("|")

        def line_filter(line: str, labels: Labels) -> Labels | None:
            found = search(line) is not None if search else wanted in line
            return labels if found == finds else None

        return line_filter
    if sign != "|":
        raise _syntax(sign)
    if tokens[0] in ("json", "logfmt"):
        tokens.pop(0)
        return _json
    test = _alternatives(tokens)
    return lambda _line, labels: labels if test(labels) else None


def _json(line: str, labels: Labels) -> Labels:
    try:
        found = json.loads(line)
    except ValueError:
        return {**labels, "__error__": "JSONParserErr"}
    flat: Labels = {}

    def flatten(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                flatten(f"{prefix}_{name}" if prefix else name, inner)
        elif not isinstance(value, list):
            flat[re.sub(r"[^a-zA-Z0-9_]", "_", prefix)] = (
                value if isinstance(value, str) else json.dumps(value)
            )

    flatten("", found)
    return {
        **{f"{name}_extracted" if name in labels else name: text for name, text in flat.items()},
        **labels,
    }


def _alternatives(tokens: list[str]) -> Callable[[Labels], bool]:
    tests = [_conjunction(tokens)]
    while tokens and tokens[0] == "or":
        tokens.pop(0)
        tests.append(_conjunction(tokens))
    return lambda labels: any(test(labels) for test in tests)


def _conjunction(tokens: list[str]) -> Callable[[Labels], bool]:
    tests = [_comparison(tokens)]
    while tokens and tokens[0] in ("and", ","):
        tokens.pop(0)
        tests.append(_comparison(tokens))
    return lambda labels: all(test(labels) for test in tests)


def _comparison(tokens: list[str]) -> Callable[[Labels], bool]:
    if tokens[0] == "(":
        tokens.pop(0)
        inner = _alternatives(tokens)
        _take(tokens, ")")
        return inner
    name, sign, value = tokens.pop(0), tokens.pop(0), tokens.pop(0)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or sign not in ("=", "!=", "=~", "!~"):
        raise _syntax(name)
    text = _unquoted(value)
    return lambda labels: _holds(labels.get(name, ""), sign, text)


def _holds(value: str, sign: str, wanted: str) -> bool:
    found = re.fullmatch(wanted, value) is not None if "~" in sign else value == wanted
    return found != sign.startswith("!")


def _tokens(query: str) -> list[str]:
    tokens = []
    place = 0
    query = query.rstrip()
    while place < len(query):
        if comment := re.compile(r"\s*#.*\s*").match(query, place):
            place = comment.end()
            continue
        found = _TOKEN.match(query, place)
        if found is None:
            raise _syntax(query[place : place + 1])
        tokens.append(found[0].strip())
        place = found.end()
    return tokens


def _take(tokens: list[str], wanted: str) -> None:
    if not tokens or tokens.pop(0) != wanted:
        raise _syntax(wanted)


def _unquoted(token: str) -> str:
    """Read a string of Go's."""
    if token[:1] == "`":
        return token[1:-1]
    if token[:1] != '"':
        raise _syntax(token)
    escapes = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}

    def one(found: re.Match[str]) -> str:
        return chr(int(found[1][1:], 16)) if found[1][0] in "uU" else escapes[found[1]]

    return re.sub(r'\\(u[0-9a-f]{4}|U[0-9a-f]{8}|[ntr"\\])', one, token[1:-1])


def _syntax(near: str) -> Refused:
    return Refused(400, f"parse error at line 1, col 1: syntax error: unexpected {near}")
