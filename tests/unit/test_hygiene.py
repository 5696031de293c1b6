"""What telemetry looks like after hygiene, whatever it was before."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.hygiene import (
    BODY_LIMIT,
    IDENTIFIER_LIMIT,
    LAST_MOMENT,
    PAIRS_LIMIT,
    TEXT_LIMIT,
    clean,
    clean_line,
    clean_text,
    clean_value,
)
from cockpit.signals import (
    Alert,
    AlertState,
    HealthSample,
    HealthState,
    Level,
    LogRecord,
    Signal,
    Span,
    SpanEvent,
    SpanLink,
    SpanStatus,
)

FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)

hostile = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    ["\x1b]0;owned\x07", "a\tb\nc", "x" * 5000, "\u202egnp.exe", "\ud800", "[bold]no[/]", "\x9b31m"]
)
times = st.integers(-(2**70), 2**70) | st.integers(0, LAST_MOMENT)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | hostile
    | st.binary(max_size=9)
    | st.just(object()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=5,
)
mappings = st.dictionaries(hostile, anything, max_size=4)
mostly = st.integers(0, 9)


def loose(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what a field should be, now and then anything at all."""
    return mostly.flatmap(lambda dice: anything if dice == 0 else good)


identifiers = (
    st.sampled_from(["", "5B8EFFF798038103", "5b8efff798038103d269b633813fc60c", "x" * 99]) | hostile
)
ids = loose(identifiers)
events = st.builds(SpanEvent, at=loose(times), name=loose(hostile), attributes=loose(mappings))
links = st.builds(SpanLink, trace_id=ids, span_id=ids, attributes=loose(mappings))
log_records = st.builds(
    LogRecord,
    at=loose(times),
    level=loose(st.integers(-3, 30)),
    body=loose(hostile),
    attributes=loose(mappings),
    source=loose(hostile),
    resource=loose(mappings),
    trace_id=ids,
    span_id=ids,
)
spans = st.builds(
    Span,
    trace_id=ids,
    span_id=ids,
    parent_id=ids,
    name=loose(hostile),
    kind=loose(hostile),
    start=loose(times),
    end=loose(times),
    status=loose(st.sampled_from([*SpanStatus, "error"])),
    status_message=loose(hostile),
    attributes=loose(mappings),
    events=loose(st.lists(events | anything, max_size=2)),
    links=loose(st.tuples(links)),
    scope=loose(hostile),
    resource=loose(mappings),
)
samples = st.builds(
    HealthSample,
    at=loose(times),
    subject=loose(hostile),
    kind=loose(hostile),
    state=loose(st.sampled_from([*HealthState, "down"])),
    reason=loose(hostile),
    value=loose(st.none() | st.floats() | st.integers()),
    unit=loose(hostile),
    details=loose(mappings),
    resource=loose(mappings),
)
alerts = st.builds(
    Alert,
    at=loose(times),
    name=loose(hostile),
    state=loose(st.sampled_from([*AlertState, "firing"])),
    labels=loose(mappings),
    annotations=loose(mappings),
    starts_at=loose(times),
    ends_at=loose(times),
    group=loose(mappings),
    receivers=loose(st.lists(hostile, max_size=3)),
    silenced_by=loose(st.tuples(hostile)),
    expression=loose(hostile),
    value=loose(st.none() | st.floats()),
)
batches = st.lists(log_records | spans | samples | alerts | anything, max_size=6)


