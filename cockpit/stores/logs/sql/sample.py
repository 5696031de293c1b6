"""What fields a log of JSON lines has, and of which types, told from some of its lines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import msgspec

PART = 1 << 20
"""Bytes looked at in each of `PARTS` places."""
PARTS = 4
LINES = 1500
"""Lines looked at in each at most."""

_DECODER: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])
_TYPES: dict[type, str] = {
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    str: "VARCHAR",
    dict: "JSON",
    list: "JSON",
}
_LARGEST = 1 << 63
_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LARGE = b"0" * len(str(_LARGEST))
"""What a line holds where its digits are made zeros and a number may be too large for 64 bits."""
_KEPT = 1 << 12
"""Kinds of line that are remembered."""


def sampled_lines(path: str) -> Iterator[bytes]:
    """Yield lines from the beginning, the middle and the end of a file.

    Raises:
        OSError: It can't be read.
    """
    with open(path, "rb") as file:  # noqa: PTH123
        size = os.fstat(file.fileno()).st_size
        for number in range(PARTS):
            begin = 0 if size <= PART * PARTS else (size - PART) * number // (PARTS - 1)
            if number and not begin:
                return
            file.seek(begin)
            data = file.read(PART * PARTS if size <= PART * PARTS else PART)
            first = 1 if begin else 0
            yield from data.split(b"\n", first + LINES)[first:][:LINES]


def field_types(lines: Iterable[bytes]) -> dict[str, str]:
    """Return a duckdb type for each field, in the order in which they came."""
    kinds: dict[str, set[str]] = {}
    seen: set[tuple[object, ...]] = set()
    for line in lines:
        if not line.startswith(b"{"):
            continue
        try:
            found = _DECODER.decode(line)
        except (msgspec.DecodeError, ValueError, RecursionError):
            continue
        alike = (*found, *map(type, found.values()))
        if alike in seen and _LARGE not in line.translate(_ZEROS):  # most lines say nothing new
            continue
        if len(seen) < _KEPT:
            seen.add(alike)
        for name, value in found.items():
            known = kinds.setdefault(name, set())
            if value is not None:
                kind = _TYPES.get(type(value), "JSON")
                large = kind == "BIGINT" and isinstance(value, int) and not -_LARGEST <= value < _LARGEST
                known.add("DOUBLE" if large else kind)
    return {name: _joined(known) for name, known in kinds.items() if name and "\0" not in name}


def _joined(kinds: set[str]) -> str:
    """Return a type that takes all of these."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {"BIGINT", "DOUBLE"}:
        return "DOUBLE"
    return "JSON" if "JSON" in kinds else "VARCHAR"
