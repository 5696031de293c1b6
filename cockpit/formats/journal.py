"""Journal entries as `journalctl --output=json` writes them, in a file or a stream.

The fields are those of systemd.journal-fields(7). In JSON a value is a string; an array of numbers where it is no
UTF-8; an array of values where the field occurs more than once; null where it was too long.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from cockpit.formats import structured
from cockpit.formats.columns import UNDATED
from cockpit.formats.format import Said, encoded, find_trace, first_line
from cockpit.formats.json_lines import NAMES, JsonFormat
from cockpit.formats.layout import Layout
from cockpit.formats.levels import SYSLOG, find_level
from cockpit.formats.times import bounded
from cockpit.formats.walks import Names, head_of, json_values
from cockpit.signals import Value

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


def text_of(value: object) -> str:
    """Return a field's value as text; of several values, the first."""
    if isinstance(value, list) and value and isinstance(value[0], str | list):
        value = value[0]
    if isinstance(value, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def said_of_entry(fields: Mapping[str, object]) -> Said:
    """Return what an entry says."""
    stamp = text_of(fields.get("__REALTIME_TIMESTAMP"))
    at = bounded(int(stamp) * 1000) if stamp.isdecimal() and len(stamp) < 20 else UNDATED
    body = text_of(fields.get("MESSAGE")).rstrip("\n")
    inner = _inner(body) if body.startswith("{") and body.endswith("}") else None
    trace_id, span_id = text_of(fields.get("TRACE_ID")).lower(), text_of(fields.get("SPAN_ID")).lower()
    if inner is not None:
        body, trace_id, span_id = inner.body, trace_id or inner.trace_id, span_id or inner.span_id
    elif not trace_id:
        trace_id, span_id = find_trace(body)
    return Said(
        at,
        _level(text_of(fields.get("PRIORITY")), body, inner),
        body,
        _attributes(fields, inner),
        inner.service if inner and inner.service else service_of(fields),
        text_of(fields.get("_HOSTNAME")),
        trace_id,
        span_id,
    )


def _inner(body: str) -> Said | None:
    """Read the JSON that some services write as their text."""
    return structured.from_json(body, head_of(encoded(body), NAMES, _iso(), 0))


@cache
def _iso() -> Layout:
    return Layout("iso")


def service_of(fields: Mapping[str, object]) -> str:
    """Return the service that an entry is about: its unit, the unit that systemd speaks of, or its identifier."""
    for name in ("UNIT", "USER_UNIT", "_SYSTEMD_USER_UNIT", "_SYSTEMD_UNIT"):
        unit = text_of(fields.get(name))
        if unit.endswith(".service") and not unit.startswith("user@"):
            return unit.removesuffix(".service")
    return text_of(fields.get("SYSLOG_IDENTIFIER")) or text_of(fields.get("_COMM"))


def _level(priority: str, body: str, inner: Said | None) -> int:
    number = int(priority) if priority in ("0", "1", "2", "3", "4", "5", "6", "7") else -1
    if inner is not None and inner.level:
        return inner.level
    told = find_level(encoded(first_line(body))) if number in (-1, INFO) else 0
    return told or (SYSLOG[number] if number >= 0 else 0)


def _attributes(fields: Mapping[str, object], inner: Said | None) -> dict[str, Value]:
    attributes: dict[str, Value] = dict(inner.attributes) if inner is not None else {}
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


class JournalFormat(JsonFormat):
    """A file of entries.

    Its levels are the priorities, but for informational, which a service's standard output has unless it says
    otherwise: there the text may know better.
    """

    name = "journald"
    names = Names(
        times=frozenset((b"__REALTIME_TIMESTAMP",)),
        levels=frozenset((b"PRIORITY",)),
        numbers=frozenset(),
        bodies=frozenset((b"MESSAGE",)),
        entered={},
        walk=json_values,
        bare=NAMES.bare,
        closing=b"}",
        priority=True,
        needs_time=True,
    )
    verbatim = False

    def spells(self, key: str) -> bool:
        """Say so of none: fields get other names, and a message may be written as numbers."""
        return False

    def said(self, text: str, *, observed: int) -> Said | None:
        """Read an entry."""
        line = first_line(text)
        said = super().said(text, observed=observed)
        if said is None:
            return None
        try:
            fields = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, ValueError, RecursionError):
            return said
        entry = said_of_entry(fields)
        entry.at, entry.level, entry.body = said.at, said.level, entry.body + text[len(line) :]
        return entry
