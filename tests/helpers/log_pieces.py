"""Formats and pieces of logs for tests of what searches them."""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec.structs import replace

from cockpit.formats.columns import UNDATED, Columns
from cockpit.formats.format import LogFormat, line_starts
from cockpit.signals import LogRecord
from cockpit.stores.logs.scan import span, text_of
from cockpit.stores.logs.terms import Query


class Lines(LogFormat):
    """A record a line, without time or level."""

    name = "lines"
    verbatim = True

    def spells(self, key: str) -> bool:
        return True

    def columns(self, data: memoryview, *, observed: int) -> Columns:
        starts = line_starts(data)
        count = len(starts)
        return Columns(starts, np.full(count, UNDATED, np.int64), np.zeros(count, np.uint8), count)

    def record(self, text: str, *, observed: int) -> LogRecord:
        return LogRecord(at=observed, body=text)


class Indented(Lines):
    """A record reaches to the next line that begins with no space; levels go round."""

    name = "indented"

    def columns(self, data: memoryview, *, observed: int) -> Columns:
        lines = line_starts(data)
        starts = lines[[data[start] != 32 for start in lines.tolist()]] if len(lines) else lines
        count = len(starts)
        levels = (np.arange(count) % 25).astype(np.uint8)
        return Columns(starts, np.full(count, UNDATED, np.int64), levels, len(lines))


class Objects(Lines):
    """A JSON object a line, as plainly as it can be read."""

    name = "objects"

    def record(self, text: str, *, observed: int) -> LogRecord:
        try:
            found = msgspec.json.decode(text, type=dict[str, str | int | float | bool | None])
        except msgspec.MsgspecError:
            return LogRecord(at=observed, body=text)
        service = found.pop("service", "")
        resource = {"service.name": service} if isinstance(service, str) and service else {}
        return LogRecord(at=observed, body=str(found.pop("msg", "")), attributes=found, resource=resource)


def passing(query: Query, fmt: LogFormat, data: bytes) -> list[bool]:
    """Tell of each record of a piece whether it passes, reading one after the other."""
    columns = fmt.columns(memoryview(data), observed=0)
    test = query.tester()
    answers = []
    for number in range(len(columns)):
        start, end = span(columns, len(data), number)
        text = text_of(data[start : end - 1] if data[end - 1 : end] == b"\n" else data[start:end])
        record = replace(fmt.record(text, observed=0), level=int(columns.levels[number]))
        answers.append(test(record, text))
    return answers
