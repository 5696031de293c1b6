"""What the readers of Jaeger's and Zipkin's JSON share: identifiers, numbers, values, and a tally of what was wrong.

Trace answers are hostile input: any field may be missing, of another type, or absurd. What can be mended without
inventing anything is mended, the rest is dropped, and both are counted by reason.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from cockpit.signals import Span, SpanStatus, Value
from cockpit.source import TraceSummary

PARTS = 128
"""Attributes kept of one span, OpenTelemetry's own default limit; events and links likewise."""
SPANS = 200_000
"""Spans kept of one answer."""
ID_LENGTH = 64
"""Characters kept of an identifier that is no hexadecimal number."""
MICROSECOND = 1_000
LAST_MOMENT = 1 << 63
"""The first nanosecond that no signed 64-bit integer holds, in the year 2262."""

_HEX = re.compile("[0-9a-fA-F]+")
_INT64 = range(-(1 << 63), 1 << 63)
_UINT64 = (1 << 64) - 1

Raw = Any
"""A value as JSON had it: nothing is known of it."""


class Tally:
    """Counts what was dropped and what was mended, by reason.

    Attributes:
        dropped: Records left out.
        mended: Records taken with something put right.
    """

    def __init__(self) -> None:
        self.dropped: dict[str, int] = {}
        self.mended: dict[str, int] = {}

    def drop(self, why: str) -> None:
        """Count a record left out."""
        self.dropped[why] = self.dropped.get(why, 0) + 1

    def mend(self, why: str) -> None:
        """Count a record taken with something put right."""
        self.mended[why] = self.mended.get(why, 0) + 1

    def add(self, other: Tally) -> None:
        """Add another tally's counts."""
        for mine, theirs in ((self.dropped, other.dropped), (self.mended, other.mended)):
            for why, count in theirs.items():
                mine[why] = mine.get(why, 0) + count

    def __str__(self) -> str:
        said = [f"dropped {sum(self.dropped.values())}: {_listed(self.dropped)}"] if self.dropped else []
        said += [f"mended {sum(self.mended.values())}: {_listed(self.mended)}"] if self.mended else []
        return "; ".join(said)


def _listed(counts: Mapping[str, int]) -> str:
    most = sorted(counts.items(), key=lambda pair: -pair[1])[:4]
    return ", ".join(f"{count} {why}" for why, count in most)


class Trace(Struct, frozen=True):
    """The spans of one trace, by start."""

    trace_id: str
    spans: tuple[Span, ...]


def identifier(value: Raw, *, wide: bool = False) -> str:
    """Return a trace's or span's identifier in lower-case hex, padded to 16 or 32 digits; empty where there is none.

    Taken are hex with or without its leading zeros, unsigned and signed 64-bit numbers, and the base64 of 8 or 16
    bytes, which is how protobuf's JSON writes them. Any other short text is kept as it stands.

    Args:
        value: What JSON had.
        wide: Whether it may have 128 bits, as a trace's may.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{value & _UINT64:x}"
    if not isinstance(value, str) or not value:
        return ""
    text = value.strip()
    if _HEX.fullmatch(text) and len(text) <= (32 if wide else 16):
        padded = text.lower().zfill(32 if len(text) > 16 else 16)
        return padded if padded.strip("0") else ""
    decoded = _from_base64(text)
    if len(decoded) == 8 or (wide and len(decoded) == 16):
        return decoded.hex() if any(decoded) else ""
    return text[:ID_LENGTH] if text.isprintable() else ""


def _from_base64(text: str) -> bytes:
    if len(text) not in {11, 12, 22, 24}:
        return b""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def derived_id(*parts: str) -> str:
    """Return a span identifier made from others: the same each time, so that a span read twice is one span."""
    return hashlib.blake2b("/".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def whole_number(value: Raw) -> int | None:
    """Return a number that may have come as text or with a fraction; None where it is no finite number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    try:
        if isinstance(value, str) and len(value) < 40:
            return int(value) if value.strip().lstrip("+-").isdecimal() else int(float(value))
        if isinstance(value, float):
            return int(value)
    except (ValueError, OverflowError):
        return None
    return None


