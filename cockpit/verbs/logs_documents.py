"""Log records as JSON documents."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cockpit.formats.format import LogFormat
    from cockpit.stores.logs.forward import Block


def document_of(source: str, fmt: LogFormat, block: Block, rows: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the records of some rows.

    Returns:
        For each `at` (RFC 3339, UTC; null where neither it nor a record before it told a time), `level` (a word, null
        for none), `severity` (OpenTelemetry's number), `body`, `service`, `host`, `trace_id`, `span_id`,
        `attributes`, `source` and `line` (from 1).
    """
    from cockpit.signals import host_of, level_name, rfc3339, service_of
    from cockpit.stores.logs.forward import read_record

    numbers, times = block.numbers, block.times
    told = block.columns.times >= 0
    first = 0 if block.before != block.observed else int(told.argmax()) if told.any() else len(block)
    for row in rows:
        at = int(times[row])
        record = read_record(block, row, fmt, at)
        yield {
            "at": rfc3339(at) if row >= first else None,
            "level": level_name(record.level) or None,
            "severity": record.level,
            "body": record.body,
            "service": service_of(record.resource),
            "host": host_of(record.resource),
            "trace_id": record.trace_id,
            "span_id": record.span_id,
            "attributes": {
                name: None if isinstance(value, float) and not math.isfinite(value) else value
                for name, value in record.attributes.items()
            },
            "source": source,
            "line": int(numbers[row]),
        }
