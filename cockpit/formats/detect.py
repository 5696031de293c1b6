"""Which format a log has, told from its content."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.formats.catalogue import known_formats
from cockpit.formats.declaration import Declaration
from cockpit.formats.declared import DeclaredFormat
from cockpit.formats.format import LineFormat
from cockpit.formats.plain import PlainFormat
from cockpit.formats.times import Zone
from cockpit.formats.w3c import w3c_declaration
from cockpit.formats.wrapped import WrappedFormat

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
    formats = [known for known in known_formats(zone, own) if not isinstance(known, PlainFormat)]
    if (described := w3c_declaration(sample)) is not None:
        return DeclaredFormat(described, trusted=True)
    found = _best(sample[:SAMPLE], formats, observed)
    if isinstance(found, WrappedFormat):
        from cockpit.formats.piece import Piece

        inside = found.inside(Piece(sample[:SAMPLE]), observed=observed).data
        bare = [known for known in formats if not isinstance(known, WrappedFormat)]
        return found.with_inner(_best(inside, bare, observed))
    return found


def _best(sample: bytes, formats: Sequence[LineFormat], observed: int) -> LineFormat:
    from cockpit.formats.piece import Piece

    piece = Piece(sample)
    fits: list[tuple[int, LineFormat]] = []
    for known in formats:
        fits.append((known.fitting(piece, observed=observed), known))
        if fits[-1][0] >= len(piece):
            break  # those that say less can't fit better
    best = max((count for count, _ in fits), default=0)
    if best <= LEAST * len(piece):
        return PlainFormat()
    return next(known for count, known in fits if count >= ALIKE * best)
