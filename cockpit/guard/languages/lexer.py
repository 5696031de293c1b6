"""Cut SQL into tokens as its server does, so that nothing hides in a string, a comment or a look-alike.

Parsers for many dialects disagree with each server about where strings and comments end, and that is where a second
statement is hidden. The tokens found here decide; what a parser gets to see is written anew from them (`rendered`),
with nothing in a string or a quoted name that it could read differently.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

LIMIT = 65_536
"""Characters of a text that are judged at all."""
DEPTH = 24
"""Parentheses within parentheses that are followed; a parser's time doubles with some of them."""
WORD, QUOTED, STRING, NUMBER, PARAMETER, MARK, BAD = (
    "word",
    "quoted",
    "string",
    "number",
    "parameter",
    "mark",
    "bad",
)
_SHOWN = 400
"""Characters of a statement that a finding holds."""
_LITERAL = 200
"""Characters of a string that a parser gets to see."""


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: One of the kinds above; `bad` is where reading stopped.
        text: As it is written.
        value: A word in capitals, the inside of a string or quoted name, or the text.
        spaced: Whether white space or a comment is before it.
        start: Where it starts.
        end: Where it ends.
        fresh: Whether it is the first of its line.
    """

    kind: str
    text: str
    value: str
    spaced: bool
    start: int
    end: int
    fresh: bool = False


class Lexis(Struct, frozen=True):
    """How a dialect writes things.

    Attributes:
        comments: The pattern of comments to the end of the line.
        strings: Patterns of strings.
        names: Patterns of quoted names.
        parameters: The pattern of parameters and variables.
        quote: What the parser puts around names.
        nested: Whether block comments nest.
        digits: Whether names may start with a digit.
        dollars: Whether `$tag$…$tag$` is a string.
        marks: Characters that names may hold besides letters, digits and `_`.
        traps: What is left of a string that did not end, or that versions of a server end differently.
    """

    comments: str = r"--[^\n]*"
    strings: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    parameters: str = r"@@?[A-Za-z_][\w$.]*|\$\w+"
    quote: str = '"'
    nested: bool = False
    digits: bool = False
    dollars: bool = False
    marks: str = "$"
    traps: str = ""


def _plain(quote: str) -> str:
    return rf"{quote}(?:[^{quote}]++|{quote}{quote})*+{quote}"


def _escaped(quote: str) -> str:
    return rf"{quote}(?:[^{quote}\\]++|\\.|{quote}{quote})*+{quote}"


_POSTGRES = Lexis(
    strings=(r"[eE]" + _escaped("'"), r"(?:[uU]&|[bBxXnN])?" + _plain("'")),
    names=(r"(?:[uU]&)?" + _plain('"'),),
    parameters=r"\$\d+",
    nested=True,
    dollars=True,
)
_HIVE = Lexis(
    strings=(r"[rR]'[^'\\]*+'", r'[rR]"[^"\\]*+"', _escaped("'"), _escaped('"')),
    names=(_plain("`"),),
    quote="`",
    digits=True,
    traps=r"[rR]['\"]",
)
_TRIPLE = tuple(
    r"(?:[rRbB]{1,2})?" + q * 3 + rf"(?:[^{q}\\]++|\\.|{q}(?!{q}{q}))*+" + q * 3 for q in ("'", '"')
)
_ONCE = tuple(r"(?:[rRbB]{1,2})?" + q + rf"(?:[^{q}\\\n]++|\\.)*+" + q for q in ("'", '"'))
LEXES: dict[str, Lexis] = {
    "postgres": _POSTGRES,
    "duckdb": _POSTGRES,
    "mysql": Lexis(
        comments=r"--(?=[\x00-\x20\x7f]|\Z)[^\n]*|#[^\n]*",
        strings=(r"[bBxXnN]?" + _escaped("'"), _escaped('"')),
        names=(_plain("`"),),
        parameters=r"@@?[A-Za-z_][\w$.]*",
        quote="`",
        digits=True,
    ),
    "sqlite": Lexis(
        strings=(r"[xX]?" + _plain("'"),),
        names=(_plain('"'), _plain("`"), r"\[[^\]]*+\]"),
        parameters=r"[@$]\w+|\?\d+",
    ),
    "tsql": Lexis(
        strings=(r"[nN]?" + _plain("'"),),
        names=(_plain('"'), r"\[(?:[^\]]++|\]\])*+\]"),
        parameters=r"@@?[A-Za-z_][\w$#@]*",
        nested=True,
        marks="$#@",
    ),
    "oracle": Lexis(
        strings=(
            r"[nN]?[qQ]'(?:\[.*?\]|\{.*?\}|\(.*?\)|<.*?>|(?P<q>[^\s\[{(<]).*?(?P=q))'",
            r"[nN]?" + _plain("'"),
        ),
        names=(_plain('"'),),
        marks="$#",
        traps=r"[nN]?[qQ]'",
    ),
    "clickhouse": Lexis(
        comments=r"--[^\n]*|#[ !][^\n]*",
        strings=(_escaped("'"),),
        names=(_escaped('"'), _escaped("`")),
        dollars=True,
    ),
    "bigquery": Lexis(
        comments=r"--[^\n]*|#[^\n]*",
        strings=(*_TRIPLE, *_ONCE),
        names=(r"`(?:[^`\\\n]++|\\.)*+`",),
        quote="`",
        digits=True,
    ),
    "snowflake": Lexis(
        comments=r"--[^\n]*|//[^\n]*", strings=(_escaped("'"),), names=(_plain('"'),), dollars=True
    ),
    "hive": _HIVE,
    "spark": _HIVE,
    "cql": Lexis(
        comments=r"(?:--|//)[^\n]*",
        strings=(_plain("'"),),
        names=(_plain('"'),),
        parameters=r":\w+",
        dollars=True,
    ),
    "influxql": Lexis(
        strings=(
            r"'(?:[^'\\\n]++|\\.)*+'",
            r"(?:(?<=~)|(?<=~ )|(?<=[fF][rR][oO][mM] ))/(?:[^/\\\n]++|\\.)*+/",
        ),
        names=(r'"(?:[^"\\\n]++|\\.)*+"',),
    ),
}
"""The dialects that are known, SQL's by the parser's names for them."""

_SIGNS = (
    r"::|:=|=>|->>|->|\#>>|\#>|\#-(?!-)|@>|<@|@@|@\?|\?\||\?&|<=>|<->|<=|>=|<>|!=|!~~\*|!~~|!~\*|!~|~~\*|~~|~\*"
    r"|\|\||&&|<<|>>|==|[-+*/<>=~!@\#%^&|?,.;:(){}\[\]$\\]"
)
_NUMBER = r"0[xX][0-9a-fA-F]+|(?:\d++(?:_\d+)*+)(?:\.(?!\.)\d*+)?(?:[eE][-+]?\d++)?|\.\d++(?:[eE][-+]?\d++)?"
_OPEN_OR_CLOSE = re.compile(r"/\*|\*/")
_TAG = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$")
_ODD = re.compile(r"[^\w .$:/-]")
_UNSAFE = re.compile(r"[\x00-\x1f\\'\"`{}]")


@lru_cache(maxsize=32)
def _pattern(dialect: str) -> re.Pattern[str]:
    lexis = LEXES[dialect]
    marks = re.escape(lexis.marks)
    starts = r"#{1,2}(?=\w)|" if dialect == "tsql" else ""
    word = rf"(?:{starts})[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_{marks}\x80-\U0010ffff]*+"
    number = _NUMBER
    if lexis.digits:
        word = rf"[0-9]*+{word}"
        number = rf"(?:{_NUMBER})(?![A-Za-z_\x80-\U0010ffff])"
    parts = (
        r"(?P<space>[ \t\r\n\f\v]+)",
        rf"(?P<line>{lexis.comments})",
        r"(?P<block>/\*)",
        rf"(?P<string>{'|'.join(lexis.strings)})",
        *((rf"(?P<bad>{lexis.traps})",) if lexis.traps else ()),
        rf"(?P<quoted>{'|'.join(lexis.names)})",
        *((rf"(?P<dollar>{_TAG.pattern})",) if lexis.dollars else ()),
        rf"(?P<number>{number})",
        rf"(?P<word>{word})",
        rf"(?P<parameter>{lexis.parameters})",
        rf"(?P<mark>{_SIGNS})",
    )
    return re.compile("|".join(parts), re.DOTALL | re.ASCII)


class Lexer:
    """Cuts a text into tokens, one after the other; a client's script moves `at` past lines that are its own."""

    def __init__(self, text: str, *, dialect: str, at: int = 0) -> None:
        self.text = text
        self.at = at
        self._match = _pattern(dialect).match
        self._nested = LEXES[dialect].nested

    def next(self) -> Token | None:
        """Return the next token, or None at the end; after a bad one there is nothing more to be had."""
        spaced, before = False, self.at
        while self.at < len(self.text):
            start = self.at
            match = self._match(self.text, start)
            kind = (match.lastgroup or BAD) if match else BAD
            if match is None or kind == BAD:
                return self._bad(start)
            self.at = match.end()
            if kind in {"space", "line"}:
                if kind == "line" and "\r" in match.group().removesuffix("\r"):
                    return self._bad(start)
                spaced = True
            elif kind == "block":
                if not self._skip_block():
                    return self._bad(start)
                spaced = True
            elif kind == "dollar":
                end = self.text.find(match.group(), self.at)
                if end < 0:
                    return self._bad(start)
                value, self.at = self.text[self.at : end], end + len(match.group())
                return Token(STRING, self.text[start : self.at], value, spaced, start, self.at)
            else:
                fresh = before == 0 or (spaced and "\n" in self.text[before:start])
                return self._token(kind, match.group(), spaced=spaced, start=start)._replace(fresh=fresh)
        return None

    def _token(self, kind: str, text: str, *, spaced: bool, start: int) -> Token:
        value = text
        if kind == WORD:
            if text.isascii():
                value = text.upper()
            elif any(not (char.isalnum() or char in "_$#@") for char in text):
                return self._bad(start)
        elif kind == QUOTED:
            value = text[text.index(text[-1] if text[-1] != "]" else "[") + 1 : -1]
            if text[0] in "uU" and "\\" in value:
                value = f"\\{value}"
        elif kind == STRING:
            value = _inside(text)
        return Token(kind, text, value, spaced, start, self.at)

    def _skip_block(self) -> bool:
        """Go past a block comment; one inside another, where servers disagree about it, is not gone past."""
        depth = 1
        while depth:
            found = _OPEN_OR_CLOSE.search(self.text, self.at)
            if found is None:
                return False
            self.at = found.end()
            if found.group() == "*/":
                depth -= 1
            elif self._nested:
                depth += 1
            else:
                return False
        return True

    def _bad(self, start: int) -> Token:
        self.at = len(self.text)
        return Token(BAD, self.text[start:], "", True, start, self.at)


