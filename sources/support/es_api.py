"""What Elasticsearch and OpenSearch answer, as far as it is read here, and queries in their own language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from cockpit.errors import UsageError
from sources.support.es_dsl import KEYWORDS, Dsl


class Hit(Struct, frozen=True):
    """A record found."""

    id: str = msgspec.field(name="_id", default="")
    index: str = msgspec.field(name="_index", default="")
    source: dict[str, Any] = msgspec.field(name="_source", default_factory=dict)
    fields: dict[str, list[object]] = {}
    sort: list[Any] = []


class Total(Struct, frozen=True):
    """How many there are."""

    value: int = 0


class Hits(Struct, frozen=True):
    """Records found."""

    hits: list[Hit] = []
    total: Total | None = None


class Reason(Struct, frozen=True):
    """Why something failed."""

    type: str = ""
    reason: str | None = ""


class Failure(Struct, frozen=True):
    """A shard that failed."""

    index: str | None = ""
    reason: Reason = Reason()


class Shards(Struct, frozen=True):
    """How the shards fared."""

    total: int = 0
    failed: int = 0
    failures: list[Failure] = []


class Band(Struct, frozen=True):
    """Records of one level in a bucket."""

    doc_count: int = 0


class Bands(Struct, frozen=True):
    """A bucket's levels."""

    buckets: dict[str, Band] = {}


class Bucket(Struct, frozen=True):
    """A bucket of a histogram."""

    key: int | float
    levels: Bands


class Over(Struct, frozen=True):
    """A histogram."""

    buckets: list[Bucket] = []


class Aggregations(Struct, frozen=True):
    """What was counted."""

    over: Over = Over()


class Found(Struct, frozen=True):
    """An answer of `_search`."""

    hits: Hits
    shards: Shards = msgspec.field(name="_shards", default=Shards())
    timed_out: bool = False
    aggregations: Aggregations = Aggregations()
    pit_id: str = ""

    def note(self) -> str:
        """Return why the answer is not whole; empty where it is."""
        if self.shards.failed:
            first = self.shards.failures[0] if self.shards.failures else Failure()
            why = (
                f": {first.reason.reason or first.reason.type}"
                if first.reason.reason or first.reason.type
                else ""
            )
            return f"{self.shards.failed} of {self.shards.total} shards failed{why}"
        return "the search ran out of time, so this is a part" if self.timed_out else ""


class Version(Struct, frozen=True):
    """A product's version; `distribution` is OpenSearch's alone."""

    number: str = ""
    distribution: str = ""


class Root(Struct, frozen=True):
    """Who answers."""

    version: Version
    cluster_name: str = ""


class Capability(Struct, frozen=True):
    """What a field is mapped to."""

    type: str = ""


class Caps(Struct, frozen=True):
    """Fields, and their types in the indices."""

    fields: dict[str, dict[str, Capability]] = {}


class Opened(Struct, frozen=True):
    """A point in time: `id` in Elasticsearch, `pit_id` in OpenSearch."""

    id: str = ""
    pit_id: str = ""


def given(text: str) -> Dsl | None:
    """Read what is written in the engine's own language: JSON of the DSL, or a Lucene query string; None for nothing.

    Raises:
        UsageError: It begins like JSON and is none.
    """
    text = text.strip()
    if not text:
        return None
    if not text.startswith("{"):
        return {"query_string": {"query": text, "lenient": True}}
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise UsageError(
            f"not JSON: {error}", remedy="write a query of the DSL, or a Lucene query string"
        ) from None


def type_of(kinds: Mapping[str, Capability]) -> str:
    """Return the type of a field that may differ from index to index: the one that takes most queries."""
    found = [name for name in kinds if name != "unmapped"]
    return next((name for name in found if name in KEYWORDS), found[0] if found else "")
