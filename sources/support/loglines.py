"""A line of text becomes a log record: its time, its level, who wrote it, and which trace it belongs to.

Each `LineParser` reads one stream. It remembers the format that fitted the line before, so most lines are tried
against one pattern; a line that fits none is a record of its own with the time at which it was read.

Formats: ISO 8601 times in front or near the front; syslog of RFC 3164 and RFC 5424 and rsyslog's with ISO times; the
common and combined log formats of web servers; ctime as Apache's error log has it; seconds to nanoseconds since the
epoch; klog; logcat; HDFS's compact date; and the structured ones of `structured.py`: JSON lines and logfmt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cockpit.signals import EMPTY, Attributes, LogRecord, Resource, Value
from sources.support.levels import LETTERS, SYSLOG, WORDS, find_level
from sources.support.logtimes import ISO, Moments, bounded, epoch, nanoseconds
from sources.support.structured import Fields, from_json, from_logfmt

_ISO_FRONT = re.compile(r"\[?" + ISO + r"\]?[ \t]?[:|,-]{0,2}[ \t]*")
_ISO_NEAR = re.compile(ISO)
_RSYSLOG = re.compile(r"([\w.:-]{1,255}) ([\w./@+-]{1,128})(?:\(([\w-]{1,64})\))?(?:\[(\d{1,10})\])?: ?")
_RFC3164 = re.compile(
    r"(?:<(\d{1,3})>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) "
    r"(\S{1,255}) (?:([^\s:\[\(]{1,128})(?:\(([\w-]{1,64})\))?(?:\[(\d{1,10})\])?: ?)?"
)
_RFC5424 = re.compile(
    r"<(\d{1,3})>1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) "
    r'(-|(?:\[(?:[^\]"\\]|\\.|"(?:[^"\\]|\\.)*+")*+\])++) ?(?:\ufeff)?'
)
_CLF = re.compile(
    r"(\S{1,255}) (\S{1,64}) (\S{1,255}) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'("(?:([A-Z]{3,16}) )?([^" ]*+)[^"]*+" (\d{3}) )'
)
_CTIME = re.compile(
    r"\[?[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? (\d{4})\]?[ \t]*"
)
_EPOCH = re.compile(r"(?:(?:-|[A-Z]{3,12}) )?\[?(1\d{9}(?:\.\d{1,9})?|1\d{12}|1\d{15}|1\d{18})\]?[\s:,|]\s*")
_KLOG = re.compile(r"([IWEF])(\d\d)(\d\d) (\d\d:\d\d:\d\d)\.(\d{1,9})\s+(\d+) ([^\s\]]+:\d+)\] ?")
_LOGCAT = re.compile(
    r"(\d\d)-(\d\d) (\d\d:\d\d:\d\d)\.(\d{1,9})\s+(\d+)\s+(\d+) ([VDIWEFA]) ([^:]{0,64}?)\s*: ?"
)
_COMPACT = re.compile(r"(\d\d)(\d\d)(\d\d) (\d\d)(\d\d)(\d\d) (?=\d+ [A-Z]+ )")
_TRACE = re.compile(r"trace[_.-]?id[\"']?\s?[=:]\s?[\"']?([0-9a-f]{32}|[0-9a-f]{16})\b", re.IGNORECASE)
_SPAN = re.compile(r"span[_.-]?id[\"']?\s?[=:]\s?[\"']?([0-9a-f]{16})\b", re.IGNORECASE)
_PARENT = re.compile(r"\b00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}\b")

NEAR = 64
"""Characters at the start of a line within which a time that does not stand in front is looked for."""

RESOURCES = 1024
"""Resources remembered, so that records of one service share one."""

_Format = Callable[["LineParser", str, int], "LogRecord | None"]


class LineParser:
    """Read the lines of one stream into log records.

    Args:
        resource: Who writes the stream, where its lines don't say.
        attributes: What every record of the stream carries.
        source: The name of the source that reads it.
    """

    def __init__(
        self, resource: Resource = EMPTY, attributes: Attributes = EMPTY, *, source: str = ""
    ) -> None:
        self.resource = resource
        self.source = source
        self.attributes = attributes
        self.moments = Moments()
        self._format: _Format | None = None
        self._level_place = 0
        self._resources: dict[tuple[str, str], Resource] = {}

    @property
    def timed(self) -> bool:
        """True while the lines carry times of their own."""
        return self._format is not None

    def parse(self, line: str, observed: int, *, untimed: int = -1) -> LogRecord:
        """Return the record that a line, or several joined, stands for.

        Args:
            line: The text without its final line feed.
            observed: When it was read or written last, in nanoseconds; it decides which year is meant.
            untimed: The record's time where the line has none; `observed` where not given.
        """
        remembered = self._format
        if remembered is not None and (record := remembered(self, line, observed)) is not None:
            return record
        for candidate in _candidates(line):
            if candidate is not remembered and (record := candidate(self, line, observed)) is not None:
                self._format = candidate
                return record
        return self.record(observed if untimed < 0 else untimed, line)

    def record(
        self,
        at: int,
        body: str,
        level: int = -1,
        *,
        service: str = "",
        host: str = "",
        attributes: Mapping[str, Value] = EMPTY,
    ) -> LogRecord:
        """Return a record, finding the level and the trace in the body where they are not given."""
        if level < 0:
            level, self._level_place = find_level(body, self._level_place)
        trace_id = span_id = ""
        if "race" in body or "00-" in body:
            trace_id, span_id = find_trace(body)
        return LogRecord(
            at=at,
            level=level,
            body=body,
            attributes={**self.attributes, **attributes} if attributes else self.attributes,
            source=self.source,
            resource=self.resource_of(service, host) if service or host else self.resource,
            trace_id=trace_id,
            span_id=span_id,
        )

    def structured(self, fields: Fields, observed: int) -> LogRecord:
        """Return the record that a structured line's fields stand for."""
        level = fields.level
        if not level and fields.body:
            level, self._level_place = find_level(fields.body, self._level_place)
        return LogRecord(
            at=fields.at if fields.at >= 0 else observed,
            level=level,
            body=fields.body,
            attributes={**self.attributes, **fields.rest},
            source=self.source,
            resource=self.resource_of(fields.service, fields.host),
            trace_id=fields.trace_id,
            span_id=fields.span_id,
        )

    def resource_of(self, service: str, host: str) -> Resource:
        """Return this stream's resource with another service or host; the same ones again share one."""
        if not service and not host:
            return self.resource
        key = (service, host)
        found = self._resources.get(key)
        if found is None:
            if len(self._resources) >= RESOURCES:
                self._resources.clear()
            found = dict(self.resource)
            if service:
                found["service.name"] = service
            if host:
                found["host.name"] = host
            self._resources[key] = found
        return found


