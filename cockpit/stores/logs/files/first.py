"""The last records of logs, read at once, before anything else is known of them."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.stores.logs.files.chunk import EMPTY_CHUNK, Summary, rows_of, summary_of
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.merging import Walk
from cockpit.stores.logs.files.pieces import Backwards
from cockpit.stores.logs.files.wire import Open

FIRST = 1 << 16
"""Bytes read of all logs together: several screens of most of them."""
LEAST = 1 << 12
"""Bytes read of each at least."""


def first_tail(logs: Logs, paths: Sequence[str]) -> tuple[Open, Summary]:
    """Index the last records of each log.

    Returns:
        What to tell the process that reads the rest, and the tail.

    Raises:
        CockpitError: A log can't be read.
    """
    size = max(LEAST, FIRST // max(1, len(logs.opened)))
    walks = [
        Walk(Backwards(number, log, fmt, end=log.size, observed=log.modified))
        for number, (log, fmt) in enumerate(zip(logs.opened, logs.formats, strict=True))
    ]
    for walk in walks:
        walk.on(size)
    # Before the latest of the logs' lowest times, others may have records that were not read yet.
    moment = max((walk.lowest or 0 for walk in walks if walk.backwards.low > 0), default=None)
    pieces, ends, observed = [], [], []
    for log, walk in zip(logs.opened, walks, strict=True):
        taken = walk.take(moment)
        pieces += taken
        ends.append(taken[0].span.offset if taken else log.size)
        observed.append(int(taken[0].placed[0]) if taken else log.modified)
    logs.keep(pieces)
    tail = summary_of(pieces, rows_of(pieces)) if pieces else EMPTY_CHUNK
    return Open(list(paths), [piece.span for piece in pieces], ends, observed), tail
