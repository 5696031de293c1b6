"""Which format a log has, told from its content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cockpit.formats.json_lines import JsonFormat
from cockpit.formats.plain import PlainFormat

if TYPE_CHECKING:
    from cockpit.formats.declaration import Declaration
    from cockpit.formats.format import LineFormat
    from cockpit.formats.piece import Piece
    from cockpit.formats.times import Zone

LEAST = 0.05
"""The share of lines that must fit; the others may be parts of records."""
ALIKE = 0.9
"""Of two formats, the one that says more is taken if it fits so many of the lines that the other fits."""
SAMPLE = 128 * 1024
"""Bytes that are looked at."""


def detect(
    sample: bytes,
    *,
    path: str = "",
    observed: int = 0,
    zone: Zone | None = None,
    own: Sequence[Declaration] = (),
) -> LineFormat:
    """Return the format that fits a sample of a log best; lines that nothing fits are plain.

    Args:
        sample: Some of its lines, the first or last perhaps cut.
        path: Where it lies, where that helps to decide between formats that both fit.
        observed: A moment not before the sample was written, in nanoseconds.
        zone: The zone of times that tell none; this machine's where not given.
        own: Formats that a user declared.
    """
    if not own and _is_json(sample):
        return JsonFormat(zone)
    from cockpit.formats.catalogue import each_format
    from cockpit.formats.declared import DeclaredFormat
    from cockpit.formats.piece import Piece
    from cockpit.formats.w3c import w3c_declaration
    from cockpit.formats.wrapped import WrappedFormat

    if (described := w3c_declaration(sample)) is not None:
        return DeclaredFormat(described, trusted=True)
    piece = Piece(sample[:SAMPLE])
    if _is_json(sample):
        declared = [DeclaredFormat(declaration, zone) for declaration in own]
        return _best(piece, (*declared, JsonFormat(zone)), observed)
    found = _best(piece, each_format(zone, own), observed)
    if isinstance(found, WrappedFormat):
        inside = found.inside(piece, observed=observed).data
        bare = (known for known in each_format(zone, own) if not isinstance(known, WrappedFormat))
        return found.with_inner(_best(Piece(inside), bare, observed))
    return found


def _is_json(sample: bytes) -> bool:
    """Tell that all lines are objects, and none is what another format could take for its own.

    It takes 50 microseconds, where making and trying the formats that come before JSON lines takes 100 ms.
    """
    return (
        sample.startswith(b"{")
        and sample.count(b"\n") == sample.count(b"\n{") + sample.endswith(b"\n")
        and not any(mark in sample for mark in (b"__REALTIME_TIMESTAMP", b'{"log":"'))
    )


def _best(piece: Piece, formats: Iterable[LineFormat], observed: int) -> LineFormat:
    fits: list[tuple[int, LineFormat]] = []
    most, found = 0, None
    for known in formats:
        if isinstance(known, PlainFormat):
            continue
        fits.append((known.fitting(piece, observed=observed), known))
        most = max(count for count, _ in fits)
        count, found = next(fit for fit in fits if fit[0] >= ALIKE * most)
        if count >= ALIKE * len(piece):
            break  # it stays the first that fits so many, however many the others fit
    return found if found is not None and most > LEAST * len(piece) else PlainFormat()