def _inside(text: str) -> str:
    """Return what a string says: without prefix and quotes, its doubled and escaped quotes undone."""
    quote = text[-1]
    body = text[text.index(quote) + 1 : -1]
    if body[:2] == quote * 2 and body[-2:] == quote * 2 and len(body) >= 4:
        return body[2:-2]
    return body.replace(quote * 2, quote).replace(f"\\{quote}", quote)


def tokens(text: str, *, dialect: str) -> list[Token]:
    """Return all tokens of a text; a bad one, where there is one, is the last."""
    lexer = Lexer(text, dialect=dialect)
    return list(iter(lexer.next, None))


def statements(found: Iterable[Token]) -> Iterator[list[Token]]:
    """Cut tokens into statements at each semicolon; empty ones are left out."""
    statement: list[Token] = []
    for token in found:
        if token.kind == MARK and token.text == ";":
            if statement:
                yield statement
            statement = []
        else:
            statement.append(token)
    if statement:
        yield statement


def lines(statement: Iterable[Token]) -> Iterator[list[Token]]:
    """Cut tokens into the lines that they are on."""
    line: list[Token] = []
    for token in statement:
        if token.fresh and line:
            yield line
            line = []
        line.append(token)
    if line:
        yield line


def starts(statement: Iterable[Token], *, of: Container[str]) -> Iterator[list[Token]]:
    """Cut tokens where a line starts like a statement, for clients to which a line can be one without a semicolon."""
    piece: list[Token] = []
    for token in statement:
        if token.fresh and piece and token.kind == WORD and token.value in of:
            yield piece
            piece = []
        piece.append(token)
    if piece:
        yield piece


