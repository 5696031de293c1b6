"""Real traces from Jaeger's, Zipkin's and OpenTelemetry's own samples, laid out as trees."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from cockpit import hygiene
from cockpit.errors import BadAnswer
from cockpit.signals import Span
from cockpit.stores.traces import TraceStore, build
from sources.support import jaeger_json, zipkin_json
from sources.support.trace_parts import Tally
from tests.helpers.shared_data import shared_data


def zipkin_spans(file: Path) -> list[Span]:
    raw = json.loads(file.read_bytes())
    lists: list[Any] = raw if isinstance(raw[0], list) else [raw]
    return [each for trace in zipkin_json.read_traces(lists, file.name, Tally()) for each in trace.spans]


def jaeger_spans(file: Path) -> list[Span]:
    raw = json.loads(file.read_bytes())
    answer = (
        raw if isinstance(raw, dict) and "data" in raw else {"data": raw if isinstance(raw, list) else [raw]}
    )
    return [each for trace in jaeger_json.read_traces(answer, file.name, Tally()) for each in trace.spans]


def check(spans: list[Span]) -> None:
    kept = [each for each in hygiene.clean(spans)[0] if isinstance(each, Span)]
    store = TraceStore()
    store.append(kept)
    store.append(kept)
    for trace in store.traces():
        tree = build(store.trace(trace.trace_id))
        assert Counter(map(id, tree.spans)) == Counter(map(id, trace.spans.values()))
        parts = sorted(part for row in tree.path.values() for part in row)
        assert all(end == start for (_, end), (start, _) in pairwise(parts))
        assert sum(end - start for start, end in parts) == tree.end[tree.root] - tree.start[tree.root]


def test_every_zipkin_sample() -> None:
    count = 0
    for file in sorted((shared_data("traces") / "zipkin").glob("*.json")):
        try:
            spans = zipkin_spans(file)
        except BadAnswer:
            continue
        check(spans)
        count += len(spans)
    assert count > 300


def test_every_jaeger_sample() -> None:
    count = 0
    for folder in ("jaeger", "jaeger-ui"):
        for file in sorted((shared_data("traces") / folder).glob("*.json")):
            try:
                spans = jaeger_spans(file)
            except (BadAnswer, AttributeError):
                continue
            check(spans)
            count += len(spans)
    assert count > 60


def test_zipkins_own_sample_of_skewed_clocks_is_mended() -> None:
    file = shared_data("traces") / "zipkin" / "skew.json"
    spans = zipkin_spans(file)
    trace_id = spans[0].trace_id
    tree = build([each for each in spans if each.trace_id == trace_id])
    assert tree.moved
    assert all(
        tree.start[row] >= tree.start[parent] for row, parent in enumerate(tree.parent) if row in tree.moved
    )
