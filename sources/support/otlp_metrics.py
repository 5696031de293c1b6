"""The metrics that came in lately: a bounded ring of points for each series, and selectors to ask for them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping

from cockpit.errors import UsageError
from cockpit.signals import SECOND, Matcher, Series
from cockpit.source import TimeRange
from sources.support.otlp_signals import MetricPoint

SERIES = 2000
POINTS = 360
"""Points kept of a series: an hour at one each ten seconds, six hours at an SDK's usual minute."""
STALE = 900 * SECOND
"""Nanoseconds without a point after which a series may make room for a new one."""
ANSWER = 200
"""Series in one answer."""

_SELECTOR = re.compile(r"\s*([^\s{}]+)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_MATCHER = re.compile(r'\s*([^\s=!~,"]+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_EXAMPLE = 'write NAME or NAME{label="value"}'


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
        """Answer a selector, as `NAME{label="value", other=~"regex"}`, with raw points thinned to one a step.

        Raises:
            UsageError: The expression is no selector.
        """
        name, matchers = parse(expression)
        found = []
        for kept in self._kept.values():
            if kept.name != name or not all(_admits(matcher, kept.labels) for matcher in matchers):
                continue
            points = _thin([point for point in kept.points if within.start <= point[0] <= within.end], step)
            if points:
                found.append(
                    Series(name=name, labels=kept.labels, points=points, unit=kept.unit, source=self.source)
                )
            if len(found) == ANSWER:
                break
        return found


def parse(expression: str) -> tuple[str, list[Matcher]]:
    """Read a selector.

    Raises:
        UsageError: The expression is no selector.
    """
    whole = _SELECTOR.fullmatch(expression)
    if whole is None:
        raise UsageError(f"not a metric selector: {expression[:80]!r}", remedy=_EXAMPLE)
    matchers, rest = [], whole[2] or ""
    while rest.strip():
        found = _MATCHER.match(rest)
        if found is None:
            raise UsageError(f"not a label matcher: {rest[:80]!r}", remedy=_EXAMPLE)
        sign, value = found[2], _ESCAPED.sub(r"\1", found[3])
        if "~" in sign:
            try:
                re.compile(value)
            except re.error as error:
                raise UsageError(f"not a regular expression: {error}", where=value[:80]) from None
        matchers.append(Matcher(found[1], value, is_regex="~" in sign, is_equal=sign.startswith("=")))
        rest = rest[found.end() :]
    return whole[1], matchers


def _admits(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    given = labels.get(matcher.name, "")
    fits = re.fullmatch(matcher.value, given) is not None if matcher.is_regex else given == matcher.value
    return fits is matcher.is_equal


def _thin(points: list[tuple[int, float]], step: float) -> tuple[tuple[int, float], ...]:
    """Keep the last point of each step; for a step of 0 the last point alone."""
    if not step:
        return tuple(sorted(points)[-1:])
    width = max(1, int(step * 1e9))
    return tuple({at // width: (at, value) for at, value in sorted(points)}.values())
