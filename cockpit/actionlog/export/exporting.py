"""Writes an export of one form: the one function behind `cockpit log export`, and whatever else exports."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from cockpit.actionlog.export import cast, excerpt, html, markdown, rows
from cockpit.actionlog.export.facts import Facts
from cockpit.actionlog.export.files import MOST, LeftOut
from cockpit.actionlog.export.place import Place
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.errors import UsageError

FORMATS = ("md", "html", "json", "jsonl", "csv", "cast", "sqlite", "tar")
BINARY = frozenset({"sqlite", "tar"})
REPORTS = frozenset({"md", "html", "json", "tar"})
"""Forms that say how far the record can be trusted."""
_TEXT = {
    "md": markdown.page,
    "html": html.page,
    "json": rows.document,
    "jsonl": rows.ndjson,
    "csv": rows.spreadsheet,
}


class Form(Struct, frozen=True, kw_only=True):
    """How something is exported.

    Attributes:
        name: One of `FORMATS`.
        cast_version: Of the asciicast: 2 or 3.
        signing_key: The SSH key that a bundle is signed with.
        allowed_signers: The list of signers that goes into a bundle.
        most: Bytes of a fetched file that goes into a bundle; 0 for none.
    """

    name: str
    cast_version: int = 2
    signing_key: Path | None = None
    allowed_signers: Path | None = None
    most: int = MOST


def export(snapshot: Snapshot, facts: Facts, form: Form, place: Place) -> tuple[LeftOut, ...]:
    """Write what a snapshot chose to a place, which the caller keeps or drops; return the files that a bundle lacks.

    Raises:
        UsageError: The form needs a file, and the place is none.
        CockpitError: It can't be written.
        SignatureError: A bundle can't be signed.
        ActionLogError: The log can't be read.
    """
    if form.name == "sqlite":
        if not place.is_file:
            raise UsageError("a database is written to a file", remedy="--output FILE")
        excerpt.write(snapshot, facts, place.beside)
        place.count()
    elif form.name == "tar":
        from cockpit.actionlog.export import bundle

        return bundle.write(
            snapshot,
            facts,
            place,
            signing_key=form.signing_key,
            allowed_signers=form.allowed_signers,
            most=form.most,
        )
    elif form.name == "cast":
        _pour(cast.lines(snapshot, facts, version=form.cast_version), place)
    else:
        _pour(_TEXT[form.name](snapshot, facts), place)
    return ()


def _pour(pieces: Iterable[str], place: Place) -> None:
    """Write text as UTF-8, some of it at a time."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > 1 << 16:
            place.write("".join(held).encode(errors="replace"))
            held, size = [], 0
    place.write("".join(held).encode(errors="replace"))