def find_trace(body: str) -> tuple[str, str]:
    """Return the trace and span ids that a text names, as `trace_id=…` or as a W3C traceparent; empty for none."""
    if parent := _PARENT.search(body):
        return parent[1], parent[2]
    trace = _TRACE.search(body)
    if trace is None:
        return "", ""
    span = _SPAN.search(body)
    return trace[1].lower(), span[1].lower() if span else ""


def _candidates(line: str) -> tuple[_Format, ...]:
    """Return the formats that a line beginning like this one may have."""
    first = line[:1]
    if first == "{":
        return (_json,)
    if first == "<":
        return (_rfc5424, _rfc3164)
    if first == "[":
        return (_iso, _ctime, _epoch)
    if first.isdigit():
        return (_iso, _epoch, _clf, _logcat, _compact)
    return (_rfc3164, _klog, _ctime, _logfmt, _clf, _epoch, _iso_near)


def _json(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    fields = from_json(line, parser.moments) if line[:1] == "{" else None
    return parser.structured(fields, observed) if fields else None


def _logfmt(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    fields = from_logfmt(line, parser.moments)
    return parser.structured(fields, observed) if fields else None


def _iso(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _ISO_FRONT.match(line)
    if found is None:
        return None
    second, fraction, zone = found.groups()
    at = parser.moments.iso(second, fraction, zone)
    if at < 0:
        return None
    body = line[found.end() :]
    if (
        zone is not None
        and second[10] == "T"
        and ":" in body
        and (syslog := _RSYSLOG.match(body))
        and syslog[1].lower() not in WORDS
    ):
        return _syslog(parser, at, body[syslog.end() :], syslog[1], syslog[2], syslog[4], -1)
    return parser.record(at, body)


def _iso_near(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _ISO_NEAR.search(line, 0, NEAR)
    if found is None:
        return None
    at = parser.moments.iso(found[1], found[2], found[3])
    return parser.record(at, line) if at >= 0 else None


def _syslog(
    parser: LineParser, at: int, body: str, host: str, tag: str, pid: str | None, level: int
) -> LogRecord:
    attributes: Mapping[str, Value] = {"process.pid": int(pid)} if pid else EMPTY
    return parser.record(at, body, level, service=tag, host=host, attributes=attributes)


def _rfc3164(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _RFC3164.match(line)
    if found is None:
        return None
    priority, month, day, clock, host, tag, _, pid = found.groups()
    at = parser.moments.yearless(month, day, clock, observed)
    if at < 0:
        return None
    level = SYSLOG[int(priority) & 7] if priority else -1
    return _syslog(parser, at, line[found.end() :], host, tag or "", pid, level)


def _rfc5424(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _RFC5424.match(line)
    if found is None:
        return None
    priority, stamp, host, app, process, message, data = (
        "" if part == "-" else part for part in found.groups()
    )
    time = _ISO_NEAR.match(stamp)
    at = parser.moments.iso(time[1], time[2], time[3]) if time else observed
    named = {"process.pid": process, "syslog.msgid": message, "syslog.structured_data": data}
    attributes = {name: text for name, text in named.items() if text}
    level = SYSLOG[int(priority) & 7]
    body = line[found.end() :]
    return parser.record(
        at if at >= 0 else observed, body, level, service=app, host=host, attributes=attributes
    )


def _clf(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _CLF.match(line)
    if found is None:
        return None
    client, _, user, stamp, request, method, path, status = found.groups()
    at = parser.moments.common(stamp)
    if at < 0:
        return None
    attributes: dict[str, Value] = {"client.address": client, "http.response.status_code": int(status)}
    if method:
        attributes |= {"http.request.method": method, "url.path": path}
    if user != "-":
        attributes["user.name"] = user
    level = 17 if status >= "500" else 13 if status >= "400" else 9
    return parser.record(at, f"{client} {request}{line[found.end() :]}", level, attributes=attributes)


def _ctime(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _CTIME.match(line)
    if found is None:
        return None
    month, day, clock, fraction, year = found.groups()
    at = parser.moments.named(month, day, clock, year)
    if at < 0:
        return None
    return parser.record(at + (nanoseconds(fraction) if fraction else 0), line[found.end() :])


def _epoch(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _EPOCH.match(line)
    at = epoch(found[1]) if found else -1
    return parser.record(at, line[found.end() :]) if found and at >= 0 else None


def _klog(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _KLOG.match(line)
    if found is None:
        return None
    letter, month, day, clock, fraction, thread, place = found.groups()
    at = parser.moments.yearless(month, day, clock, observed)
    if at < 0:
        return None
    attributes: dict[str, Value] = {"thread.id": int(thread[:18]), "code.location": place}
    return parser.record(
        bounded(at + nanoseconds(fraction)), line[found.end() :], LETTERS[letter], attributes=attributes
    )


def _logcat(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _LOGCAT.match(line)
    if found is None:
        return None
    month, day, clock, fraction, pid, thread, letter, tag = found.groups()
    at = parser.moments.yearless(month, day, clock, observed)
    if at < 0:
        return None
    attributes: dict[str, Value] = {"process.pid": int(pid[:18]), "thread.id": int(thread[:18])}
    body = line[found.end() :]
    return parser.record(
        at + nanoseconds(fraction), body, LETTERS[letter], service=tag, attributes=attributes
    )


def _compact(parser: LineParser, line: str, observed: int) -> LogRecord | None:
    found = _COMPACT.match(line)
    if found is None:
        return None
    year, month, day, hour, minute, second = found.groups()
    at = parser.moments.iso(f"20{year}-{month}-{day} {hour}:{minute}:{second}", None, None)
    return parser.record(at, line[found.end() :]) if at >= 0 else None
