"""The metrics that came in lately: a bounded ring of points for each series, by which selectors are answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice

from cockpit.hygiene import clean_line
from cockpit.signals import SECOND, Series, Value
from cockpit.source import TimeRange
from sources.support.metric_ring import Line
from sources.support.otlp_signals import MetricPoint
from sources.support.selector import parse_selector

SERIES = 2000
POINTS = 360
"""Points kept of a series: an hour at one each ten seconds, six hours at an SDK's usual minute."""
STALE = 900 * SECOND
"""Nanoseconds without a point after which a series may make room for a new one."""
LABELS = 40
"""Labels kept of a series: the point's attributes, then the resource's."""
NAME_LIMIT, LABEL_LIMIT = 200, 300
"""Characters kept of a name and of a label's value."""
ANSWER = 200
"""Series in one answer."""

Labels = tuple[tuple[str, str], ...]


class _Kept:
    def __init__(self, name: str, unit: str, labels: Labels) -> None:
        self.unit = unit
        self.line = Line(name, labels)
        self.labels: Mapping[str, str] = dict(labels)
        self.heard_at = 0


class Metrics:
    """Keeps the points of at most `SERIES` series; points of further ones are refused."""

    def __init__(self, source: str, *, clock: Callable[[], int] = time.time_ns) -> None:
        self.source = source
        self._clock = clock
        self._kept: dict[tuple[str, Labels], _Kept] = {}
        """The series that had no point for longest first."""

    def add(self, points: Iterable[MetricPoint]) -> int:
        """Keep points and return how many were refused; a time in the future counts as now."""
        refused, now = 0, self._clock()
        for point in points:
            key = (clean_line(point.name, NAME_LIMIT), _labels(point))
            kept = self._kept.pop(key, None)
            if kept is None:
                if len(self._kept) >= SERIES and not self._forget_stale(now):
                    refused += 1
                    continue
                kept = _Kept(key[0], clean_line(point.unit, NAME_LIMIT), key[1])
            kept.heard_at = now
            kept.line.add(min(point.at, now), point.value, POINTS)
            self._kept[key] = kept
        return refused

    def _forget_stale(self, now: int) -> bool:
        """Drop the series that had no point for longest, where that is long ago."""
        key, kept = next(iter(self._kept.items()))
        if now - kept.heard_at < STALE:
            return False
        del self._kept[key]
        return True

    def query(self, expression: str, within: TimeRange, step: float) -> list[Series]:
        """Answer a selector, or `rate(…)` of one, with the last point of each step.

        Raises:
            BadAnswer: The expression is neither.
        """
        selector = parse_selector(expression, where=self.source)
        found = []
        for (name, _), kept in self._kept.items():
            if not selector.fits(name, kept.labels):
                continue
            points = kept.line.rates() if selector.rate else kept.line.points()
            inside = [point for point in points if within.start <= point[0] <= within.end]
            if inside:
                unit = f"{kept.unit}/s" if selector.rate else kept.unit
                thinned = _thin(inside, step)
                found.append(
                    Series(name=name, labels=kept.labels, points=thinned, unit=unit, source=self.source)
                )
            if len(found) == ANSWER:
                break
        return found


def _labels(point: MetricPoint) -> Labels:
    """Return a point's labels, of bounded size and safe to show: no hygiene comes after this."""
    pairs: Iterable[tuple[str, Value]] = chain(point.attributes.items(), point.resource.items())
    return tuple(
        (clean_line(name, NAME_LIMIT), clean_line(str(value)[: LABEL_LIMIT * 2], LABEL_LIMIT))
        for name, value in islice(pairs, LABELS)
    )


def _thin(points: list[tuple[int, float]], step: float) -> tuple[tuple[int, float], ...]:
    """Keep the last point of each step; for a step of 0 the last point alone."""
    if not step:
        return tuple(points[-1:])
    width = max(1, int(step * SECOND))
    return tuple({at // width: (at, value) for at, value in points}.values())
