"""The picture of a fingerprint, by the walk that OpenSSH takes through it: eyes compare it faster than letters."""

from __future__ import annotations

import hashlib

_COLUMNS, _ROWS = 17, 9
_SHADES = " .o+=*BOX@%&#/^"
_START, _END = "S", "E"


def randomart(blob: bytes, title: str) -> str:
    """Return the picture that `ssh-keygen -lv` draws of a public key.

    Args:
        blob: The key as it is sent.
        title: What stands in the upper edge, such as `ED25519 256`.
    """
    visits = [[0] * _COLUMNS for _ in range(_ROWS)]
    x, y = _COLUMNS // 2, _ROWS // 2
    for byte in hashlib.sha256(blob).digest():
        for shift in (0, 2, 4, 6):
            step = byte >> shift
            x = min(max(x + (1 if step & 1 else -1), 0), _COLUMNS - 1)
            y = min(max(y + (1 if step & 2 else -1), 0), _ROWS - 1)
            visits[y][x] += 1
    drawn = [[_SHADES[min(count, len(_SHADES) - 1)] for count in row] for row in visits]
    drawn[_ROWS // 2][_COLUMNS // 2] = _START
    drawn[y][x] = _END
    above, below = _edge(f"[{title}]"), _edge("[SHA256]")
    return "\n".join((above, *(f"|{''.join(row)}|" for row in drawn), below))


def _edge(text: str) -> str:
    text = text[:_COLUMNS]
    left = (_COLUMNS - len(text)) // 2
    return f"+{'-' * left}{text}{'-' * (_COLUMNS - len(text) - left)}+"