def moment(value: Raw) -> int | None:
    """Return microseconds since the epoch as nanoseconds; None where they are none, or beyond what 64 bits hold."""
    number = whole_number(value)
    if number is None or not 0 < number * MICROSECOND < LAST_MOMENT:
        return None
    return number * MICROSECOND


def attribute(value: Raw) -> Value:
    """Return what an attribute can hold; lists and maps as their JSON text, numbers beyond 64 bits as text."""
    if isinstance(value, int) and not isinstance(value, bool) and value not in _INT64:
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return msgspec.json.encode(value).decode()


def mapping(value: Raw) -> Mapping[str, Raw]:
    """Return a JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Raw) -> Sequence[Raw]:
    """Return a JSON array, or an empty one in place of anything else."""
    return value if isinstance(value, list) else ()


def text(value: Raw) -> str:
    """Return a text, a number as its text, and anything else as none."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def without_cycles(spans: Sequence[Span], tally: Tally) -> list[Span]:
    """Return the spans with every cycle of parents cut open at its earliest span, which becomes a root."""
    parents = {span.span_id: span.parent_id for span in spans}
    starts = {span.span_id: span.start for span in spans}
    sound: set[str] = {""}
    roots: set[str] = set()
    for span_id in parents:
        path: dict[str, None] = {}
        step = span_id
        while step not in sound and step in parents and step not in path:
            path[step] = None
            step = parents[step]
        if step in path:
            walked = list(path)
            ring = walked[walked.index(step) :]
            first = min(ring, key=lambda one: (starts[one], one))
            roots.add(first)
            parents[first] = ""
            tally.mend("a span that was its own ancestor")
        sound.update(path)
    return [replace(span, parent_id="") if span.span_id in roots else span for span in spans]


def under_servers(spans: Sequence[Span], halves: Mapping[str, Sequence[Span]]) -> list[Span]:
    """Move the children of shared spans below the half they belong to.

    Client and server once shared one identifier (B3); where they did, the server's half got one of its own, and what
    the server did in turn still names the shared one as its parent. A child belongs to the half of its own service,
    else, unless that service is the client's, to the first server's half.

    Args:
        spans: All spans of the trace, server halves included.
        halves: The server halves by the identifier that they shared.
    """
    services = {span.span_id: span.resource.get("service.name", "") for span in spans}
    moved = {half.span_id for group in halves.values() for half in group}
    placed: list[Span] = []
    for span in spans:
        servers = halves.get(span.parent_id)
        if servers and span.span_id not in moved:
            mine = services[span.span_id]
            own = next((half for half in servers if services[half.span_id] == mine), None)
            if own is None and services.get(span.parent_id) != mine:
                own = servers[0]
            if own is not None:
                span = replace(span, parent_id=own.span_id)
        placed.append(span)
    return placed


def summarise(trace: Trace, source: str) -> TraceSummary:
    """Say of a trace what a list of traces shows: the root is the earliest span whose parent is not there."""
    known = {span.span_id for span in trace.spans}
    heads = [span for span in trace.spans if span.parent_id not in known] or list(trace.spans)
    root = min(heads, key=lambda span: span.start)
    start = min(span.start for span in trace.spans)
    return TraceSummary(
        trace_id=trace.trace_id,
        root=root.name,
        service=root.resource.get("service.name", ""),
        start=start,
        duration=max(span.end for span in trace.spans) - start,
        spans=len(trace.spans),
        error=any(span.status is SpanStatus.ERROR for span in trace.spans),
        source=source,
    )


def newest_first(traces: Iterable[Trace], limit: int) -> list[Trace]:
    """Return at most `limit` traces, each once, newest first; of copies the one with most spans."""
    best: dict[str, Trace] = {}
    for trace in traces:
        held = best.get(trace.trace_id)
        if held is None or len(held.spans) < len(trace.spans):
            best[trace.trace_id] = trace
    return sorted(best.values(), key=lambda trace: -trace.spans[0].start)[:limit]
