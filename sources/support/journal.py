"""Journal entries as they come from `journalctl --output=json`, and the log records they stand for."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from cockpit.formats.journal import said_of_entry, text_of
from cockpit.signals import LogRecord
from cockpit.source import resource

LINE = 4 * 1024 * 1024
"""Bytes that one entry may have; a longer one is left out, and told."""


class Entry(Struct, frozen=True, gc=False):
    """One journal entry: its cursor and its fields."""

    cursor: str
    fields: Mapping[str, object]


class EntryReader:
    """Cut journalctl's output into entries, whatever pieces it comes in.

    Attributes:
        left_out: Entries that were too long or no JSON object.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._rest = b""
        self._skipping = False
        self._decode = msgspec.json.Decoder(dict[str, object]).decode

    def feed(self, data: bytes) -> list[Entry]:
        """Return the entries that are whole now."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if self._skipping and lines:
            lines = lines[1:]
            self._skipping = False
        if len(self._rest) > LINE or self._skipping:
            self.left_out += not self._skipping
            self._rest, self._skipping = b"", True
        entries = []
        for line in lines:
            if not line:
                continue
            try:
                fields = self._decode(line)
            except (msgspec.DecodeError, ValueError, RecursionError):
                self.left_out += 1
                continue
            entries.append(Entry(text_of(fields.get("__CURSOR")), fields))
        return entries


def record_of(entry: Entry, source: str = "") -> LogRecord:
    """Return the log record that an entry stands for."""
    said = said_of_entry(entry.fields)
    return LogRecord(
        at=max(said.at, 0),
        level=said.level,
        body=said.body,
        attributes=said.attributes,
        source=source,
        resource=resource(said.service, said.host),
        trace_id=said.trace_id,
        span_id=said.span_id,
    )
