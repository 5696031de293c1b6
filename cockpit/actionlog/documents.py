"""Records as JSON: what the command line prints and what an export holds."""

from __future__ import annotations

import base64
import codecs
import json
import shlex
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from cockpit.actionlog.records import Action, Chunk, Evidence, Note
from cockpit.actions.transport import Stream
from cockpit.signals import rfc3339


def command_of(action: Action) -> str:
    """Return what ran as a person would type it; it may hold anything."""
    return action.shell if action.shell is not None else shlex.join(action.argv)


def as_json(value: object, *, indent: int | None = 2) -> str:
    """Return a record, or a list of them, as JSON; bytes of an argument that are no UTF-8 stay as `\\udcXX`."""
    built = msgspec.to_builtins(value)
    text = json.dumps(built, ensure_ascii=False, indent=indent)
    return text if text.isascii() or _encodes(text) else json.dumps(built, indent=indent)


def as_document(found: Action | Note | Evidence) -> dict[str, Any]:
    """Return a record as JSON has it; what is no action says so in `record`."""
    built: dict[str, Any] = msgspec.to_builtins(found)
    return built if isinstance(found, Action) else {"record": type(found).__name__.lower(), **built}


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def chunks_as_builtins(chunks: Iterable[Chunk]) -> Iterator[dict[str, Any]]:
    """Yield output as JSON can hold it: text, and base64 too where the bytes are no UTF-8.

    A character that a piece cuts in two belongs to the later piece.
    """
    rests: dict[Stream, bytes] = {}
    last = 0
    for chunk in chunks:
        data = rests.pop(chunk.stream, b"") + chunk.data
        last = chunk.at
        if cut := _unfinished(data):
            rests[chunk.stream], data = data[-cut:], data[:-cut]
        yield _piece(last, chunk.stream, data)
    for stream, data in rests.items():
        yield _piece(last, stream, data)


def _unfinished(data: bytes) -> int:
    """Return how many bytes at the end begin a character of UTF-8 that goes on."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    decoder.decode(data[-3:])
    return len(decoder.getstate()[0])


def _piece(at: int, stream: Stream, data: bytes) -> dict[str, Any]:
    piece: dict[str, Any] = {"at": rfc3339(at), "stream": stream.value, "text": data.decode(errors="replace")}
    if piece["text"].encode() != data:
        piece["base64"] = base64.b64encode(data).decode("ascii")
    return piece
