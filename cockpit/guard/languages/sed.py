"""The scripts of `sed`.

Source: POSIX.1-2017, sed; the GNU sed 4.9 manual, for what it adds: `e`, `w` as a flag of `s`, text on one line.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from msgspec import Struct

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, Call
from cockpit.guard.findings import Finding, rank
from cockpit.guard.places import writes
from cockpit.guard.words import literal

_SIMPLE = "=dDgGhHnNpPxzF"
"""Commands without an argument."""
_NUMBERED = "lLqQ"
_LABELLED = ":btTv"
_FILES = "rR"
_TEXT = "aic"
_ADDRESS = re.compile(r"\d+(~\d+)?|\$|[+~]\d+")
_NEGATED = re.compile(r"[ \t]*(![ \t]*)*")
_CASE = re.compile(r"[IM]*")
_NUMBER = re.compile(r"[ \t]*\d*")
_LABEL = re.compile(r"[ \t]*[^\s;}]*")
_FLAGS = re.compile(r"[gpiImMe0-9]*")
_LINES = re.compile(r"\\?[ \t]*\n?(?:\\.|[^\\\n])+", re.DOTALL)
"""Text, up to the end of a line before which no backslash stands."""
_BRACKET = re.compile(r"\^?\]?(?:\[[.:=][^\]\n]*[.:=]\]|[^\]\n])*\]")


class _Broken(Exception):
    """The script is not what sed's grammar has."""


class _Step(Struct, frozen=True):
    """One command of a script that does more than print: `w` a file, `e` a line (None where it isn't known)."""

    kind: str
    text: str | None
    hint: str = ""


def sed(call: Call) -> list[Finding]:
    """Judge a script: `w` writes, `e` runs a line, the rest prints."""
    scripts = call.values("-e", "--expression")
    if call.has("-f", "--file"):
        return [call.finding(Risk.UNKNOWN, "runs the script in a file")]
    if not scripts:
        if not call.parts.operands:
            return [call.finding(Risk.UNKNOWN, "has no script")]
        scripts = [call.parts.operands[0]]
    if any(word.text is None for word in scripts):
        return [call.finding(Risk.UNKNOWN, "has a script that isn't known before it runs")]
    try:
        steps = list(_steps("\n".join(word.text or "" for word in scripts)))
    except _Broken:
        return [call.finding(Risk.UNKNOWN, "has a script that can't be followed")]
    if call.has("--sandbox"):
        return []
    return [each for step in steps for each in _judged(call, step)]


def _judged(call: Call, step: _Step) -> list[Finding]:
    if step.kind == "w":
        return writes(call, literal(step.text or ""), "writes a file by its script")
    if step.text is not None:
        return call.inner.line(literal(step.text), ANYTHING)
    found = call.inner.line(literal(step.hint), ANYTHING) if step.hint else []
    worse = [each for each in found if rank(each.risk) > rank(Risk.UNKNOWN)]
    return [*worse, call.finding(Risk.UNKNOWN, "runs the lines that it reads")]


def _steps(script: str) -> list[_Step]:
    """Return the commands of a script that write or run, by whatever way there is to read it.

    A delimiter within brackets, as in `s/[/]//`, ends the pattern for some seds and not for others.

    Raises:
        _Broken: It can't be followed.
    """
    if "\\\\\n" in script:
        raise _Broken
    ways = []
    for brackets in (True, False) if "[" in script else (True,):
        with contextlib.suppress(_Broken):
            ways.append(list(_Script(script, brackets=brackets).steps()))
    if not ways:
        raise _Broken
    return list(dict.fromkeys(step for way in ways for step in way))


class _Script:
    """A script as it is read, from left to right.

    Args:
        text: The script.
        brackets: Whether a delimiter within brackets is an ordinary character.
    """

    def __init__(self, text: str, *, brackets: bool) -> None:
        self._text = text
        self._brackets = brackets
        self._at = 0

    def steps(self) -> Iterator[_Step]:
        """Yield what writes or runs."""
        while self._skip(" \t\n;}\r\f\v"):
            self._addresses()
            command = self._next()
            if command == "s":
                yield from self._substitution()
            elif command == "y":
                delimiter = self._next()
                self._until(delimiter)
                self._until(delimiter)
                self._end()
            elif command in "wW":
                yield _Step("w", self._line())
            elif command == "e":
                yield _Step("e", self._line() or None)
            else:
                self._harmless(command)

    def _skip(self, characters: str) -> bool:
        """Skip characters; return whether anything is left."""
        while self._at < len(self._text) and self._text[self._at] in characters:
            self._at += 1
        return self._at < len(self._text)

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise _Broken
        self._at += 1
        return self._text[self._at - 1]

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _addresses(self) -> None:
        if self._address():
            self._skip(" \t")
            if self._text[self._at : self._at + 1] == ",":
                self._at += 1
                self._skip(" \t")
                if not self._address():
                    raise _Broken
        self._match(_NEGATED)

    def _address(self) -> bool:
        if self._match(_ADDRESS):
            return True
        first = self._text[self._at : self._at + 1]
        if first not in {"/", "\\"}:
            return False
        self._at += 1
        self._until(self._next() if first == "\\" else "/", pattern=True)
        self._match(_CASE)
        return True

    def _until(self, delimiter: str, *, pattern: bool = False) -> str:
        """Return what stands before a delimiter, and step over it."""
        if delimiter in "\\\n":
            raise _Broken
        begin = self._at
        while (character := self._next()) != delimiter:
            if character == "\\":
                self._next()
            elif character == "\n" and pattern:
                raise _Broken
            elif character == "[" and pattern and self._brackets:
                self._at += len(self._bracket())
        return self._text[begin : self._at - 1]

    def _bracket(self) -> str:
        found = _BRACKET.match(self._text, self._at)
        if found is None:
            raise _Broken
        return found[0]

    def _substitution(self) -> Iterator[_Step]:
        delimiter = self._next()
        self._until(delimiter, pattern=True)
        replacement = self._until(delimiter)
        flags = self._match(_FLAGS)
        if "e" in flags:
            yield _Step("e", None, re.sub(r"\\(.)", r"\1", replacement))
        if self._text[self._at : self._at + 1] == "w":
            self._at += 1
            yield _Step("w", self._line())
        else:
            self._end()

    def _line(self) -> str:
        """Return the rest of the line."""
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        begin, self._at = self._at, end
        return self._text[begin:end].strip(" \t")

    def _end(self) -> None:
        """Step to the end of a command."""
        self._skip(" \t\r")
        if self._at < len(self._text) and self._text[self._at] not in ";\n}#":
            raise _Broken

    def _harmless(self, command: str) -> None:
        if command in _SIMPLE:
            self._end()
        elif command in _NUMBERED:
            self._match(_NUMBER)
            self._end()
        elif command in _LABELLED:
            self._match(_LABEL)
        elif command in _FILES or command == "#":
            self._line()
        elif command in _TEXT:
            self._skip(" \t")
            if not self._match(_LINES) and self._line() != "\\":
                raise _Broken
        elif command != "{":
            raise _Broken
