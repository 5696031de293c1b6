"""Answers of Prometheus's HTTP API, version 1, as typed structs.

Only what is used is named. Go writes an empty list or map as null now and then, so those may be None. The source of
the shapes is the "HTTP API" page of Prometheus's documentation.
"""

from __future__ import annotations

import math
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from cockpit.errors import BadAnswer
from cockpit.signals import SECOND, Series
from sources.support.http_body import decode

T = TypeVar("T")
MAX_SERIES = 500
"""Series kept of an answer."""
MAX_POINTS = 400_000
"""Points kept of an answer, all series together."""
MAX_STEPS = 11_000
"""Points a series may have before Prometheus refuses to answer."""


class Reply(Struct, Generic[T], frozen=True, gc=False):
    """What every endpoint wraps its data in."""

    status: str
    data: T | None = None
    errorType: str = ""
    error: str = ""
    warnings: list[str] | None = None


class Target(Struct, frozen=True, gc=False):
    """One scraped endpoint, of /api/v1/targets."""

    labels: dict[str, str] | None = None
    scrapePool: str = ""
    scrapeUrl: str = ""
    lastError: str = ""
    lastScrape: str = ""
    lastScrapeDuration: float = 0.0
    health: str = "unknown"


class TargetsData(Struct, frozen=True, gc=False):
    """The targets that are scraped."""

    activeTargets: list[Target] | None = None


class RuleAlert(Struct, frozen=True, gc=False):
    """One alert that a rule holds now."""

    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    state: str = ""
    activeAt: str = ""
    value: str | float = ""


class Rule(Struct, frozen=True, gc=False):
    """A recording or alerting rule, of /api/v1/rules."""

    name: str = ""
    query: str = ""
    type: str = ""
    health: str = ""
    lastError: str = ""
    labels: dict[str, str] | None = None
    alerts: list[RuleAlert] | None = None


class RuleGroup(Struct, frozen=True, gc=False):
    """Rules that are evaluated together."""

    name: str = ""
    file: str = ""
    rules: list[Rule] | None = None


class RulesData(Struct, frozen=True, gc=False):
    """All groups of rules."""

    groups: list[RuleGroup] | None = None


class AlertsData(Struct, frozen=True, gc=False):
    """The alerts of all rules, of /api/v1/alerts."""

    alerts: list[RuleAlert] | None = None


class BuildInfo(Struct, frozen=True, gc=False):
    """Who answers, of /api/v1/status/buildinfo."""

    version: str = ""
    application: str = ""


class ConfigData(Struct, frozen=True, gc=False):
    """The server's own configuration as it prints it, of /api/v1/status/config."""

    yaml: str = ""


class QueryData(Struct, frozen=True, gc=False):
    """What an expression came to; its shape follows `resultType`."""

    resultType: str
    result: msgspec.Raw


Sample = tuple[float, str]
"""(seconds since the epoch, the value as text: a number, NaN, +Inf or -Inf)."""


class _Line(Struct, frozen=True, gc=False):
    metric: dict[str, str] | None = None
    value: Sample | None = None
    values: list[Sample] | None = None


def series_of(data: QueryData, *, where: str, expression: str, source: str) -> list[Series]:
    """Return what an expression came to as series, bounded in number and in points.

    In a range NaN and infinities are gaps; in an answer about one moment infinities stay and NaN is left out.

    Raises:
        BadAnswer: The answer's shape is not the one its type says.
    """
    raw = bytes(data.result)
    if data.resultType == "scalar":
        lines = [_Line(value=decode(raw, Sample, where=where, path="the scalar"))]  # type: ignore[arg-type]
    elif data.resultType in {"vector", "matrix"}:
        lines = decode(raw, list[_Line], where=where, path=f"the {data.resultType}")
    else:
        raise BadAnswer(f"the expression gives a {data.resultType[:20]}, which can't be drawn", where=where)
    left, found = MAX_POINTS, list[Series]()
    for line in lines[:MAX_SERIES]:
        labels = dict(line.metric or {})
        points = _points(line, where)[:left]
        left -= len(points)
        found.append(
            Series(name=labels.pop("__name__", expression), labels=labels, points=points, source=source)
        )
    return found


def _points(line: _Line, where: str) -> tuple[tuple[int, float], ...]:
    if line.value is not None:
        moment, value = _moment(line.value[0]), number(line.value[1], where)
        return () if math.isnan(value) else ((moment, value),)
    pairs = ((_moment(at), number(text, where)) for at, text in line.values or ())
    return tuple((at, value) for at, value in pairs if math.isfinite(value))


def _moment(seconds: float) -> int:
    return int(seconds * 1000) * (SECOND // 1000) if abs(seconds) < 1e11 else 0


def number_or_nan(text: str | float) -> float:
    """Return a value of the API, and NaN for what is none: one odd value must not hide its neighbours."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def number(text: str | float, where: str) -> float:
    """Return a value of the API, which is written as a text.

    Raises:
        BadAnswer: It is no number.
    """
    try:
        return float(text)
    except ValueError:
        raise BadAnswer("a value is no number", where=where) from None
