"""Prints actions: as one JSON document, a table, or a page for one."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence

from cockpit.actionlog.documents import as_document, as_json, chunks_as_builtins, command_of
from cockpit.actionlog.records import Action, Chunk, Evidence, Note, State
from cockpit.hygiene import clean_text

__all__ = [
    "as_document",
    "as_json",
    "chunks_as_builtins",
    "clean_output",
    "command_line",
    "one_line",
    "page",
    "show_report",
    "table",
]

_LINE = str.maketrans({"\n": "␊", "\t": "␉"})


def one_line(text: str) -> str:
    """Return text that is safe on a terminal and stays on its line."""
    return clean_text(text).translate(_LINE)


def show_report(report: object, told: Iterable[str], *, json: bool) -> None:
    """Print what a verification found: as one JSON document, or as lines for a person.

    Args:
        report: The finding.
        told: What a person wants to know of it.
        json: Whether to print the document.
    """
    for text in (as_json(report),) if json else map(one_line, told):
        print(text)


def command_line(action: Action) -> str:
    """Return what ran as a person would type it."""
    return one_line(command_of(action))


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
