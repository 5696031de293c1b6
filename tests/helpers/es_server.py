"""A server that answers as the documentation of Elasticsearch's and OpenSearch's search APIs says, from documents.

Neither can be had here, so this one honours what is documented of the queries that are used (which field types take
which, tokens of the standard analyzer), of sorting (no order among equals but by `_shard_doc`, `search_after`
strictly after), of points in time and their slices, of `index.max_result_window`, of shards that fail, and of times,
which are kept to the millisecond in a `date`, to the nanosecond in a `date_nanos`. It refuses what it does not know.
"""

from __future__ import annotations

import fnmatch
import json
import operator
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.helpers.http_server import Asked, Said

Json = dict[str, Any]
Test = Callable[["Document"], bool]
NUMBERS = ("long", "double")
WINDOW = 10_000


class Refused(Exception):
    """What is answered with another status than 200."""

    def __init__(self, status: int, kind: str, reason: str, **headers: str) -> None:
        super().__init__(reason)
        cause = {"type": kind, "reason": reason}
        body = {"error": {"root_cause": [cause], "type": kind, "reason": reason}, "status": status}
        self.said = Said(status, json.dumps(body).encode(), {"content-type": "application/json", **headers})


class Document(NamedTuple):
    id: str
    at: int
    source: Json

    def value(self, name: str) -> Any:
        """Return a field's value, by its dotted name."""
        if name in self.source:
            return self.source[name]
        found: Any = self.source
        for part in name.split("."):
            if not isinstance(found, dict) or part not in found:
                return None
            found = found[part]
        return found


