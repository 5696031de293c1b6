"""Journal entries as `journalctl --output=json` writes them, and the log records they stand for.

The fields are those of systemd.journal-fields(7). In JSON a value is a string; an array of numbers where it is no
UTF-8; an array of values where the field occurs more than once; null where it was too long.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from cockpit.signals import LogRecord, Value
from cockpit.source import resource
from sources.support.levels import SYSLOG, find_level
from sources.support.loglines import find_trace
from sources.support.logtimes import Moments, bounded
from sources.support.structured import Fields, from_json

LINE = 4 * 1024 * 1024
"""Bytes that one entry may have; a longer one is left out, and told."""

INFO = 6
"""The priority that a service's standard output has unless it says otherwise: its text may know better."""

ATTRIBUTES = {
    "_COMM": "process.executable.name",
    "_TRANSPORT": "journald.transport",
    "CODE_FILE": "code.file.path",
    "CODE_FUNC": "code.function.name",
    "MESSAGE_ID": "journald.message_id",
    "CONTAINER_NAME": "container.name",
}
NUMBERS = {"_PID": "process.pid", "CODE_LINE": "code.line.number", "ERRNO": "errno"}


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


def text_of(value: object) -> str:
    """Return a field's value as text; of several values, the first."""
    if isinstance(value, list) and value and isinstance(value[0], str | list):
        value = value[0]
    if isinstance(value, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def record_of(entry: Entry, source: str = "") -> LogRecord:
    """Return the log record that an entry stands for."""
    fields = entry.fields
    stamp = text_of(fields.get("__REALTIME_TIMESTAMP"))
    at = bounded(int(stamp) * 1000) if stamp.isdecimal() and len(stamp) < 20 else -1
    body = text_of(fields.get("MESSAGE")).rstrip("\n")
    inner = from_json(body, Moments()) if body.startswith("{") and body.endswith("}") else None
    trace_id, span_id = text_of(fields.get("TRACE_ID")).lower(), text_of(fields.get("SPAN_ID")).lower()
    if inner is not None:
        body, trace_id, span_id = inner.body, trace_id or inner.trace_id, span_id or inner.span_id
    elif not trace_id and ("race" in body or "00-" in body):
        trace_id, span_id = find_trace(body)
    return LogRecord(
        at=max(at, 0),
        level=_level(text_of(fields.get("PRIORITY")), body, inner),
        body=body,
        attributes=_attributes(fields, inner),
        source=source,
        resource=resource(inner.service if inner and inner.service else service_of(fields),
                          text_of(fields.get("_HOSTNAME"))),
        trace_id=trace_id,
        span_id=span_id,
    )  # fmt: skip


def service_of(fields: Mapping[str, object]) -> str:
    """Return the service that an entry is about: its unit, the unit that systemd speaks of, or its identifier."""
    for name in ("UNIT", "USER_UNIT", "_SYSTEMD_USER_UNIT", "_SYSTEMD_UNIT"):
        unit = text_of(fields.get(name))
        if unit.endswith(".service") and not unit.startswith("user@"):
            return unit.removesuffix(".service")
    return text_of(fields.get("SYSLOG_IDENTIFIER")) or text_of(fields.get("_COMM"))


def _level(priority: str, body: str, inner: Fields | None) -> int:
    number = int(priority) if priority in ("0", "1", "2", "3", "4", "5", "6", "7") else -1
    if inner is not None and inner.level:
        return inner.level
    told = find_level(body)[0] if number in (-1, INFO) else 0
    return told or (SYSLOG[number] if number >= 0 else 0)


def _attributes(fields: Mapping[str, object], inner: Fields | None) -> dict[str, Value]:
    attributes: dict[str, Value] = dict(inner.rest) if inner is not None else {}
    for name, known in ATTRIBUTES.items():
        if text := text_of(fields.get(name)):
            attributes[known] = text
    for name, known in NUMBERS.items():
        text = text_of(fields.get(name))
        if text.isdecimal() and len(text) < 19:
            attributes[known] = int(text)
    if unit := text_of(fields.get("_SYSTEMD_UNIT")):
        attributes["systemd.unit"] = unit
    return attributes
