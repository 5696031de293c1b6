"""Decodes large JSON a piece at a time, so that no single step holds the interpreter for long.

A decoder written in C holds Python's lock until it is done: one answer of 28 MB, decoded whole in a thread, froze
every other thread for 130 ms. Finding where the pieces end takes a tenth of that, and between pieces others get their
turn.
"""

from __future__ import annotations

from typing import Any

import msgspec

PIECE = 64 * 1024
"""Bytes that are decoded at once."""
LEVELS = 8
"""Levels of nesting that are taken apart; what lies deeper is decoded as it is."""

Text = bytes | memoryview


def decode_in_pieces(body: Text, *, levels: int = LEVELS) -> Any:
    """Decode JSON to dicts, lists, texts and numbers. Call it in a thread.

    Raises:
        msgspec.DecodeError: It is no JSON.
        RecursionError: It is nested too deep.
    """
    if len(body) < PIECE or not levels:
        return msgspec.json.decode(body)
    first = bytes(body[:64]).lstrip()[:1]
    if first == b"{":
        held = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        return {key: decode_in_pieces(memoryview(value), levels=levels - 1) for key, value in held.items()}
    if first == b"[":
        return _list(msgspec.json.decode(body, type=list[msgspec.Raw]), levels - 1)
    return msgspec.json.decode(body)


def _list(elements: list[msgspec.Raw], levels: int) -> list[Any]:
    """Decode a list's elements, the small ones many at a time."""
    decoded: list[Any] = []
    waiting: list[memoryview] = []
    size = 0
    for element in elements:
        view = memoryview(element)
        if size + len(view) >= PIECE:
            decoded += msgspec.json.decode(b"[%s]" % b",".join(waiting))
            waiting, size = [], 0
        if len(view) >= PIECE:
            decoded.append(decode_in_pieces(view, levels=levels))
        else:
            waiting.append(view)
            size += len(view)
    decoded += msgspec.json.decode(b"[%s]" % b",".join(waiting))
    return decoded