def texts(item: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(item, str):
        yield path, item
    elif isinstance(item, msgspec.Struct):
        for name in item.__struct_fields__:
            yield from texts(getattr(item, name), f"{path}.{name}")
    elif isinstance(item, dict):
        for key, value in item.items():
            yield f"{path} key", key
            yield from texts(value, f"{path} value")
    elif isinstance(item, tuple):
        for part in item:
            yield from texts(part, path)


def times_of(signal: Signal) -> list[int]:
    if isinstance(signal, Span):
        return [signal.start, signal.end, *(event.at for event in signal.events)]
    return [signal.at, signal.starts_at, signal.ends_at] if isinstance(signal, Alert) else [signal.at]


MULTILINE = (".body", ".attributes value", ".details value", ".annotations value")


@given(batches)
def test_whatever_comes_in_nothing_unsafe_comes_out(batch: list[Any]) -> None:
    cleaned, rejected = clean(batch)
    assert len(cleaned) + rejected == len(batch)
    for signal in cleaned:
        assert type(signal) in (LogRecord, Span, HealthSample, Alert)
        for path, text in texts(signal):
            assert type(text) is str or isinstance(text, SpanStatus | HealthState | AlertState)
            assert not FORBIDDEN.search(text), path
            assert len(text) <= BODY_LIMIT
            if not path.endswith(MULTILINE):
                assert "\n" not in text and "\t" not in text, path
        assert all(type(moment) is int and 0 <= moment < LAST_MOMENT for moment in times_of(signal))


@given(batches)
def test_cleaning_twice_is_cleaning_once(batch: list[Any]) -> None:
    once, _ = clean(batch)
    twice, rejected = clean(once)
    assert rejected == 0
    assert twice == once


@given(st.text(st.characters(exclude_categories=())), st.integers(8, 200))
def test_text_is_within_its_limit_and_stays_so(text: str, limit: int) -> None:
    cleaned = clean_line(text, limit)
    assert len(cleaned) <= limit
    assert clean_line(cleaned, limit) == cleaned
    assert not FORBIDDEN.search(clean_text(text, limit))


@given(anything)
def test_a_value_is_one_that_an_attribute_may_have(value: object) -> None:
    cleaned = clean_value(value)
    assert type(cleaned) in (str, int, float, bool, type(None))
    assert not isinstance(cleaned, float) or math.isfinite(cleaned)
    assert clean_value(cleaned) == cleaned


def test_a_clean_signal_is_passed_on_as_it_is() -> None:
    resource = {"service.name": "cart"}
    batch: list[Signal] = [
        LogRecord(at=1, level=Level.INFO.value, body="two\nlines", resource=resource, trace_id="ab" * 16),
        Span(
            trace_id="ab" * 16,
            span_id="cd" * 8,
            name="GET /",
            start=5,
            end=9,
            events=(SpanEvent(at=6, name="x"),),
        ),
        HealthSample(at=1, subject="cpu", kind="host", state=HealthState.OK, value=0.5, details={"n": 4}),
        Alert(at=1, name="Down", state=AlertState.FIRING, labels={"a": "b"}, receivers=("team",)),
    ]
    cleaned, rejected = clean(batch)
    assert rejected == 0
    assert all(one is other for one, other in zip(cleaned, batch, strict=True))


def test_what_can_be_mended_is_mended() -> None:
    record = LogRecord(
        at=7,
        level=99,
        body="red \x1b[31m",
        attributes=MappingProxyType({"list": [1, 2], "nan": math.nan, "big": 1 << 80, "two": "a\nb"}),  # type: ignore[dict-item]
        resource={"host\nname": 7, "x": "a\tb"},  # type: ignore[dict-item]
        trace_id="5B8EFFF798038103D269B633813FC60C",
    )
    ((cleaned,), rejected) = clean(record)
    assert rejected == 0
    assert isinstance(cleaned, LogRecord)
    assert (cleaned.level, cleaned.body) == (24, "red ␛[31m")
    assert cleaned.attributes == {"list": "[1,2]", "nan": "NaN", "big": hex(1 << 80), "two": "a\nb"}
    assert cleaned.resource == {"host name": "7", "x": "a b"}
    assert cleaned.trace_id == "5b8efff798038103d269b633813fc60c"


def test_sizes_are_bounded() -> None:
    many = {f"k{n}": "v" * 10_000 for n in range(1000)}
    event = SpanEvent(at=1, name="e" * 10_000)
    batch: list[Signal] = [
        LogRecord(at=1, body="x" * 10_000_000, attributes=many, trace_id="t" * 500),
        Span(
            trace_id="ab", span_id="cd", name="n", start=1, end=1, events=(event,) * 5000, resource=dict(many)
        ),
    ]
    (record, span), rejected = clean(batch)
    assert rejected == 0
    assert isinstance(record, LogRecord) and isinstance(span, Span)
    assert len(record.body) == BODY_LIMIT and record.body.endswith("(10,000,000 characters)")
    assert len(record.trace_id) == IDENTIFIER_LIMIT
    assert len(record.attributes) == len(span.resource) == PAIRS_LIMIT
    assert {len(value) for value in span.resource.values()} == {TEXT_LIMIT}
    assert len(span.events) == 128


@pytest.mark.parametrize(
    "wrong",
    [
        LogRecord(at="x", body=None, attributes=[1]),  # type: ignore[arg-type]
        LogRecord(at=True, body=""),
        LogRecord(at=-1, body=""),
        LogRecord(at=LAST_MOMENT, body=""),
        LogRecord(at=1, body=b"bytes"),  # type: ignore[arg-type]
        LogRecord(at=1, level="error", body=""),  # type: ignore[arg-type]
        LogRecord(at=1, body="", attributes=None),  # type: ignore[arg-type]
        Span(trace_id="", span_id="ab", name="", start=1, end=2),
        Span(trace_id="ab", span_id="ab", name="", start=1, end=2, events=5),  # type: ignore[arg-type]
        HealthSample(at=1, subject="x", kind="x", state="broken"),  # type: ignore[arg-type]
        Alert(at=1, name=None, state=AlertState.FIRING),  # type: ignore[arg-type]
        SpanEvent(at=1, name="no signal of its own"),
        "text",
        None,
    ],
)
def test_what_can_not_be_mended_is_rejected(wrong: Any) -> None:
    good = LogRecord(at=1, body="good")
    assert clean([good, wrong, good]) == ([good, good], 1)


@pytest.mark.parametrize("batch", [None, 7, "text", b"bytes", object(), {"a": 1}])
def test_a_batch_that_is_none_is_one_rejection(batch: Any) -> None:
    assert clean(batch) == ([], 1)


@given(batches, st.integers(0, 30))
def test_many_log_records_are_cleaned_as_each_alone(batch: list[Any], place: int) -> None:
    good = [LogRecord(at=n, body=f"line {n}\tü", level=n % 24, trace_id="ab" * 16) for n in range(30)]
    for one in batch:
        many = [*good[:place], one, *good[place:]]
        whole, rejected = clean(many)
        each = [clean([given]) for given in many]
        assert whole == [cleaned for kept, _ in each for cleaned in kept]
        assert rejected == sum(wrong for _, wrong in each)
    assert all(a is b for a, b in zip(clean(good)[0], good, strict=True))


def test_a_clean_log_record_costs_microseconds() -> None:
    resource = {"service.name": "cart", "host.name": "node-1"}
    batch = [
        LogRecord(
            at=10**18 + n, level=9, body=f"GET /cart/{n} 200 in 13 ms", source="files", resource=resource
        )
        for n in range(5000)
    ]

    def seconds() -> float:
        started = time.thread_time()  # the work itself, however busy the machine is
        clean(batch)
        return time.thread_time() - started

    assert len(batch) / min(seconds() for _ in range(7)) > 300_000
