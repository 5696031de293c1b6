"""The patterns of log files, without a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from cockpit.stores.logs.templates.templates import Change, Templates

BATCH = 20_000
"""Records fed at a time."""

Line = tuple[int, int, str]
"""A record's line number from 1, its time in nanoseconds or `UNDATED`, and its body."""


def patterns_of(
    records: Iterable[Line], *, since: int | None = None, progress: Callable[[int], None] | None = None
) -> list[dict[str, Any]]:
    """Return the templates of records, as `cockpit logs patterns --json` prints them.

    Args:
        records: In the order of their numbers.
        since: A moment in nanoseconds: what is new or rising since then comes first, and says so.
        progress: Called with the records read so far after every batch; what it raises ends the reading.

    Returns:
        For each template `template`, `count`, `lines` (numbers), `first_at`, `last_at` (nanoseconds, None where no
        line told a time) and `example`; with `since` also `trend`, `before`, `since` and `ratio` (None: infinite).
    """
    templates = Templates(keep_lines=True)
    for batch in _batches(records):
        numbers, times, bodies = zip(*batch, strict=True)
        templates.feed(numbers, times, bodies)
        if progress is not None:
            progress(len(templates))
    found = {
        template.id: {
            "template": template.text,
            "count": template.count,
            "lines": lines.tolist(),
            "first_at": template.first_at if template.first_at >= 0 else None,
            "last_at": template.last_at if template.last_at >= 0 else None,
            "example": template.example,
        }
        for template, lines in templates.lines()
    }
    if since is None:
        return list(found.values())
    return [found[change.template.id] | _changed(change) for change in templates.since(since)]


def _changed(change: Change) -> dict[str, Any]:
    return {
        "trend": str(change.trend),
        "before": change.before,
        "since": change.since,
        "ratio": None if change.ratio == float("inf") else change.ratio,
    }


def _batches(records: Iterable[Line]) -> Iterator[list[Line]]:
    """Cut records into batches."""
    waiting = iter(records)
    while batch := list(islice(waiting, BATCH)):
        yield batch
