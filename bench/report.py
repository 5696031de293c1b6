"""Figures and how they are told: medians with their spread, in Markdown tables, against limits."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """One table of the results.

    Attributes:
        title: Its heading.
        columns: Names of the columns; the first is set left, the others right.
        rows: Cells as text.
        notes: What a reader has to know to read it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=list)

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [f"## {self.title}", ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("|---" + "|--:" * (len(self.columns) - 1) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        lines += ["", *[f"- {note}" for note in self.notes]]
        return "\n".join(lines).rstrip() + "\n"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float], scale: float = 1.0, digits: int = 2) -> str:
    """Return the median with the least and the greatest value."""
    low, mid, high = min(values), statistics.median(values), max(values)
    return f"{mid * scale:.{digits}f} ({low * scale:.{digits}f}–{high * scale:.{digits}f})"


def verdict(value: float, limit: float, unit: str) -> str:
    """Return the limit, and whether the value holds it."""
    return f"≤ {limit:g} {unit}".rstrip() + (": holds" if value <= limit else ": **missed**")
