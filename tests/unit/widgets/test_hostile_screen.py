"""Hostile text in every field of every signal, through the real screen: nothing raw is drawn, nothing breaks."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cockpit.config.settings import OnCall
from cockpit.signals import (
    Alert,
    AlertState,
    HealthSample,
    HealthState,
    LogRecord,
    Signal,
    Span,
    SpanStatus,
)
from cockpit.supervisor import SourceState, SourceStatus
from tests.helpers.hostile import numbers, raw_in, tables, texts, times
from tests.helpers.screen import NOW, screen, shown

samples = st.builds(
    HealthSample,
    at=times,
    subject=texts,
    kind=texts,
    state=st.sampled_from(HealthState),
    value=numbers,
    unit=st.one_of(st.sampled_from(["", "1", "%", "s", "By", "{x}"]), texts),
    reason=texts,
    source=texts,
    resource=st.one_of(tables, st.fixed_dictionaries({"service.name": texts, "host.name": texts})),
    details=tables,
)
alerts = st.builds(
    Alert,
    at=times,
    name=texts,
    state=st.sampled_from(AlertState),
    severity=st.one_of(st.sampled_from(["critical", "warning", ""]), texts),
    labels=tables,
    annotations=st.one_of(tables, st.fixed_dictionaries({"summary": texts, "description": texts})),
    starts_at=times,
    ends_at=times,
    fingerprint=texts,
    group=tables,
    receivers=st.lists(texts, max_size=2).map(tuple),
    held_by=texts,
    expression=texts,
    generator_url=texts,
    runbook_url=texts,
    value=numbers,
    source=texts,
    resource=st.one_of(tables, st.fixed_dictionaries({"service.name": texts})),
)
records = st.builds(
    LogRecord,
    at=times,
    level=st.integers(-5, 40),
    body=texts,
    source=texts,
    resource=st.one_of(tables, st.fixed_dictionaries({"service.name": texts})),
    attributes=tables,
    trace_id=texts,
)
spans = st.builds(
    Span,
    trace_id=st.one_of(st.just("a" * 32), texts),
    span_id=texts,
    parent_id=texts,
    name=texts,
    kind=texts,
    start=times,
    end=times,
    status=st.sampled_from(SpanStatus),
    status_message=texts,
    source=texts,
    resource=st.one_of(tables, st.fixed_dictionaries({"service.name": texts})),
    attributes=tables,
)
states = st.builds(
    SourceStatus,
    name=texts,
    kind=texts,
    state=st.sampled_from(SourceState),
    emits=st.just(frozenset({"HealthSample", "Alert", "LogRecord", "Span"})),
    last_data_at=times,
    error=texts,
    retry_at=times,
)

PHASES = (Phase.explicit, Phase.generate)
"""No shrinking: each try is a whole app."""
KEYS = (
    "1",
    "enter",
    "escape",
    "escape",
    "2",
    "enter",
    "escape",
    "s",
    "escape",
    "3",
    "up",
    "enter",
    "escape",
    "4",
    "enter",
)


@settings(max_examples=5, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(
    health=st.lists(samples, min_size=1, max_size=3),
    firing=st.lists(alerts, min_size=1, max_size=3),
    logs=st.lists(records, min_size=1, max_size=3),
    traces=st.lists(spans, min_size=1, max_size=3),
    told=st.lists(states, min_size=1, max_size=2),
    name=texts,
    size=st.sampled_from([(80, 24), (120, 40), (200, 50), (30, 10)]),
)
async def test_no_field_of_any_signal_reaches_the_terminal_raw(
    health: list[Signal],
    firing: list[Signal],
    logs: list[Signal],
    traces: list[Signal],
    told: Sequence[SourceStatus],
    name: str,
    size: tuple[int, int],
) -> None:
    batches = [("a", health), ("b", firing), ("c", logs), ("d", traces)]
    with tempfile.TemporaryDirectory() as folder:
        async with screen(
            Path(folder), size=size, batches=batches, on_call=OnCall(name=name, contact=name)
        ) as on:
            on.cockpit.told = told
            assert raw_in(await on.drawn()) == []
            for key in KEYS:
                await on.pilot.press(key)
                on.app._beat.at_once()
                assert raw_in(shown(on.app)) == []
            on.cockpit.trail.amend(cursor=NOW - 1)
            on.app.spread()
            on.app.notice(name, "error")
            assert raw_in(await on.drawn()) == []


async def test_markup_is_text_wherever_it_stands() -> None:
    marked = "[red]x[/]"
    labels = {"alertname": marked, "service": marked}
    batches: list[tuple[str, list[Signal]]] = [
        (
            "s",
            [
                HealthSample(
                    at=NOW, subject=marked, kind="host", state=HealthState.DOWN, reason=marked, source="s"
                )
            ],
        ),
        (
            "s",
            [
                Alert(
                    at=NOW,
                    name=marked,
                    state=AlertState.FIRING,
                    severity="critical",
                    labels=labels,
                    annotations={"summary": marked},
                    starts_at=NOW,
                    fingerprint="a",
                    source="s",
                )
            ],
        ),
        ("s", [LogRecord(at=NOW, level=9, body=marked, source="s")]),
        ("s", [Span(trace_id="a" * 32, span_id="b" * 16, parent_id="", name=marked, start=NOW, end=NOW + 1)]),
    ]
    with tempfile.TemporaryDirectory() as folder:
        async with screen(Path(folder), batches=batches, size=(200, 50), mode=marked) as on:
            on.cockpit.told = [
                SourceStatus(
                    name=marked,
                    kind="k",
                    state=SourceState.DOWN,
                    emits=frozenset({"Alert"}),
                    error=marked,
                )
            ]
            text = await on.drawn()
            assert text.count(marked) >= 8, text
            await on.press("1", "enter", "2", "enter")
            assert (await on.drawn()).count(marked) >= 8
            on.app.notice(marked)
            await on.pilot.pause()
            assert on.notices[-1:] == [marked]
