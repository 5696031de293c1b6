"""How a trace and a service look in their lists: columns and what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.stores.traces import ServiceRow, Trace
from widgets.bars import strip_of
from widgets.rows import Piece, columns
from widgets.text import duration, freshness, safe

FAILED, WHOLE, PARTIAL, ELSEWHERE = "✖", "●", "◐", "○"
"""Marks: has errors; all there; spans are missing; known from a search alone."""

QUANTILES = (0.5, 0.95, 0.99)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 span` or `5,231 spans`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def trace_mark(trace: Trace, moment: int | None) -> tuple[str, str]:
    """Return a trace's mark and the style it is drawn in."""
    if trace.errors_at(moment):
        return FAILED, "error"
    if not trace.held:
        return ELSEWHERE, "muted"
    return (PARTIAL, "warning") if trace.incomplete else (WHOLE, "ok")


def _trace_columns(width: int) -> tuple[int, int, bool]:
    """Return the cells of the duration's bar and of the service, and whether the identifier has room."""
    if width >= 110:
        return 16, 20, True
    return (10, 16, False) if width >= 70 else (5, 12, False)


def trace_header(width: int) -> Sequence[Piece]:
    """Name the columns of the list of traces."""
    bar_cells, service_cells, with_id = _trace_columns(width)
    cells = [
        ("", "", 1),
        ("duration", "", -8),
        ("", "", bar_cells),
        ("service", "", service_cells),
        ("root span", "", 0),
        ("spans", "", -6),
        ("err", "", -4),
    ]
    if with_id:
        cells.append(("trace", "", 8))
    return columns(width, *cells, ("age", "", -3))


def draw_trace(
    trace: Trace, width: int, *, now: int, moment: int | None, longest: int, followed: str
) -> Sequence[Piece]:
    """Lay out one trace, as of a moment."""
    bar_cells, service_cells, with_id = _trace_columns(width)
    mark, style = trace_mark(trace, moment)
    spent = trace.duration_at(moment)
    running = moment is not None and trace.end > moment
    errors = trace.errors_at(moment)
    spans = f"{len(trace.spans)}/{trace.expected}" if trace.expected > len(trace.spans) > 0 else ""
    cells = [
        (mark, style, 1),
        (f"{duration(spent)}{'…' if running else ''}", style if errors else "strong", -8),
        (strip_of(spent / longest if longest else 0, bar_cells), "error" if errors else "info", bar_cells),
        (safe(trace.service, 60), "accent", service_cells),
        (safe(trace.name, 200), "strong" if trace.trace_id == followed else "", 0),
        (spans or f"{trace.span_count:,}", "muted", -6),
        (f"{errors:,}" if errors else "", "error", -4),
    ]
    if with_id:
        cells.append((safe(trace.trace_id[:8]), "muted", 8))
    return columns(width, *cells, (freshness((moment or now) - trace.end), "muted", -3))


def _service_columns(width: int) -> tuple[int, bool]:
    return (16, True) if width >= 90 else (0, width >= 62)


def service_header(width: int) -> Sequence[Piece]:
    """Name the columns of the table of services."""
    bar_cells, roomy = _service_columns(width)
    cells = [("", "", 1), ("service", "", 0), ("req/s", "", -8), ("errors", "", -7)]
    if bar_cells:
        cells.append(("", "", bar_cells))
    if roomy:
        cells.append(("p50", "", -8))
    cells.append(("p95", "", -8))
    if roomy:
        cells.append(("p99", "", -8))
    return columns(width, *cells, ("requests", "", -8))


def draw_service(row: ServiceRow, width: int) -> Sequence[Piece]:
    """Lay out one service; its quantiles are worked out only here, for the rows in sight."""
    bar_cells, roomy = _service_columns(width)
    p50, p95, p99 = (duration(value) for value in row.quantiles(QUANTILES))
    ratio = row.error_ratio
    style = "error" if ratio >= 0.05 else "warning" if ratio else "ok"
    mark = FAILED if ratio >= 0.05 else "▲" if ratio else WHOLE
    cells = [
        (mark, style, 1),
        (safe(row.service, 80), "strong", 0),
        (f"{row.rate:.3g}" if row.rate < 1000 else f"{row.rate:,.0f}", "", -8),
        (f"{ratio:.1%}" if row.errors else "0", style if row.errors else "muted", -7),
    ]
    if bar_cells:
        cells.append((strip_of(ratio, bar_cells), "error", bar_cells))
    if roomy:
        cells.append((p50, "", -8))
    cells.append((p95, "", -8))
    if roomy:
        cells.append((p99, "", -8))
    return columns(width, *cells, (f"{row.count:,}", "muted", -8))
