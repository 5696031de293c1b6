"""Redaction as the log applies it: every text of a row, with what was cut counted in that row."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cockpit.actionlog.database import errors_mapped
from cockpit.actionlog.terminal import RedactedTerminal
from cockpit.guard.redact import Cuts, RedactedStream, Redactor

KEY = "redaction.key"
"""The file beside the log that holds the key of the hashes of what was cut."""
KEY_BYTES = 32


def open_redactor(path: Path, known: Callable[[], Iterable[str]]) -> Redactor:
    """Return the redactor of the log at `path`; its key is made where there is none.

    Raises:
        ActionLogError: The key can't be read or written.
    """
    place = path.with_name(KEY)
    with errors_mapped(path):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            key = place.read_bytes()
        except FileNotFoundError:
            key = b""
        return Redactor(key if len(key) == KEY_BYTES else _make_key(place), known)


def _make_key(place: Path) -> bytes:
    """Make a key, whole or not at all; of two processes that do so at once, one wins."""
    new = place.with_name(f"{place.name}.{os.getpid()}-{secrets.token_hex(4)}")
    number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.write(number, secrets.token_bytes(KEY_BYTES))
        finally:
            os.close(number)
        try:
            os.link(new, place)
        except FileExistsError:
            if place.stat().st_size != KEY_BYTES:  # a damaged one: what it hashed can't be compared any more
                new.replace(place)
    finally:
        new.unlink(missing_ok=True)
    return place.read_bytes()


class Cleaner:
    """Cuts secrets out of what becomes a row."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def row(self, texts: Mapping[str, str], cuts: Cuts) -> dict[str, Any]:
        """Return columns of text, cleaned; an empty one is NULL."""
        return {name: as_sqlite(self._redactor.text(text, cuts)) or None for name, text in texts.items()}

    def words(self, argv: Sequence[str], cuts: Cuts) -> str:
        """Return arguments as a column, a JSON list."""
        return json.dumps(self._redactor.argv(argv, cuts))

    def texts(self, texts: Sequence[str], cuts: Cuts) -> str:
        """Return texts as a column, a JSON list."""
        return json.dumps([self._redactor.text(text, cuts) for text in texts])

    def data(self, data: bytes, cuts: Cuts) -> bytes:
        """Return bytes of text without their secrets."""
        return self._redactor.data(data, cuts)

    def stream(self, cuts: Cuts) -> RedactedStream:
        """Return what cleans bytes that come in pieces."""
        return self._redactor.stream(cuts)

    def terminal(self, cuts: Cuts) -> RedactedTerminal:
        """Return what cleans a terminal's bytes that come in pieces."""
        return RedactedTerminal(self._redactor, cuts)


def cut_columns(cuts: Cuts, *, since: int = 0) -> dict[str, Any]:
    """Return the columns that say what was cut, beyond the first `since`; none where nothing was."""
    count = cuts.count - since
    return {"cut": count, "cut_hmacs": json.dumps(list(cuts.hashes))} if count else {}


def as_sqlite(text: str) -> str:
    """Return text as SQLite can hold it: an undecodable byte of an argument becomes U+FFFD."""
    return text.encode(errors="surrogateescape").decode(errors="replace")
