"""The metrics that came in lately: a bounded ring of points for each series, by which selectors are answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import pairwise

from cockpit.signals import SECOND, Series
from cockpit.source import TimeRange
from sources.support.otlp_signals import MetricPoint
from sources.support.selector import parse_selector

SERIES = 2000
POINTS = 360
"""Points kept of a series: an hour at one each ten seconds, six hours at an SDK's usual minute."""
STALE = 900 * SECOND
"""Nanoseconds without a point after which a series may make room for a new one."""
ANSWER = 200
"""Series in one answer."""


class _Kept:
    def __init__(self, name: str, unit: str, labels: Mapping[str, str]) -> None:
        self.name = name
        self.unit = unit
        self.labels = labels
        self.points: deque[tuple[int, float]] = deque(maxlen=POINTS)


class Metrics:
    """Keeps the points of at most `SERIES` series; points of further ones are refused."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._kept: dict[tuple[object, ...], _Kept] = {}

    def add(self, points: Iterable[MetricPoint]) -> int:
        """Keep points and return how many were refused."""
        refused = 0
        for point in points:
            key = (point.name, tuple(point.resource.items()), tuple(point.attributes.items()))
            kept = self._kept.pop(key, None)
            if kept is None:
                if len(self._kept) >= SERIES and not self._forget_stale(point.at):
                    refused += 1
                    continue
                labels = {**point.resource, **{name: str(value) for name, value in point.attributes.items()}}
                kept = _Kept(point.name, point.unit, labels)
            kept.points.append((point.at, point.value))
            self._kept[key] = kept
        return refused

    def _forget_stale(self, now: int) -> bool:
        """Drop the series that had no point for longest, where that is long ago."""
        key, kept = next(iter(self._kept.items()))
        if now - kept.points[-1][0] < STALE:
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
        for kept in self._kept.values():
            if not selector.fits(kept.name, kept.labels):
                continue
            points = sorted(kept.points)
            if selector.rate:
                points = _rates(points)
            inside = [point for point in points if within.start <= point[0] <= within.end]
            if inside:
                found.append(
                    Series(
                        name=kept.name,
                        labels=kept.labels,
                        points=_thin(inside, step),
                        unit=f"{kept.unit}/s" if selector.rate else kept.unit,
                        source=self.source,
                    )
                )
            if len(found) == ANSWER:
                break
        return found


def _rates(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the rise a second between neighbours; a fall is a cumulative sum that began again at 0."""
    return [
        (at, (value - before if value >= before else value) * SECOND / (at - since))
        for (since, before), (at, value) in pairwise(points)
        if at > since
    ]


def _thin(points: list[tuple[int, float]], step: float) -> tuple[tuple[int, float], ...]:
    """Keep the last point of each step; for a step of 0 the last point alone."""
    if not step:
        return tuple(points[-1:])
    width = max(1, int(step * 1e9))
    return tuple({at // width: (at, value) for at, value in points}.values())
