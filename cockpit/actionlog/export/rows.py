"""Actions as JSON, NDJSON and CSV, for programs: the names stay, and new ones are only ever added.

`docs/schema/action.schema.json` says what each object is. A spreadsheet takes a cell that begins with `=`, `+`, `-`,
`@`, a tab or a carriage return for a formula; such a cell is given a `'` in front.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from cockpit.actionlog.documents import as_json, chunks_as_builtins, command_of
from cockpit.actionlog.export.facts import Facts
from cockpit.actionlog.export.snapshot import Entry, Snapshot
from cockpit.actionlog.records import Action, Approval, Chunk, Evidence, Note
from cockpit.errors import UsageError
from cockpit.hygiene import clean_text

FORMAT = 1
"""Of the JSON document; another number is another meaning of a name that is there."""
COLUMNS = (
    "id", "session", "incident", "started_at", "ended_at", "duration_s", "actor", "user", "host", "origin",
    "kind", "target", "environment", "transport", "command", "argv", "cwd", "reason", "ticket", "risk",
    "decision", "reasons", "approvals", "state", "exit_status", "signal", "error", "output_bytes", "output_kept",
    "output_sha256", "redacted", "undo", "position", "hash",
)  # fmt: skip
"""Of CSV, in this order; further ones come after."""
LISTS = ("sessions", "actions", "notes", "evidence", "approvals")
"""Of the JSON document."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def ndjson(snapshot: Snapshot, facts: Facts) -> Iterator[str]:
    """Yield a line a record: actions, notes, evidence and approvals, as they were written."""
    for entry in snapshot.entries():
        if isinstance(entry, Action | Note | Evidence | Approval):
            yield from _object(snapshot, entry, with_output=facts.with_output)
            yield "\n"


def document(snapshot: Snapshot, facts: Facts) -> Iterator[str]:
    """Yield one JSON document."""
    head = msgspec.to_builtins(facts)
    yield f'{{"cockpit_export": {FORMAT},\n"head": {as_json(head, indent=None)}'
    for name in LISTS:
        yield f',\n"{name}": ['
        comma = ""
        for entry in snapshot.entries(name):
            yield f"{comma}\n"
            yield from _object(snapshot, entry, with_output=facts.with_output)
            comma = ","
        yield "]"
    yield "}\n"


def _object(snapshot: Snapshot, entry: Entry, *, with_output: bool) -> Iterator[str]:
    """Yield an entry as one JSON object; output is written piece by piece, as it may be a gigabyte."""
    built: dict[str, Any] = {"record": type(entry).__name__.lower(), **msgspec.to_builtins(entry)}
    if isinstance(entry, Action):
        built["command"] = command_of(entry)
        if with_output:
            yield f'{as_json(built, indent=None)[:-1]}, "output": ['
            yield from _pieces(snapshot.output(entry.id))
            yield "]}"
            return
    if isinstance(entry, Evidence):
        built["content"] = _content(snapshot, entry)
    yield as_json(built, indent=None)


def _pieces(chunks: Iterable[Chunk]) -> Iterator[str]:
    comma = ""
    for piece in chunks_as_builtins(chunks):
        if piece["text"] or "base64" in piece:
            yield comma + json.dumps(piece, ensure_ascii=False)
            comma = ", "


def _content(snapshot: Snapshot, evidence: Evidence) -> dict[str, str] | None:
    try:
        body = snapshot.evidence_body(evidence.id)
    except UsageError:
        return None  # pruned
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def spreadsheet(snapshot: Snapshot, facts: Facts) -> Iterator[str]:
    """Yield CSV as RFC 4180 has it: a head and a line an action, without its output."""
    del facts
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for action in snapshot.actions():
        built = {**msgspec.to_builtins(action), "command": command_of(action)}
        writer.writerow([cell(built[name]) for name in COLUMNS])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def cell(value: object) -> object:
    """Return a value as a cell: lists as JSON, text without control characters and never a formula."""
    if value is None or isinstance(value, int | float):
        return "" if value is None else value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = clean_text(text, limit=len(text)).encode(errors="replace").decode()
    return f"'{text}" if text.startswith(_FORMULA) else text
