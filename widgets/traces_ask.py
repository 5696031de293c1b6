"""Questions about traces, put to every source that can answer; one that fails spoils no other's answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cockpit.errors import CockpitError
from cockpit.signals import SECOND, LogRecord, Span
from cockpit.source import TimeRange, TraceSummary
from cockpit.stores.traces import TraceStore
from widgets.asking import Asks

FOUND = 200
"""Traces asked of each source."""
RECORDS = 200
AROUND = 2 * SECOND
"""Nanoseconds that a span's logs may lie before or after it."""
CHUNK = 500
"""Spans handed to the store between two turns of the loop."""


async def search_traces(
    asks: Asks, names: Sequence[str], service: str, within: TimeRange
) -> tuple[list[TraceSummary], list[str]]:
    """Return the traces that sources tell of, and what went wrong with some."""
    answers: list[TraceSummary] = []
    problems: list[str] = []

    async def one(name: str) -> None:
        try:
            answers.extend(await asks.ask(name, "find_traces", service, within, FOUND))
        except CockpitError as error:
            problems.append(str(error))

    await asyncio.gather(*(one(name) for name in names))
    return answers, problems


async def fetch_trace(asks: Asks, names: Sequence[str], trace_id: str) -> tuple[list[Span], list[str]]:
    """Return a trace's spans from the first source that knows it, and what went wrong with others."""
    problems: list[str] = []
    for name in names:
        try:
            spans: list[Span] = await asks.ask(name, "get_trace", trace_id)
        except CockpitError as error:
            problems.append(str(error))
            continue
        if spans:
            return spans, problems
    return [], problems


async def adopt(store: TraceStore, spans: Sequence[Span]) -> None:
    """Hand spans to the store in pieces, so that the screen stays alive."""
    for start in range(0, len(spans), CHUNK):
        store.adopt(spans[start : start + CHUNK])
        await asyncio.sleep(0)


async def span_logs(asks: Asks, names: Sequence[str], span: Span) -> tuple[list[LogRecord], list[str]]:
    """Return the log records of a span that sources hold, and what went wrong with some."""
    records: list[LogRecord] = []
    problems: list[str] = []
    within = TimeRange(max(0, span.start - AROUND), span.end + AROUND)

    async def one(name: str) -> None:
        try:
            for record in await asks.ask(name, "query_logs", span.trace_id, within, RECORDS):
                if record.span_id == span.span_id or (not record.span_id and span.span_id in record.body):
                    records.append(record)
        except CockpitError as error:
            problems.append(str(error))

    await asyncio.gather(*(one(name) for name in names))
    return records, problems
