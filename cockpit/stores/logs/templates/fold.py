"""Log lines with their numbers folded away, a batch at a time.

Most lines of a log differ from earlier ones in digits alone. Where every run of digits becomes one `0`, they are
equal as bytes, and one look into a dict tells their template. The folding costs a few passes of numpy over the
batch and no Python object beside the folded lines themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

LONGEST = 2_000
"""Characters of a body that are looked at; what follows counts as variable."""
ZERO = 48
_EDGE = rb"[^\s=,;()\[\]{}<>|\"'`]"
_HEX = re.compile(rb"(?<!%b)(?=[0a-f-]*0[a-f-]+0)[0a-f]+(?:-[0a-f]+)*(?!%b)" % (_EDGE, _EDGE))
"""Hexadecimal and UUIDs between delimiters, with two runs of digits at least."""
_DIGITS_TO_ZERO = bytes(ZERO if 48 <= code <= 57 else code for code in range(256))


def first_lines(bodies: Sequence[str]) -> list[str]:
    """Return each body's first line, cut to `LONGEST` characters: what a stack trace says is not its template."""
    return [body if len(body) <= LONGEST and "\n" not in body else _cut(body) for body in bodies]


def _cut(body: str) -> str:
    line = body[: LONGEST + 1].partition("\n")[0]
    return line if len(line) <= LONGEST else line[:LONGEST].rpartition(" ")[0] or line[:LONGEST]


def fold(lines: Sequence[str]) -> list[bytes]:
    """Return the lines in UTF-8 with each run of ASCII digits as one `0`; what is no UTF-8 becomes `?`."""
    if not lines:
        return []
    joined = "\n".join(lines).encode("utf-8", "replace").translate(_DIGITS_TO_ZERO)
    codes = np.frombuffer(joined, np.uint8)
    digit = codes == ZERO
    kept = np.ones(len(codes), np.bool_)
    kept[1:] = ~(digit[1:] & digit[:-1])
    return codes[kept].tobytes().split(b"\n")


def without_hex(folded: bytes) -> bytes:
    """Return a folded line with hexadecimal numbers as one `0` too; dearer, so for lines not seen before."""
    return _HEX.sub(b"0", folded)
