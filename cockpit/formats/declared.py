"""Formats that are declared in data: the built-in ones in `builtin.toml`, and those of users.

A pattern says what a record begins with. Its group `time` holds the time, in the layout that is given; a
pattern may leave that group empty, which stands for whatever the layout fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from cockpit.errors import UsageError
from cockpit.formats.columns import UNDATED
from cockpit.formats.declaration import Declaration
from cockpit.formats.expression import Step, first_of, steps_of
from cockpit.formats.format import LineFormat, Marks, Said, encoded, find_trace, first_line
from cockpit.formats.layout import Layout
from cockpit.formats.levels import LETTERS, SYSLOG, find_level, level_of
from cockpit.formats.times import Zone
from cockpit.signals import EMPTY, Value

if TYPE_CHECKING:
    from cockpit.formats.piece import Piece

LONGEST = 64
"""Bytes of what tells a level that are looked at."""


class DeclaredFormat(LineFormat):
    """A format made from a declaration.

    Args:
        declaration: What was written down.
        zone: The zone of times that tell none, where the declaration says nothing.
        trusted: Whether its expressions are known to end.

    Raises:
        UsageError: It makes no sense; `where` names the key.
    """

    verbatim = True

    def __init__(self, declaration: Declaration, zone: Zone | None = None, *, trusted: bool = False) -> None:
        self.declaration = declaration
        self.name = declaration.name
        self.unmatched = declaration.unmatched
        zone = _at("zone", lambda: Zone(declaration.zone)) if declaration.zone else zone
        self._layout = _at("time", lambda: Layout(declaration.time, zone)) if declaration.time else None
        pattern = declaration.pattern.removeprefix("^")
        own = "(?P<time>)" in pattern
        if own and self._layout is not None:
            pattern = pattern.replace("(?P<time>)", f"(?P<time>{self._layout.expression})")
        self._whole = declaration.rest.startswith("^")
        self._expression = pattern
        self._own = own
        self._steps: tuple[Step, ...] | None = None
        self._stepped = False
        if not trusted:
            self._check()
        self._levels = _at("levels", lambda: _levels(declaration.scale, declaration.levels))
        self._reach = None if trusted else _reach(declaration)
        self._placed = frozenset(name.removesuffix(":int") for name in declaration.fields.values())

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return _compiled("pattern", self._expression)

    @cached_property
    def _rest(self) -> re.Pattern[str] | None:
        return _compiled("rest", self.declaration.rest) if self.declaration.rest else None

    def _check(self) -> None:
        """Compile the expressions, which else waits until a record is read, and look at their groups."""
        known, body = self._pattern.groupindex, self.declaration.body
        _ = self._rest
        if self._layout is not None and "time" not in known:
            raise UsageError("the pattern has no group (?P<time>)", where="pattern")
        if body and body not in known:
            raise UsageError(f"the pattern has no group {body!r}", where="body")

    def spells(self, key: str) -> bool:
        """Say so of the keys that are not told by their place."""
        return key not in self._placed

    def said(self, text: str, *, observed: int) -> Said | None:
        """Read a record of this format."""
        line = first_line(text)
        found = self._pattern.match(line, 0, self._reach or len(line))
        if found is None:
            return None
        groups: dict[str, str | None] = found.groupdict()
        at = UNDATED
        if self._layout is not None and (stamp := groups.get("time")):
            at = self._layout.read(stamp, observed)
        return self._told(at, self._level(line, found, groups), text, found, groups)

    def bare(self, text: str) -> Said | None:
        """Read a record but for its time and level, which take most of the reading."""
        line = first_line(text)
        found = self._pattern.match(line, 0, self._reach or len(line))
        return None if found is None else self._told(UNDATED, 0, text, found, found.groupdict())

    def _level(self, line: str, found: re.Match[str], groups: Mapping[str, str | None]) -> int:
        told = groups.get(self.declaration.level)
        level = self.level_of(encoded(told)) if told else 0
        if not level and self.declaration.search:
            raw = encoded(line)
            level = find_level(
                raw, found.end() if len(raw) == len(line) else len(encoded(line[: found.end()]))
            )
        return level

    def _told(
        self, at: int, level: int, text: str, found: re.Match[str], groups: dict[str, str | None]
    ) -> Said:
        start = found.end()
        if self._rest is not None and (
            rest := self._rest.match(text, 0 if self._whole else start, start + (self._reach or len(text)))
        ):
            groups |= rest.groupdict()
            start = start if self._whole else rest.end()
        if (body := self.declaration.body) and groups.get(body) is not None:
            start = found.start(body)
        return self._said(at, level, text[start:], groups)

    def _said(self, at: int, level: int, body: str, groups: Mapping[str, str | None]) -> Said:
        declared = self.declaration
        attributes: Mapping[str, Value] = EMPTY
        if declared.fields:
            attributes = dict(
                _field(name, value)
                for group, name in declared.fields.items()
                if (value := groups.get(group)) and value != "-"
            )
        if "\r" in body:
            body = body.replace("\r\n", "\n").removesuffix("\r")
        trace_id, span_id = find_trace(body)
        service, host = groups.get(declared.service), groups.get(declared.host)
        return Said(at, level, body, attributes, service or "", host or "", trace_id, span_id)

    def undated(self, line: str) -> bool:
        """Tell whether a line of this format tells no time, rather than one that can't be."""
        found = self._pattern.match(line)
        return self._layout is None or found is None or not found["time"]

    def firsts(self) -> frozenset[int]:
        """Return the ASCII characters that a record may begin with; 0 for any beyond."""
        steps = steps_of(self._expression)
        firsts, empty = first_of(steps) if steps is not None else (frozenset(range(128)), True)
        return frozenset(range(128)) if empty else frozenset(first for first in firsts if first < 128)

    def level_of(self, told: bytes) -> int:
        """Return the level that the level's group tells; 0 for none."""
        return self._levels.of(told[:LONGEST].decode("latin-1"))

    def marks(self, piece: Piece, *, observed: int) -> Marks:
        """Return where records begin, all lines at once where the pattern allows it."""
        from cockpit.formats.sweep import sweep

        if not self._stepped:
            self._steps, self._stepped = steps_of(self._expression), True
        return sweep(self, piece, self._steps, self._layout if self._own else None, observed=observed)


