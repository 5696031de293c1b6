"""The lines of a stream become log records, one after the other, whatever formats they have.

A log that can be looked at whole has one format, which `detect` tells. A stream may change it any time, so each
`LineParser` tries a line against the format that fitted the line before, then against those that may begin as
it does; a line that fits none is a record of its own with the time at which it was read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

from cockpit.formats.catalogue import known_formats
from cockpit.formats.columns import UNDATED
from cockpit.formats.declared import DeclaredFormat
from cockpit.formats.expression import DIGITS
from cockpit.formats.format import LineFormat, Said
from cockpit.formats.json_lines import JsonFormat, LogfmtFormat
from cockpit.formats.plain import PlainFormat
from cockpit.formats.wrapped import CriFormat, DockerFormat
from cockpit.signals import EMPTY, Attributes, LogRecord, Resource

RESOURCES = 1024
"""Resources remembered, so that records of one service share one."""


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
        self._formats = _by_first(os.environ.get("TZ", ""))
        self._format: LineFormat | None = None
        self._plain = PlainFormat()
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
        said = self._said(line, observed) or self._plain.stray(line)
        at = said.at
        if at == UNDATED:
            at = observed if untimed < 0 else untimed
        return LogRecord(
            at=at,
            level=said.level,
            body=said.body,
            attributes={**self.attributes, **said.attributes} if said.attributes else self.attributes,
            source=self.source,
            resource=self.resource_of(said.service, said.host),
            trace_id=said.trace_id,
            span_id=said.span_id,
        )

    def _said(self, line: str, observed: int) -> Said | None:
        remembered = self._format
        if remembered is not None and (said := _fitting(remembered, line, observed)) is not None:
            return said
        for candidate in self._formats.get(ord(line[0]) if line else 0, ()):
            if candidate is not remembered and (said := _fitting(candidate, line, observed)) is not None:
                self._format = candidate
                return said
        return None

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


def _fitting(candidate: LineFormat, line: str, observed: int) -> Said | None:
    """Return what a line says if it is of a format; a time that can't be makes it none, unless none need be told."""
    said = candidate.said(line, observed=observed)
    if (
        said is not None
        and said.at == UNDATED
        and isinstance(candidate, DeclaredFormat)
        and not candidate.undated(line)
    ):
        return None
    return said


@lru_cache(maxsize=4)
def _by_first(_zone: str) -> Mapping[int, tuple[LineFormat, ...]]:
    """Return the formats whose records may begin with an ASCII character, by that character.

    Args:
        _zone: What the process was told of its zone: another one makes other formats.
    """
    found: dict[int, list[LineFormat]] = {}
    for known in known_formats():
        if isinstance(known, DeclaredFormat):
            firsts = known.firsts()
        elif isinstance(known, LogfmtFormat):
            firsts = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_@")
        elif isinstance(known, CriFormat):
            firsts = DIGITS
        elif isinstance(known, JsonFormat | DockerFormat):
            firsts = frozenset(b"{")
        else:
            continue
        for first in firsts:
            found.setdefault(first, []).append(known)
    return {first: tuple(formats) for first, formats in found.items()}
