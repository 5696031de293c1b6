"""A configuration file as text, and on which line each of its keys stands.

tomllib gives values without their places. A place is only wanted when something is wrong, so the text is scanned
then, by `key_lines`; tomllib has accepted it by that time, and the scan may take its validity for granted.
"""

from __future__ import annotations

import json
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from cockpit.errors import ConfigError

KeyPath = tuple[str | int, ...]
"""The way to a value: keys of tables and indexes of arrays, such as `("sources", 2, "url")`."""

SIZE_LIMIT = 1 << 20

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


class Document:
    """One TOML file.

    Attributes:
        file: Its path, as it is named in messages.
        text: Its content.
    """

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.text = text.replace("\r\n", "\n")

    def __repr__(self) -> str:
        return f"Document({str(self.file)!r})"

    @classmethod
    def read(cls, file: Path) -> Document:
        """Read a file.

        Raises:
            ConfigError: It can't be read, is no UTF-8, or is far too large.
        """
        try:
            with file.open("rb") as opened:
                raw = opened.read(SIZE_LIMIT + 1)
        except OSError as error:
            raise ConfigError(
                f"can't be read: {error.strerror or error}",
                file=str(file),
                remedy="check its path and rights",
            ) from None
        if len(raw) > SIZE_LIMIT:
            raise ConfigError(f"is larger than {SIZE_LIMIT:,} bytes", file=str(file))
        try:
            return cls(file, raw.decode())
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise ConfigError("is no UTF-8 text", file=str(file), line=line) from None

    def parse(self) -> dict[str, Any]:
        """Return the tables.

        Raises:
            ConfigError: The text is no TOML; with the line where it stops being so.
        """
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            message = str(error)
            place = _PLACE.search(message)
            line = int(place[1]) if place and place[1] else self.text.count("\n") + 1
            column = f" at column {place[2]}" if place and place[2] else ""
            cause = _PLACE.sub("", message)
            raise ConfigError(f"is no TOML{column}: {cause}", file=str(self.file), line=line) from None
        except RecursionError:
            raise ConfigError("is nested too deeply", file=str(self.file)) from None

    def line(self, path: KeyPath) -> int:
        """Return the line of a key, or of the nearest table around it that has one; 0 for the whole file."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return 0

    def mistake(self, path: KeyPath, message: str, remedy: str = "") -> ConfigError:
        """Return an error that names file, line and key."""
        return ConfigError(
            message, file=str(self.file), line=self.line(path), key=dotted(path), remedy=remedy
        )

    def resolve(self, name: str) -> str:
        """Return a file's name as an absolute path, relative ones being meant from this file's folder."""
        return str(self.file.absolute().parent / Path(name).expanduser())

    @cached_property
    def _lines(self) -> dict[KeyPath, int]:
        return key_lines(self.text)


def dotted(path: KeyPath) -> str:
    """Return a path as it is written: `sources[2].headers."x y"`. Indexes count from 0."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.match(part) else json.dumps(part))
    return text


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, on which each key, table and array element of a valid TOML 1.0 text begins."""
    return _Scanner(text).scan()


class _Scanner:
    """Walks a valid TOML text, noting where keys are and skipping over what they hold."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.tables: dict[KeyPath, int] = {}
        """How many `[[tables]]` were seen of each array."""
        self._counted = (0, 1)
        """An offset, and the line it is on, so that lines are counted once over."""

    def scan(self) -> dict[KeyPath, int]:
        prefix: KeyPath = ()
        while self.skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                prefix = self.header()
            else:
                self.pair(prefix)
        return self.lines

    def skip(self, what: re.Pattern[str]) -> int:
        """Move past what matches here, and return where that leads."""
        found = what.match(self.text, self.at)
        if found:
            self.at = found.end()
        return self.at

    def note(self, path: KeyPath, start: int) -> None:
        offset, line = self._counted
        line += (
            self.text.count("\n", offset, start) if start >= offset else -self.text.count("\n", start, offset)
        )
        self._counted = (start, line)
        self.lines.setdefault(path, line)

    def header(self) -> KeyPath:
        """Pass a table's or an array table's header, and return the path of what follows."""
        start = self.at
        double = self.text.startswith("[[", start)
        self.at += 2 if double else 1
        path: KeyPath = ()
        keys = self.keys()
        for key in keys[:-1]:
            path = self.inside((*path, key))
            self.note(path, start)
        path = (*path, keys[-1])
        self.note(path, start)
        if double:
            self.tables[path] = self.tables.get(path, 0) + 1
            path = self.inside(path)
            self.note(path, start)
        else:
            path = self.inside(path)
        self.at += 2 if double else 1
        return path

    def inside(self, path: KeyPath) -> KeyPath:
        """Return the last table of an array of tables, or the table itself."""
        return (*path, self.tables[path] - 1) if path in self.tables else path

    def keys(self) -> list[str]:
        """Pass a dotted key, and what is blank around it."""
        keys = []
        while True:
            self.skip(_SPACE)
            keys.append(self.key())
            self.skip(_SPACE)
            if self.at >= len(self.text) or self.text[self.at] != ".":
                return keys
            self.at += 1

    def key(self) -> str:
        start = self.at
        quote = self.text[start]
        if quote in "\"'":
            self.skip(_BASIC if quote == '"' else _LITERAL)
            return str(tomllib.loads(f"k = {self.text[start : self.at]}")["k"])
        self.skip(_BARE_KEY)
        return self.text[start : self.at]

    def pair(self, prefix: KeyPath) -> None:
        """Pass `key = value`."""
        self.skip(_SPACE)
        start = self.at
        path = prefix
        for key in self.keys():
            path = (*path, key)
            self.note(path, start)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(path)

    def value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            for quoted in _STRINGS:
                before = self.at
                if self.skip(quoted) > before:
                    return
        elif opening == "[":
            self.at += 1
            index = 0
            while self.text[self.skip(_BLANK_OR_COMMA)] != "]":
                self.note((*path, index), self.at)
                self.value((*path, index))
                index += 1
            self.at += 1
        elif opening == "{":
            self.at += 1
            while self.text[self.skip(_BLANK_OR_COMMA)] != "}":
                self.pair(path)
            self.at += 1
        else:
            self.skip(_SCALAR)


_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BLANK_OR_COMMA = re.compile(r"(?:[ \t\n,]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_STRINGS = (
    re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"{3,5}'),
    re.compile(r"'''(?:[^']|'(?!''))*'{3,5}"),
    _BASIC,
    _LITERAL,
)
"""The forms of a string, the longest quotes first. One or two quotes may stand before the closing three."""