class _Levels:
    """What the group of the level means."""

    def __init__(self, scale: str, words: Mapping[str, int]) -> None:
        self._scale = scale
        self._words = words

    def of(self, told: str) -> int:
        if told in self._words:
            return self._words[told]
        if self._scale == "syslog":
            return SYSLOG[int(told) & 7] if told.isascii() and told.isdigit() and len(told) < 4 else 0
        if self._scale == "status":
            return 17 if told[:1] == "5" else 13 if told[:1] == "4" else 9 if told[:1] in tuple("123") else 0
        if self._scale == "letters":
            return LETTERS.get(told, 0)
        return level_of(told)


T = TypeVar("T")


def _at(key: str, make: Callable[[], T]) -> T:
    """Return what is made, naming the key where it can't be."""
    try:
        return make()
    except UsageError as error:
        raise UsageError(error.message, where=key, remedy=error.remedy) from error


def _levels(scale: str, given: Mapping[str, str]) -> _Levels:
    words = {told: level_of(meaning) for told, meaning in given.items()}
    for told, number in words.items():
        if not number:
            raise UsageError(
                f"{told!r} is said to mean {given[told]!r}, which is no level",
                remedy="use trace, debug, info, notice, warn, error, critical, alert or fatal",
            )
    return _Levels(scale, words)


def _reach(declaration: Declaration) -> int | None:
    """Return how many characters an operator's expressions may look at; None for all.

    Raises:
        UsageError: One could run away.
    """
    reach: int | None = None
    for key in ("pattern", "rest"):
        text: str = getattr(declaration, key)
        if text and steps_of(text) is None:
            from cockpit.stores.logs.patterns import compile_pattern

            length = _at(key, lambda text=text: compile_pattern(text)).length  # type: ignore[misc]
            reach = length if reach is None else min(reach, length)
    return reach


def _field(name: str, value: str) -> tuple[str, Value]:
    if name.endswith(":int"):
        name = name.removesuffix(":int")
        if value.isascii() and value.isdigit() and len(value) < 19:
            return name, int(value)
    return name, value


def _compiled(key: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"not a regular expression: {error}", where=key) from error
