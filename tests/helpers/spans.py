"""Traces made to measure: single spans with short names, big traces, and soups of spans that fit nowhere."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from cockpit.signals import Span, SpanStatus

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MS = 1_000_000
RESOURCES = [
    {"service.name": service, "host.name": host}
    for service, host in (("web", "h1"), ("cart", "h2"), ("pay", "h3"), ("db", "h2"))
]


def span(
    identity: str,
    start: int,
    end: int,
    parent: str = "",
    *,
    service: str = "web",
    host: str = "h1",
    **more: Any,
) -> Span:
    """Make a span; times in nanoseconds."""
    fields: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": identity,
        "parent_id": parent,
        "name": f"op {identity}",
        "start": start,
        "end": end,
        "resource": {"service.name": service, "host.name": host},
    }
    return Span(**(fields | more))


def big_trace(
    count: int, *, fan: int = 6, seed: int = 7, start: int = 0, shuffled: bool = True
) -> list[Span]:
    """Make a trace of `count` spans that nest in time, about one in a hundred failing, told in no order."""
    chance = random.Random(seed)
    spans: list[Span] = []
    waiting = [("", start, start + 10_000 * MS)]
    taken = 0
    while len(spans) < count:
        parent, low, high = waiting[taken] if taken < len(waiting) else waiting[-1]
        taken += 1
        for _ in range(chance.randint(1, fan) if parent else 1):
            begins = low + int(chance.random() * (high - low) * 0.9) if parent else low
            ends = begins + int(chance.random() * (high - begins)) if parent else high
            identity = f"{len(spans) + 1:016x}"
            resource = chance.choice(RESOURCES)
            spans.append(
                Span(
                    trace_id=TRACE,
                    span_id=identity,
                    parent_id=parent,
                    name=f"op {chance.randint(0, 40)}",
                    kind=chance.choice(("server", "internal")),
                    start=begins,
                    end=ends,
                    status=SpanStatus.ERROR if chance.random() < 0.01 else SpanStatus.UNSET,
                    attributes={"http.request.method": "GET", "shard": chance.randint(0, 9)},
                    source="otlp",
                    resource=resource,
                )
            )
            waiting.append((identity, begins, ends))
    del spans[count:]
    if shuffled:
        chance.shuffle(spans)
    return spans


identities = st.sampled_from([f"{number:016x}" for number in range(12)])


def soups(names: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[list[Span]]:
    """Spans of one trace with parents that are missing, doubled, themselves or each other's, and any times."""
    times = st.integers(0, 60) | st.integers(0, 1 << 62)
    return st.lists(
        st.builds(
            Span,
            trace_id=st.just(TRACE),
            span_id=identities,
            parent_id=st.just("") | identities,
            name=st.just("op") if names is None else names,
            kind=st.sampled_from(("internal", "server", "client", "consumer")),
            start=times,
            end=times,
            status=st.sampled_from(list(SpanStatus)),
            resource=st.sampled_from([*RESOURCES, {}]),
        ),
        max_size=30,
    )
