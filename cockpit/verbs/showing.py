"""Prints actions: as one JSON document, a table, or a page for one."""

from __future__ import annotations

import base64
import codecs
import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from cockpit.actionlog.records import Action, Chunk, Evidence, Note, State
from cockpit.actions.transport import Stream
from cockpit.hygiene import clean_text
from cockpit.signals import rfc3339

_LINE = str.maketrans({"\n": "␊", "\t": "␉"})


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


def one_line(text: str) -> str:
    """Return text that is safe on a terminal and stays on its line."""
    return clean_text(text).translate(_LINE)


def command_line(action: Action) -> str:
    """Return what ran as a person would type it."""
    return one_line(action.shell if action.shell is not None else shlex.join(action.argv))


def table(found: Sequence[Action | Note | Evidence], *, width: int) -> Iterator[str]:
    """Yield the lines of a table; `width` cuts the last column, 0 cuts nothing."""
    rows = [("ID", "STARTED (UTC)", "STATE", "EXIT", "TOOK", "TARGET", "COMMAND"), *map(_cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        line = "  ".join([f"{cell:{wide}}" for cell, wide in zip(row, widths, strict=False)] + [row[6]])
        yield line if not width or len(line) <= width else f"{line[: width - 1]}…"


def _cells(found: Action | Note | Evidence) -> tuple[str, ...]:
    if isinstance(found, Note):
        return found.id, _second(found.at), "note", "", "", "", one_line(found.text)
    if isinstance(found, Evidence):
        return found.id, _second(found.at), "evidence", "", "", "", one_line(found.title)
    return (
        found.id,
        _second(found.started_at),
        found.state.value,
        _status(found),
        _took(found),
        one_line(found.target),
        command_line(found),
    )


def page(action: Action) -> Iterator[str]:
    """Yield the lines that describe one action."""
    cut = f", {action.output_cut:,} of them not kept" if action.output_cut else ""
    fields: list[tuple[str, str | None]] = [
        ("action", action.id),
        ("kind", None if action.kind == "command" else action.kind),
        ("command", command_line(action)),
        ("target", f"{action.target} ({action.environment})"),
        ("actor", action.actor),
        ("origin", action.origin),
        ("directory", action.cwd),
        ("incident", action.incident),
        ("ticket", action.ticket),
        ("reason", action.reason),
        ("risk", action.risk),
        ("decision", " - ".join(part for part in (action.decision, "; ".join(action.reasons)) if part)),
        ("approved", ", ".join(action.approvals) or None),
        ("undo", action.undo),
        ("state", action.state.value),
        ("exit", _status(action) or None),
        ("remark", action.error),
        ("started", _second(action.started_at)),
        ("ended", _second(action.ended_at) if action.ended_at else None),
        ("took", _took(action) or None),
        ("output", f"{action.output_bytes:,} bytes{cut}" if action.state is not State.RUNNING else None),
        ("sha256", action.output_sha256),
        ("redacted", f"{action.redacted:,} secrets" if action.redacted else None),
        ("key", action.key_fingerprint),
        ("session", action.session),
        ("hash", f"{action.hash} at position {action.position:,}"),
    ]
    for name, value in fields:
        if value:
            yield f"{name:10} {one_line(value)}"


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


def clean_output(chunks: Iterable[Chunk]) -> Iterator[str]:
    """Yield output as text that is safe on a terminal."""
    decoders: dict[str, codecs.IncrementalDecoder] = {}
    for chunk in chunks:
        decoder = decoders.setdefault(
            chunk.stream.value, codecs.getincrementaldecoder("utf-8")(errors="replace")
        )
        text = decoder.decode(chunk.data).replace("\r\n", "\n")
        yield clean_text(text, limit=len(text))


def _second(at: str) -> str:
    return f"{at[:10]} {at[11:19]}"


def _status(action: Action) -> str:
    if action.signal is not None:
        return action.signal
    return "" if action.exit_status is None else str(action.exit_status)


def _took(action: Action) -> str:
    seconds = action.duration_s
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 120:
        return f"{seconds:.1f}s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m{seconds:02}s"
