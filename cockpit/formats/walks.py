"""Reads the values of a JSON or logfmt line in their order, and what of them tells time and level.

The first known name whose value makes sense counts, so that a line is understood from its beginning: all that
follows, cut off or not, changes nothing. Known names stand at the top, or in an object that loggers put them
in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec import Struct

from cockpit.formats.columns import UNDATED
from cockpit.formats.layout import Layout
from cockpit.formats.levels import SYSLOG, find_level, level_of
from cockpit.formats.times import epoch

_TOKEN = re.compile(rb'\s*+(?:"((?:[^"\\]|\\.)*+)"(\s*+:)?|([\[{\]},:])|([^\s,\]}\[{":]++))')
_MEMBER = re.compile(
    rb'\s*+(?:,\s*+)?"((?:[^"\\]|\\.)*+)"\s*+:\s*+(?:"((?:[^"\\]|\\.)*+)"(?!\s*+:)|([^\s,\]}\[{":]++))'
)
_PAIR = re.compile(rb'\s*+(?:([A-Za-z_@][\w.@/-]*+)=(?:"((?:[^"\\]|\\.)*+)"|([^\s"]*+))(?=\s|$)|\S++)')
_NUMBER = re.compile(rb"\d{10,19}(?:\.\d+)?")


class Names(Struct, frozen=True):
    """Which names tell what."""

    times: frozenset[bytes]
    levels: frozenset[bytes]
    numbers: frozenset[bytes]
    """Names whose values are SeverityNumbers."""
    bodies: frozenset[bytes]
    entered: dict[bytes, bytes]
    """Objects and arrays that are looked into, and what stands before the names in them then."""
    walk: Callable[[bytes, Names], Iterator[Found]]
    """What reads a line's values."""
    bare: frozenset[int]
    """The bytes of a value without quotes."""
    closing: bytes = b""
    """What a line that is whole ends with."""
    needs_time: bool = False
    """Whether a line without a time is none of the format."""
    priority: bool = False
    """Whether levels are syslog's; of those, informational is what a service's output has unless its text tells."""


class Found(NamedTuple):
    """A value: where it stands, without its quotes, and its name; an empty one where it has none that counts."""

    name: bytes
    start: int
    end: int
    quoted: bool


class Head(NamedTuple):
    """What a line tells; `at` is `UNDATED` and `level` 0 for nothing."""

    at: int
    level: int
    time_name: bytes
    level_name: bytes


def json_values(line: bytes, names: Names) -> Iterator[Found]:
    """Yield the values of an object that are neither objects nor arrays, as far as they can be read."""
    inside: list[bytes | None] = []
    key: bytes | None = None
    at = 0
    while True:
        if inside and key is None and (pair := _MEMBER.match(line, at)):  # what most of a line consists of
            at = pair.end()
            prefix = inside[-1]
            quoted = pair[2] is not None
            yield Found(
                prefix + pair[1] if prefix is not None else b"", *pair.span(2 if quoted else 3), quoted
            )
            continue
        token = _TOKEN.match(line, at)
        if token is None:
            return
        at = token.end()
        text, colon, sign, bare = token.groups()
        prefix = inside[-1] if inside else b""
        name = prefix + key if key is not None and prefix is not None else b""
        if colon is not None:
            key = text
        elif text is not None:
            if not inside:
                return
            yield Found(name, *token.span(1), True)
            key = None
        elif bare is not None:
            if not inside:
                return
            yield Found(name, *token.span(4), False)
            key = None
        elif sign in b"{[":
            inside.append(b"" if not inside else prefix if key is None else names.entered.get(name))
            key = None
        elif sign in b"}]":
            if len(inside) < 2:
                return
            inside.pop()
            key = None


def logfmt_values(line: bytes, names: Names) -> Iterator[Found]:
    """Yield the values of `name=value` pairs; words between them are passed over."""
    at = 0
    while token := _PAIR.match(line, at):
        at = token.end()
        if token[1]:
            quoted = token[3] is None
            yield Found(token[1], *token.span(2 if quoted else 3), quoted)
        elif token.start() == 0:
            return


def head_of(line: bytes, names: Names, layout: Layout, observed: int) -> Head:
    """Return a line's time and level."""
    at, level = UNDATED, 0
    time_name = level_name = b""
    body: Found | None = None
    for value in names.walk(line, names):
        name = value.name
        if not name:
            continue
        if at == UNDATED and name in names.times:
            at = time_of(line[value.start : value.end], value.quoted, layout, observed)
            time_name = name if at != UNDATED else b""
        elif not level and (name in names.levels or name in names.numbers):
            level = told_level(line[value.start : value.end], name, names)
            level_name = name if level else b""
        elif body is None and name in names.bodies and value.quoted:
            body = value
        if at != UNDATED and level and (body is not None or not (names.priority and level == SYSLOG[6])):
            break
    if body is not None and (not level or (names.priority and level == SYSLOG[6])):
        level = find_level(line[: body.end], body.start) or level
    return Head(at, level, time_name, level_name)


def time_of(raw: bytes, quoted: bool, layout: Layout, observed: int) -> int:
    """Return the time that a value tells: ISO 8601, or a number since the epoch."""
    text = raw[:64].decode("latin-1")
    if (at := layout.read(text, observed)) != UNDATED:
        return at
    if _NUMBER.fullmatch(raw):
        return epoch(text)
    if quoted:
        return UNDATED
    try:
        number = float(text)
    except ValueError:
        return UNDATED
    return epoch(number) if number > 0 else UNDATED


def told_level(raw: bytes, name: bytes, names: Names) -> int:
    """Return the level that a value tells; 0 for none."""
    text = raw[:32].decode("latin-1")
    if names.priority:
        return SYSLOG[int(text)] if text in tuple("01234567") else 0
    if text.isascii() and text.isdigit() and len(text) < 4:
        number = int(text)
        if name in names.numbers:
            return number if 1 <= number <= 24 else 0
        return level_of(number)
    return level_of(text)
