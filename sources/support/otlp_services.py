"""Health of the services that were heard: a row each, from their spans and log records.

The number of a row is the share of spans that failed, where the service sends spans, else its log records a second.
A service falls silent before it is forgotten, so that silence is seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from msgspec import Struct

from cockpit.signals import SECOND, HealthSample, HealthState, LogRecord, Resource, Span, SpanStatus

QUIET = 120 * SECOND
"""Silence after which a service counts as degraded."""
FORGOTTEN = 900 * SECOND
"""Silence after which its row goes."""
FAILING = 0.05
"""Share of failed spans from which a service counts as degraded."""
ENOUGH = 20
"""Spans in one look from which that share means something."""
SERVICES = 1000
"""Services followed; others are taken in but get no row."""


class _Service(Struct):
    resource: Resource
    heard_at: int = 0
    spans: int = 0
    failed: int = 0
    logs: int = 0
    sends_spans: bool = False


class Services:
    """Counts what each service sent since the last look."""

    def __init__(self, source: str, *, clock: Callable[[], int] = time.time_ns) -> None:
        self.source = source
        self._clock = clock
        self._known: dict[str, _Service] = {}
        self._looked_at = clock()

    def hear(self, batch: Iterable[Span | LogRecord]) -> None:
        """Count a batch; records without `service.name` belong to nobody."""
        now = self._clock()
        for item in batch:
            name = item.resource.get("service.name", "")
            service = self._known.get(name)
            if service is None:
                if not name or len(self._known) >= SERVICES:
                    continue
                service = self._known[name] = _Service(item.resource)
            service.heard_at = now
            if isinstance(item, Span):
                service.spans += 1
                service.failed += item.status is SpanStatus.ERROR
            else:
                service.logs += 1

    def look(self) -> list[HealthSample]:
        """Return a row for each service, and start counting anew."""
        now = self._clock()
        seconds = max(0.001, (now - self._looked_at) / SECOND)
        self._looked_at = now
        for name in [name for name, known in self._known.items() if now - known.heard_at > FORGOTTEN]:
            del self._known[name]
        return [self._row(name, service, now, seconds) for name, service in self._known.items()]

    def _row(self, name: str, service: _Service, now: int, seconds: float) -> HealthSample:
        service.sends_spans |= service.spans > 0
        share = service.failed / service.spans if service.spans else 0.0
        state, reason = HealthState.OK, ""
        if now - service.heard_at > QUIET:
            state, reason = HealthState.DEGRADED, f"silent for {(now - service.heard_at) // SECOND} s"
        elif share >= FAILING and service.spans >= ENOUGH:
            state = HealthState.DEGRADED
            reason = f"{share:.0%} of spans fail ({service.failed} of {service.spans})"
        sample = HealthSample(
            at=now,
            subject=f"service {name}",
            kind="service",
            state=state,
            reason=reason,
            value=share if service.sends_spans else service.logs / seconds,
            unit="1" if service.sends_spans else "{record}/s",
            source=self.source,
            resource=service.resource,
            details={
                "spans/s": round(service.spans / seconds, 1),
                "log records/s": round(service.logs / seconds, 1),
                "heard": f"{(now - service.heard_at) // SECOND} s ago",
            },
        )
        service.spans = service.failed = service.logs = 0
        return sample
