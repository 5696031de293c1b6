"""A plot as SVG: lines over time, in the colour of the text around it, and nothing that is fetched.

Evidence of the kind `plot` is JSON: `{"title": …, "unit": …, "series": [{"name": …, "points": [[time, value], …]}]}`,
times in seconds or nanoseconds since the epoch, values numbers or null. Prometheus's own answer
(`{"metric": {…}, "values": [[seconds, "value"], …]}`) is taken as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from cockpit.hygiene import clean_line
from cockpit.signals import rfc3339

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 70, 12, 14, 28
MOST_SERIES = 20
MOST_POINTS = 100_000
"""Points that are read of all series together."""
_COLOURS = ("#3b7dd8", "#d1652b", "#2f9e57", "#b4418e", "#8a6d1f", "#1f8f9e")
_DASHES = ("", "6 3", "2 2", "8 3 2 3")

Point = tuple[float, float]
Series = tuple[str, list[Point]]


def plot(body: bytes) -> str | None:
    """Return an SVG element that draws the series in a piece of evidence; None where there are none."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    series = list(_series(read))
    points = [point for _, some in series for point in some]
    if not points:
        return None
    unit = read.get("unit") if isinstance(read, dict) else None
    return "".join(_drawn(series, points, clean_line(unit, 40) if isinstance(unit, str) else ""))


def _series(read: Any) -> Iterator[Series]:
    """Yield the series that a document holds, whichever way it holds them."""
    for name in ("data", "result", "series"):
        if isinstance(read, dict) and isinstance(read.get(name), dict | list):
            read = read[name]
    room = MOST_POINTS
    for one in read[:MOST_SERIES] if isinstance(read, list) else ():
        if not isinstance(one, dict):
            continue
        given = one.get("points", one.get("values"))
        points = sorted(_points(given[:room] if isinstance(given, list) else []))
        room -= len(points)
        if points:
            yield _name(one), points


def _name(one: dict[str, Any]) -> str:
    name = one.get("name", one.get("label"))
    if isinstance(name, str):
        return clean_line(name, 120)
    metric = one.get("metric")
    pairs = metric.items() if isinstance(metric, dict) else ()
    return clean_line(", ".join(f"{key}={value}" for key, value in pairs), 120)


def _points(given: list[Any]) -> Iterator[Point]:
    for point in given:
        if isinstance(point, list) and len(point) == 2:
            try:
                at, value = float(point[0]), float(point[1])
            except (TypeError, ValueError, OverflowError):
                continue
            if math.isfinite(at) and math.isfinite(value):
                yield (at / 1e9 if at > 1e14 else at), value


def _drawn(series: Sequence[Series], points: Sequence[Point], unit: str) -> Iterator[str]:
    least_at, most_at = min(at for at, _ in points), max(at for at, _ in points)
    low, high = min(value for _, value in points), max(value for _, value in points)
    if low == high:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    across = (WIDTH - LEFT - RIGHT) / ((most_at - least_at) or 1)
    up = (HEIGHT - TOP - BOTTOM) / ((high - low) or 1)
    height = HEIGHT + 16 * len(series)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" font-family="ui-monospace, monospace" font-size="11" fill="currentColor">'
    )
    for part in range(5):
        y = TOP + (HEIGHT - TOP - BOTTOM) * part / 4
        value = high - (high - low) * part / 4
        yield (
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="currentColor" stroke-opacity=".2"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(_number(value))}</text>'
        )
    yield f'<text x="4" y="{TOP - 3}">{escape(unit)}</text>'
    for at, anchor, x in ((least_at, "start", LEFT), (most_at, "end", WIDTH - RIGHT)):
        yield f'<text x="{x}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(_time(at))}</text>'
    for number, (name, some) in enumerate(series):
        colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number // len(_COLOURS) % len(_DASHES)]
        placed = [
            (LEFT + (at - least_at) * across, TOP + (high - value) * up) for at, value in _thinned(some)
        ]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
        yield (
            f'<path d="M{path}{"h.1" if len(placed) == 1 else ""}" fill="none" stroke="{colour}" stroke-width="1.5" '
            f'stroke-linecap="round" stroke-dasharray="{dash}"/>'
        )
        y = HEIGHT + 16 * number + 8
        yield f'<path d="M{LEFT} {y - 4}h18" stroke="{colour}" stroke-width="3" stroke-dasharray="{dash}"/>'
        yield f'<text x="{LEFT + 24}" y="{y}">{escape(name or f"series {number + 1}")}</text>'
    yield "</svg>"


def _thinned(points: list[Point]) -> list[Point]:
    """Return no more points than can be told apart: the least and the greatest of each stretch."""
    most = 2 * (WIDTH - LEFT - RIGHT)
    if len(points) <= most:
        return points
    size = math.ceil(len(points) / (most // 2))
    thinned: list[Point] = []
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        ends = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        thinned += sorted(ends)
    return thinned


def _number(value: float) -> str:
    for limit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.4g}{letter}"
    return f"{value:.4g}"


def _time(at: float) -> str:
    try:
        return rfc3339(int(at * 1e9), digits=0)[:19] + "Z"
    except (ValueError, OverflowError, OSError):
        return f"{at:.6g}"
