"""Text as every widget shows it: safe, fitted to cells, and with numbers and times in one manner."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from cockpit.hygiene import clean_text
from cockpit.signals import SECOND, HealthState, severity_rank

HEALTH_MARK = {
    HealthState.OK: "●",
    HealthState.UNKNOWN: "?",
    HealthState.DEGRADED: "▲",
    HealthState.DOWN: "✖",
}
"""A shape for each state, so that colour never carries it alone."""
LATE_MARK = "◌"
"""Stands in for a state that was read too long ago."""

SEVERITY_MARK = ("·", "ℹ", "▲", "◆", "✖")
"""A shape for each severity rank, from none to critical."""

SEVERITY_STYLE = ("muted", "info", "warning", "error", "critical")


def severity_mark(severity: str) -> str:
    """Return the shape that stands for a severity."""
    return SEVERITY_MARK[severity_rank(severity)]


def severity_style(severity: str) -> str:
    """Return the name of the style that a severity is drawn in."""
    return SEVERITY_STYLE[severity_rank(severity)]


def safe(text: str, limit: int = 4096) -> str:
    """Return one line that no terminal takes for anything but text."""
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return text
    return clean_text(text, limit).replace("\n", "⏎").replace("\t", " ")


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return text of exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return text[: width - 1] + "…" if text.isascii() else set_cell_size(text, width - 1) + "…"
    pad = " " * (width - length)
    return pad + text if right else text + pad


def age(nanoseconds: int) -> str:
    """Return a span of time in at most four cells, such as `12s`, `5m`, `3h` or `4d`."""
    seconds = max(0, nanoseconds) // SECOND
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def freshness(nanoseconds: int) -> str:
    """Return how old something is that is looked at every few seconds: steps of ten seconds, so that it stands still.

    A figure that counted the seconds would have every row drawn again each second, and tell nothing more.
    """
    seconds = max(0, nanoseconds) // SECOND
    if seconds >= 60:
        return age(nanoseconds)
    return f"{seconds // 10 * 10}s" if seconds >= 10 else "now"


def duration(nanoseconds: float) -> str:
    """Return a duration with three digits that matter and its unit, such as `1.24 ms`."""
    for size, unit in (
        (3600 * SECOND, "h"),
        (60 * SECOND, "min"),
        (SECOND, "s"),
        (1_000_000, "ms"),
        (1_000, "µs"),
    ):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"


def clock(nanoseconds: int, *, utc: bool = True, date: bool = False, millis: bool = False) -> str:
    """Return a time of day as `HH:MM:SS`, with its date or milliseconds when asked."""
    text = _to_second(nanoseconds // SECOND, utc=utc, date=date)
    return f"{text}.{nanoseconds % SECOND // 1_000_000:03d}" if millis else text


@lru_cache(maxsize=4096)
def _to_second(seconds: int, *, utc: bool, date: bool) -> str:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
        if not utc:
            moment = moment.astimezone()
    except (OverflowError, ValueError, OSError):
        return "--:--:--"
    return moment.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")


def quantity(value: float | None, unit: str = "") -> str:
    """Return a number with its UCUM unit in people's terms: `93.1%`, `1.2 GB`, `34 ms`."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value)
    if unit == "%":
        return f"{value:.1f}%"
    if unit == "1":
        return f"{value * 100:.1f}%" if 0 <= value <= 1 else f"{value:.3g}"
    if unit == "s":
        return duration(value * SECOND) if value > 0 else "0 s"
    if unit in ("By", "By/s"):
        return _scaled(value, 1000, ("B", "kB", "MB", "GB", "TB", "PB")) + unit[2:]
    bare = safe(unit.strip("{}") if unit.startswith("{") else unit, 40)
    number = _scaled(value, 1000, ("", "k", "M", "G", "T")) if abs(value) >= 10_000 else f"{value:.4g}"
    return f"{number} {bare}".strip()


def _scaled(value: float, base: float, names: tuple[str, ...]) -> str:
    step = 0
    while abs(value) >= base and step < len(names) - 1:
        value /= base
        step += 1
    return f"{value:.3g} {names[step]}".rstrip()


_BARS = "▁▂▃▄▅▆▇█"


def sparkline(
    values: list[float | None], width: int, *, low: float | None = None, high: float | None = None
) -> str:
    """Return the last `width` values as bars; a gap is a blank."""
    shown = values[-width:]
    known = [value for value in shown if value is not None and math.isfinite(value)]
    if not known:
        return " " * width
    floor = min(known) if low is None else low
    half = (
        max(known) if high is None else high
    ) / 2 - floor / 2  # halves, since a difference may be infinite
    bars = [
        " "
        if value is None or not math.isfinite(value)
        else _BARS[int(max(0.0, min(7.0, (value / 2 - floor / 2) / half * 8)))]
        if half > 0
        else _BARS[0]
        for value in shown
    ]
    return "".join(bars).rjust(width)
