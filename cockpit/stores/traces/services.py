"""Rate, errors and duration of every service, over any recent window and as of any recent moment.

Counted are the spans where a request enters a service: kind `server` or `consumer`, or no parent. That is how
OpenTelemetry's span metrics connector and Jaeger's monitor tab read "requests".

Durations go into DDSketch histograms (Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", VLDB 2019): bin i holds the values in (γ^(i-1), γ^i], so any quantile is off by at
most ACCURACY of itself, and the sketches of two slices of time merge by adding their bins.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence

from msgspec import Struct

from cockpit.signals import SECOND, Span, SpanStatus, service_of

SLICE = 10 * SECOND
"""Nanoseconds counted together; a window's edges are rounded to it."""
TOGETHER = 6
"""Slices merged into a minute, so that a window of 15 minutes is read as about 25 sketches and not as 90."""
SLICES = 8_000
"""Slices kept over all services: with ten services, more than two hours."""
SERVICES = 500
"""Services told apart; spans of further ones are counted under OTHERS."""
OTHERS = "(other services)"
ACCURACY = 0.02
_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_PER_LOG = 1 / math.log(_GAMMA)


class Slice(Struct):
    """One service in one slice of time.

    Attributes:
        count: Requests that ended in it.
        errors: Those of them that failed.
        bins: DDSketch bins of their durations in nanoseconds.
    """

    count: int = 0
    errors: int = 0
    bins: dict[int, int] = {}


class ServiceRow(Struct):
    """One service over a window.

    Attributes:
        service: `service.name`.
        count: Requests.
        errors: Requests that failed.
        rate: Requests a second.
        slices: What its durations are in.
        known: Quantiles that were worked out already: a row is drawn many times.
    """

    service: str
    count: int
    errors: int
    rate: float
    slices: tuple[Slice, ...]
    known: dict[tuple[float, ...], list[float]] = {}

    @property
    def error_ratio(self) -> float:
        """Failed requests among all, from 0 to 1."""
        return self.errors / self.count if self.count else 0.0

    def quantiles(self, wanted: Sequence[float]) -> list[float]:
        """Return durations in nanoseconds at these quantiles, each within 2 % of the true one."""
        found = self.known.get(tuple(wanted))
        if found is None:
            found = self.known[tuple(wanted)] = quantiles(_merged(self.slices), wanted)
        return found


class ServiceRates:
    """Counts and durations by service and slice of time, bounded."""

    def __init__(self, *, slices: int = SLICES, services: int = SERVICES) -> None:
        self.capacity = slices
        self.most_services = services
        self.earliest = 0
        """About when the first slice kept starts, in nanoseconds; 0 while there is none."""
        self._services: dict[str, dict[int, Slice]] = {}
        self._order: deque[tuple[str, int]] = deque()
        self._minutes: dict[tuple[str, int], Slice] = {}

    def __len__(self) -> int:
        return len(self._order)

    def take(self, span: Span) -> None:
        """Count a span, if a request entered a service with it."""
        if span.parent_id and span.kind not in ("server", "consumer"):
            return
        service = service_of(span.resource) or "(unnamed)"
        number = span.end // SLICE
        by_number = self._services.get(service)
        found = by_number.get(number) if by_number is not None else None
        if found is None:
            found = self._open(service, number)
        found.count += 1
        found.errors += span.status is SpanStatus.ERROR
        bin_ = bin_of(span.end - span.start)
        found.bins[bin_] = found.bins.get(bin_, 0) + 1

    def table(self, start: int, end: int) -> list[ServiceRow]:
        """Return every service that had requests in a window, the most failing first, then the busiest."""
        first, last = start // SLICE, end // SLICE
        begins = max(start, self.earliest) if self.earliest else start
        seconds = max(SLICE, end - begins) / SECOND
        rows = []
        for service, by_number in self._services.items():
            slices = tuple(self._within(service, by_number, first, last))
            if count := sum(each.count for each in slices):
                errors = sum(each.errors for each in slices)
                rows.append(ServiceRow(service, count, errors, count / seconds, slices))
        return sorted(rows, key=lambda row: (-row.error_ratio, -row.count, row.service))

    def _within(self, service: str, by_number: dict[int, Slice], first: int, last: int) -> Iterator[Slice]:
        if last - first > TOGETHER * len(by_number):
            yield from (each for number, each in by_number.items() if first <= number <= last)
            return
        number = first
        while number <= last:
            if number % TOGETHER == 0 and number + TOGETHER <= last + 1:
                yield from self._minute(service, number, by_number)
                number += TOGETHER
                continue
            if (found := by_number.get(number)) is not None:
                yield found
            number += 1

    def _minute(self, service: str, number: int, by_number: dict[int, Slice]) -> Iterator[Slice]:
        """Yield a minute's slices as one, merged anew only when more was counted since."""
        parts = [by_number[each] for each in range(number, number + TOGETHER) if each in by_number]
        if len(parts) < 2:
            yield from parts
            return
        count = sum(each.count for each in parts)
        merged = self._minutes.get((service, number))
        if merged is None or merged.count != count:
            merged = Slice(count, sum(each.errors for each in parts), _merged(parts))
            self._minutes[service, number] = merged
        yield merged

    def _open(self, service: str, number: int) -> Slice:
        if service not in self._services and len(self._services) >= self.most_services:
            service = OTHERS
        by_number = self._services.setdefault(service, {})
        if (found := by_number.get(number)) is not None:
            return found
        made = by_number[number] = Slice()
        self._order.append((service, number))
        self.earliest = min(self.earliest or number * SLICE, number * SLICE)
        while len(self._order) > self.capacity:
            self._evict()
        return made

    def _evict(self) -> None:
        """Forget the slice that was opened longest ago, whatever time it claims: a source may lie about that."""
        service, number = self._order.popleft()
        by_number = self._services[service]
        del by_number[number]
        self._minutes.pop((service, number - number % TOGETHER), None)
        if not by_number:
            del self._services[service]
        if number * SLICE == self.earliest:
            self.earliest = self._order[0][1] * SLICE


def _merged(slices: Sequence[Slice]) -> dict[int, int]:
    merged: dict[int, int] = {}
    for each in slices:
        for bin_, count in each.bins.items():
            merged[bin_] = merged.get(bin_, 0) + count
    return merged


def bin_of(value: int) -> int:
    """Return the DDSketch bin of a duration in nanoseconds; everything up to 1 ns is in bin 0."""
    return math.ceil(math.log(value) * _PER_LOG) if value > 1 else 0


def quantiles(bins: dict[int, int], wanted: Sequence[float]) -> list[float]:
    """Return the values at these quantiles (0 to 1, in any order); zeros where nothing was counted."""
    total = sum(bins.values())
    if not total:
        return [0.0] * len(wanted)
    answers = dict.fromkeys(wanted, 0.0)
    left = sorted(wanted, reverse=True)
    seen = 0
    for bin_ in sorted(bins):
        seen += bins[bin_]
        while left and seen > left[-1] * (total - 1):
            answers[left.pop()] = 2 * _GAMMA**bin_ / (_GAMMA + 1)
    return [answers[each] for each in wanted]