class Elasticsearch:
    """The API of a cluster with one index, `logs-app`.

    Args:
        types: The mapping: type by field. A field that is not in it is not searchable.
        opensearch: Whether it is an OpenSearch.
    """

    def __init__(self, types: dict[str, str], *, opensearch: bool = False) -> None:
        self.types = {"@timestamp": "date_nanos", **types}
        self.opensearch = opensearch
        self.documents: list[Document] = []
        self.held: dict[str, list[Document]] = {}
        self.opened = 0
        self.asked: list[Asked] = []
        self.refusing: Refused | None = None
        self.shards: Json = {"total": 2, "successful": 2, "skipped": 0, "failed": 0}
        self.timed_out = False
        self.random = random.Random(3)

    def index(self, at: int, source: Json) -> None:
        """Take a document in."""
        if self.types["@timestamp"] == "date":
            at -= at % 1_000_000
        self.documents.append(Document(f"id{len(self.documents)}", at, source))

    def __call__(self, asked: Asked) -> Said:
        self.asked.append(asked)
        try:
            if self.refusing is not None:
                raise self.refusing
            return Said(200, json.dumps(self._answer(asked)).encode(), {"content-type": "application/json"})
        except Refused as refused:
            return refused.said

    def _answer(self, asked: Asked) -> object:
        body: Json = json.loads(asked.body or b"{}")
        index, _, action = asked.path.strip("/").partition("/")
        if asked.path == "/":
            version = (
                {"number": "2.19.0", "distribution": "opensearch"}
                if self.opensearch
                else {"number": "8.17.0"}
            )
            return {
                "name": "n1",
                "cluster_name": "logging",
                "version": version,
                "tagline": "You Know, for Search",
            }
        if asked.path == "/_search" and "pit" in body:
            if body["pit"]["id"] not in self.held:
                raise Refused(404, "search_context_missing_exception", "No search context found for id")
            return self._search(self.held[body["pit"]["id"]], body)
        if asked.method == "DELETE":
            ids = body.get("pit_id", [body.get("id")])
            for one in ids:
                self.held.pop(one, None)
            return {"succeeded": True, "num_freed": len(ids)}
        if not any(fnmatch.fnmatch("logs-app", pattern) for pattern in index.split(",")):
            if "*" not in index:
                raise Refused(404, "index_not_found_exception", f"no such index [{index}]")
            return self._search([], body)
        if action == "_field_caps":
            names = asked.param("fields").split(",")
            found = {
                name: {self.types[name]: {"type": self.types[name]}} for name in names if name in self.types
            }
            return {"indices": ["logs-app"], "fields": found}
        if action == ("_search/point_in_time" if self.opensearch else "_pit"):
            if asked.body:
                raise Refused(400, "illegal_argument_exception", "request does not support having a body")
            assert asked.param("keep_alive")
            self.opened += 1
            self.held[f"pit{self.opened}"] = list(self.documents)
            return {"pit_id" if self.opensearch else "id": f"pit{self.opened}"}
        if action == "_search":
            return self._search(self.documents, body)
        raise Refused(400, "illegal_argument_exception", f"no handler for {asked.path}")

    def _search(self, documents: list[Document], body: Json) -> Json:
        size = body.get("size", 10)
        if size > WINDOW:
            raise Refused(
                400,
                "illegal_argument_exception",
                "Result window is too large, from + size must be less than or equal to: [10000] but was "
                f"[{size}].",
            )
        numbered = list(enumerate(documents))
        if part := body.get("slice"):
            assert "pit" in body
            numbered = [(place, one) for place, one in numbered if place % part["max"] == part["id"]]
        test = self._query(body["query"])
        found = [(place, one) for place, one in numbered if test(one)]
        aggregations = (
            {"aggregations": {"over": self._over(found, body["aggs"]["over"])}} if "aggs" in body else {}
        )
        self.random.shuffle(found)
        sort = body.get("sort", [])
        by = [
            (name, {"order": said} if isinstance(said, str) else said)
            for one in sort
            for name, said in one.items()
        ]
        if "pit" in body and not self.opensearch and "_shard_doc" not in dict(by):
            by.append(("_shard_doc", {"order": "asc"}))
        if "_shard_doc" in dict(by) and ("pit" not in body or self.opensearch):
            raise Refused(
                400, "query_shard_exception", "No mapping found for [_shard_doc] in order to sort on"
            )
        if "size" in body and size and not sort:
            raise Refused(400, "test_exception", "the tests want every search to be sorted")
        keyed = [
            ([one.at // 1_000_000 if name != "_shard_doc" else place for name, _ in by], one)
            for place, one in found
        ]
        for number, (name, said) in reversed(list(enumerate(by))):
            # An order by nanoseconds, and values in milliseconds, as they are without a `format`.
            keyed.sort(
                key=lambda pair: pair[1].at if name != "_shard_doc" else pair[0][number],
                reverse=said["order"] == "desc",
            )
        if after := body.get("search_after"):
            keyed = [pair for pair in keyed if pair[0] > after]
        hits = [
            {
                "_index": "logs-app",
                "_id": one.id,
                "_score": None,
                "_source": one.source,
                "fields": {"@timestamp": [_iso(one.at)]},
                "sort": values,
            }
            for values, one in keyed[:size]
        ]
        shown = {"max_score": None, "hits": hits}
        return {"took": 1, "timed_out": self.timed_out, "_shards": self.shards, "hits": shown, **aggregations}

    def _over(self, found: list[tuple[int, Document]], asked: Json) -> Json:
        histogram, levels = asked["date_histogram"], asked["aggs"]["levels"]["filters"]
        step = int(histogram["fixed_interval"].removesuffix("ms"))
        offset = int(histogram["offset"].removesuffix("ms"))
        bands = {name: self._query(query) for name, query in levels["filters"].items()}
        buckets: dict[int, Json] = {}
        for _, one in found:
            key = (one.at // 1_000_000 - offset) // step * step + offset
            empty = {name: {"doc_count": 0} for name in (*bands, levels["other_bucket_key"])}
            bucket = buckets.setdefault(key, {"key": key, "doc_count": 0, "levels": {"buckets": empty}})
            bucket["doc_count"] += 1
            names = [name for name, test in bands.items() if test(one)] or [levels["other_bucket_key"]]
            for name in names:
                bucket["levels"]["buckets"][name]["doc_count"] += 1
        return {"buckets": [bucket for _, bucket in sorted(buckets.items())]}

    def _query(self, query: Json) -> Test:
        ((kind, inner),) = query.items()
        match kind:
            case "match_all":
                return lambda _: True
            case "match_none":
                return lambda _: False
            case "bool":
                return self._bool(inner)
            case "exists":
                name = inner["field"]
                return lambda one: name in self.types and one.value(name) not in (None, [])
            case "query_string":
                parts = [part.partition(":")[::2] for part in inner["query"].split(" AND ")]
                tests = [
                    self._query({"match": {name: {"query": text, "lenient": True}}}) for name, text in parts
                ]
                return lambda one: all(test(one) for test in tests)
        ((name, said),) = inner.items()
        return self._of_field(kind, name, said)

    def _bool(self, inner: Json) -> Test:
        unknown = set(inner) - {"filter", "must_not", "should", "minimum_should_match"}
        if unknown:
            raise Refused(400, "x_content_parse_exception", f"[bool] unknown field {unknown}")
        filters = [self._query(one) for one in inner.get("filter", [])]
        excluded = [self._query(one) for one in inner.get("must_not", [])]
        should = [self._query(one) for one in inner.get("should", [])]
        return lambda one: (
            all(test(one) for test in filters)
            and not any(test(one) for test in excluded)
            and (not should or any(test(one) for test in should))
        )

    def _of_field(self, kind: str, name: str, said: Any) -> Test:
        mapped = self.types.get(name)
        if mapped is None:
            return lambda _: False
        if kind == "range" and mapped.startswith("date"):
            low, high = _nanoseconds(said["gte"], mapped), _nanoseconds(said["lte"], mapped)
            return lambda one: low <= one.at <= high
        if mapped in NUMBERS:
            return self._of_number(kind, name, said)
        insensitive = isinstance(said, dict) and said.get("case_insensitive", False)
        fold = str.lower if insensitive or mapped == "text" else str

        def terms(one: Document) -> list[str]:
            value = one.value(name)
            if value is None:
                return []
            text = value if isinstance(value, str) else json.dumps(value)
            return _tokens(text) if mapped == "text" else [fold(text)]

        match kind:
            case "term":
                return lambda one: fold(said["value"]) in terms(one)
            case "terms":
                return lambda one: any(text in terms(one) for text in said)
            case "wildcard":
                pattern = _wildcard(said["value"], insensitive)
                return lambda one: any(pattern.fullmatch(text) for text in terms(one))
            case "match" | "match_phrase":
                text = said["query"] if isinstance(said, dict) else said
                wanted = _tokens(text) if mapped == "text" else [text]
                return lambda one: _phrase(wanted, terms(one))
        raise Refused(400, "query_shard_exception", f"[{kind}] is not known for {mapped}")

    def _of_number(self, kind: str, name: str, said: Any) -> Test:
        signs: dict[str, Callable[[float, float], bool]] = {
            "gt": operator.gt,
            "gte": operator.ge,
            "lt": operator.lt,
            "lte": operator.le,
        }

        def has(one: Document, test: Callable[[float], bool]) -> bool:
            value = one.value(name)
            return value is not None and test(float(value))

        if kind == "range":
            return lambda one: has(
                one, lambda value: all(signs[sign](value, bound) for sign, bound in said.items())
            )
        if kind == "terms" and all(isinstance(text, int) for text in said):
            return lambda one: has(one, lambda value: value in said)
        if kind == "match" and said.get("lenient"):
            return lambda one: has(
                one, lambda value: str(value) == said["query"] or f"{value:g}" == said["query"]
            )
        raise Refused(400, "query_shard_exception", f"failed to create query: [{kind}] on a number")


def _tokens(text: str) -> list[str]:
    """Return what the standard analyzer makes of a text."""
    return re.findall(r"\w+(?:[.']\w+)*", text.lower())


def _phrase(wanted: list[str], terms: list[str]) -> bool:
    count = len(wanted)
    return count > 0 and any(
        terms[place : place + count] == wanted for place in range(len(terms) - count + 1)
    )


def _wildcard(pattern: str, insensitive: bool) -> re.Pattern[str]:
    parts = []
    for found in re.finditer(r"\\(.)|(\*)|(\?)|(.)", pattern, re.DOTALL):
        escaped, star, one, plain = found.groups()
        parts.append(".*" if star else "." if one else re.escape(escaped or plain))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if insensitive else 0))


def _nanoseconds(text: str, mapped: str) -> int:
    moment = datetime.fromisoformat(text[:19] + "+00:00")
    nanos = int(moment.timestamp()) * 1_000_000_000 + int(text[20:29])
    return nanos - nanos % 1_000_000 if mapped == "date" else nanos


def _iso(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000_000_000:09d}Z"