def shown(statement: Sequence[Token]) -> str:
    """Return a statement's own words, on one line and without its comments."""
    pieces: list[str] = []
    length = 0
    for token in statement:
        pieces.append(f" {token.text}" if token.spaced else token.text)
        length += len(token.text)
        if length > _SHOWN:
            break
    return " ".join("".join(pieces).split())[:_SHOWN]


def rendered(statement: Sequence[Token], *, dialect: str) -> str:
    """Write a statement anew for a parser, so that it can find no other tokens in it than were found here."""
    quote = LEXES[dialect].quote
    pieces: list[str] = []
    before = MARK
    for token in statement:
        if token.spaced or (before == MARK) is (token.kind == MARK):
            pieces.append(" ")
        if token.kind == STRING:
            pieces.append(f"'{_UNSAFE.sub('_', token.value[:_LITERAL])}'")
        elif token.kind == QUOTED:
            pieces.append(f"{quote}{_ODD.sub('_', token.value) or '_'}{quote}")
        elif token.kind == WORD and not token.text.isascii():
            pieces.append(f"{quote}{token.text}{quote}")
        else:
            pieces.append(token.text)
        before = token.kind
    return "".join(pieces)


def depth(statement: Sequence[Token]) -> int:
    """Return how deep the brackets of a statement are at most."""
    deepest = level = 0
    for token in statement:
        if token.kind == MARK:
            if token.text in {"(", "[", "{"}:
                level += 1
                deepest = max(deepest, level)
            elif token.text in {")", "]", "}"}:
                level -= 1
    return deepest
