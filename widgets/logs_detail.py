"""Everything that one log record says: its message in full, JSON laid out, attributes and resource."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.content import Content

from cockpit.signals import SECOND, LogRecord, level_name, service_of
from cockpit.stores.logs import Placing
from widgets.detail import Detail, Field
from widgets.logs_row import LEVEL_MARK, pretty, value_text
from widgets.text import age, clock, safe

SHOWN = 16_000
"""Characters shown of a message; copying takes all."""

_JSON_LINE = re.compile(r'(\s*)("(?:[^"\\]|\\.){0,200}")(: )(.*)')

_PLACED = {
    Placing.TIMELY: "",
    Placing.LATE: "« came too late to be sorted in by its time",
    Placing.AHEAD: "» its time was still in the future when it came",
    Placing.UNDATED: "? has no time; it stands where it came",
}


def as_text(record: LogRecord) -> str:
    """Return a record in full as text for the clipboard."""
    level = level_name(record.level).upper()
    head = f"{clock(record.at, date=True, millis=True)} UTC"
    parts = [head, level, service_of(record.resource), record.source]
    lines = [" ".join(part for part in parts if part), record.body]
    pairs: list[tuple[str, object]] = [*record.attributes.items(), *record.resource.items()]
    pairs += [
        (name, value) for name, value in (("trace_id", record.trace_id), ("span_id", record.span_id)) if value
    ]
    lines += [f"{name}={value}" for name, value in pairs]
    return "\n".join(lines)


class LogDetail(Detail):
    """One log record in place of the rows."""

    def __init__(self, record: LogRecord, placing: Placing, now: int) -> None:
        self.record = record
        level = level_name(record.level)
        heading = f"{LEVEL_MARK[level]} {level or 'log record'} · {clock(record.at, millis=True)}"
        if service := service_of(record.resource):
            heading += f" · {service}"
        sections = {
            "": _fields(record, placing, now),
            "Attributes": [(name, _value(value)) for name, value in record.attributes.items()],
            "Resource": list(record.resource.items()),
        }
        super().__init__(heading, sections, copied=as_text(record))

    def text(self) -> Content:
        """Return the message over the fields."""
        laid = pretty(self.record.body)
        lines = (laid if laid is not None else self.record.body)[:SHOWN].split("\n")
        parts: list[Content | str | tuple[str, str]] = []
        for line in lines:
            found = _JSON_LINE.fullmatch(line) if laid is not None else None
            if found:
                parts += [found[1], (safe(found[2]), "$text-accent"), found[3], safe(found[4], SHOWN), "\n"]
            else:
                parts += [safe(line, SHOWN), "\n"]
        size = len(laid if laid is not None else self.record.body)
        if size > SHOWN:
            parts.append((f"… {size - SHOWN:,} more characters; y copies all\n", "$text-muted"))
        elif not self.record.body:
            parts.append(("(empty message)\n", "$text-muted"))
        return Content.assemble(*parts, "\n", super().text())


def _fields(record: LogRecord, placing: Placing, now: int) -> Sequence[Field]:
    level = level_name(record.level)
    time = f"{clock(record.at, date=True, millis=True)} UTC"
    ago = f", {age(now - record.at)} ago" if SECOND < record.at <= now else ""
    fields = [
        ("time", f"{time}{ago}" if record.at > 0 else "none"),
        ("placed", _PLACED[placing]),
        ("level", f"{level} ({record.level})" if level else ""),
        ("source", record.source),
        ("trace", f"{record.trace_id}  (t: follow it in every pane)" if record.trace_id else ""),
        ("span", record.span_id),
    ]
    return [(name, value) for name, value in fields if value]


def _value(value: object) -> str:
    """Return an attribute's value, JSON laid out."""
    text = value_text(value)
    return pretty(text) or text
