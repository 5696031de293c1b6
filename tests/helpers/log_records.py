"""Log records for tests, at times near a fixed moment."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.signals import EMPTY, SECOND, Attributes, Level, LogRecord

T0 = 1_700_000_000 * SECOND
"""2023-11-14 22:13:20 UTC."""


def record(
    body: str = "hello",
    at: float = 0,
    *,
    level: int = Level.INFO,
    service: str = "",
    host: str = "",
    source: str = "app",
    trace_id: str = "",
    attributes: Attributes = EMPTY,
) -> LogRecord:
    """Return a record some seconds after T0."""
    resource = {name: value for name, value in (("service.name", service), ("host.name", host)) if value}
    return LogRecord(
        at=T0 + round(at * SECOND),
        level=level,
        body=body,
        attributes=attributes,
        source=source,
        resource=resource,
        trace_id=trace_id,
    )


def numbered(numbers: Iterable[int], *, level: int = Level.INFO, service: str = "") -> list[LogRecord]:
    """Return a record a second, each saying its number."""
    return [record(f"line {number}", number, level=level, service=service) for number in numbers]
