"""Read the little JavaScript that people type into a MongoDB shell: chains of calls with literal arguments.

No more than that: a function, an assignment or an operator that computes a name is refused, since what it does can't
be seen by reading it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from msgspec import Struct

_DEEPEST = 30
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+) | (?P<line>\n) | (?P<comment>//[^\n\r\u2028\u2029]*) | (?P<block>/\*(?:[^*]++|\*(?!/))*+\*/)
    | (?P<string>"(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+'|`[^`\\$]*+`)
    | (?P<number>0[xX][0-9a-fA-F]++|(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?n?)
    | (?P<name>[A-Za-z_$][\w$]*+)
    | (?P<mark>=>|\.\.\.|[-.,:;(){}\[\]+*/=<>!&|?%^~])
    """,
    re.VERBOSE | re.ASCII,
)
_REGEX = re.compile(r"/(?![*/])(?:[^/\\\[\n]++|\\.|\[(?:[^\]\\\n]++|\\.)*+\])++/[a-z]*", re.ASCII)
_BEFORE_A_REGEX = frozenset("(,:[{=!&|;\n") | {""}
_GOES_ON = frozenset("([`+-*/%,?=<>&|")
"""What a line starts with that belongs to the statement before it, though that could have ended."""
CONSTRUCTORS = frozenset(
    {
        "ObjectId", "ObjectID", "ISODate", "Date", "NumberLong", "NumberInt", "NumberDecimal", "Timestamp", "UUID",
        "BinData", "MinKey", "MaxKey", "RegExp", "Long", "Int32", "Double", "Decimal128", "DBRef", "HexData",
    }
)  # fmt: skip
"""Functions that make a value and do nothing else."""
_WORDS = {"true": True, "false": False, "null": None, "undefined": None, "Infinity": 0, "NaN": 0}


class Piece(NamedTuple):
    """One token."""

    kind: str
    text: str
    start: int
    end: int


class Made(Struct, frozen=True):
    """A value that is not a plain one: of a constructor, a regular expression, or computed from other values."""

    text: str


class Step(Struct, frozen=True):
    """One step of a chain: a name after a dot or in brackets, and what it is called with.

    Attributes:
        name: The name.
        arguments: The values; None where it is not called.
    """

    name: str
    arguments: tuple[object, ...] | None = None


class Chain(Struct, frozen=True):
    """A chain such as `db.orders.find({}).limit(5)`.

    Attributes:
        steps: The steps, the first of them being what it starts from.
        text: As it is written.
    """

    steps: tuple[Step, ...]
    text: str


class Pairs(Struct, frozen=True):
    """An object's keys and values, in order."""

    items: tuple[tuple[str, object], ...]

    def get(self, key: str) -> object:
        """Return the last value of a key, or None."""
        return next((value for name, value in reversed(self.items) if name == key), None)


class UnreadableError(Exception):
    """What was met is more than this reads."""


def pieces(text: str) -> list[Piece]:
    """Cut a text into tokens; line ends are kept, since they end statements.

    Raises:
        UnreadableError: A string or comment does not end, or a character is strange.
    """
    found: list[Piece] = []
    at = 0
    before = ""
    while at < len(text):
        match = _REGEX.match(text, at) if text[at] == "/" and before in _BEFORE_A_REGEX else None
        kind = "regex"
        if match is None:
            match = _TOKEN.match(text, at)
            if match is None:
                raise UnreadableError(f"can't be read at {text[at : at + 20]!r}")
            kind = match.lastgroup or ""
        if kind not in {"space", "comment", "block"}:
            found.append(Piece(kind, match.group(), at, match.end()))
            if kind != "line" or before == "":
                before = match.group()
        at = match.end()
    return found


class Reader:
    """Reads chains from tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces = pieces(text)
        self._at = 0
        self._depth = 0

    def chain(self) -> Chain:
        """Read one expression statement, up to its end.

        Raises:
            UnreadableError: It is more than a chain.
        """
        self._lines()
        start = self._at
        value = self._value()
        end = self._pieces[self._at - 1].end
        here = self._peek(lines=True)
        if here not in {"", ";", "\n"}:
            raise UnreadableError(f"goes on with {here[:20]}")
        if here == "\n" and self._peek()[:1] in _GOES_ON:
            raise UnreadableError("goes on in the next line")
        text = self._text[self._pieces[start].start : end]
        return value if isinstance(value, Chain) else Chain((Step("", (value,)),), text)

    def ended(self) -> bool:
        """Go past semicolons and line ends; tell whether nothing follows."""
        while self._peek(lines=True) in {";", "\n"}:
            self._at += 1
        return self._at >= len(self._pieces)

    def rest_of_line(self) -> list[Piece]:
        """Return the tokens up to the end of this line, without going past them."""
        self._lines()
        found: list[Piece] = []
        for piece in self._pieces[self._at :]:
            if piece.kind == "line" or piece.text == ";":
                break
            found.append(piece)
        return found

    def skip(self, count: int) -> None:
        """Go past tokens."""
        self._lines()
        self._at += count

    def _lines(self) -> None:
        while self._at < len(self._pieces) and self._pieces[self._at].kind == "line":
            self._at += 1

    def _peek(self, *, lines: bool = False) -> str:
        """Return the next token's text; line ends do not count, unless they are asked for."""
        at = self._at
        while not lines and at < len(self._pieces) and self._pieces[at].kind == "line":
            at += 1
        return self._pieces[at].text if at < len(self._pieces) else ""

    def _take(self) -> Piece:
        self._lines()
        if self._at >= len(self._pieces):
            raise UnreadableError("ends too early")
        self._at += 1
        return self._pieces[self._at - 1]

    def _expect(self, text: str) -> None:
        if self._take().text != text:
            raise UnreadableError(f"lacks {text}")

    def _value(self) -> object:
        """Read a value, and what it is added to or reckoned with."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnreadableError("is nested too deeply")
        start = self._at
        value = self._one()
        while self._peek(lines=True) in {"+", "-", "*", "/", "%"}:
            self._take()
            other = self._one()
            if isinstance(value, Chain) or isinstance(other, Chain):
                raise UnreadableError("reckons with what a call returns")
            value = Made("".join(piece.text for piece in self._pieces[start : self._at]))
        self._depth -= 1
        return value

    def _one(self) -> object:
        piece = self._take()
        if piece.kind == "string":
            return self._after(plain(piece.text))
        if piece.kind in {"number", "regex"}:
            return Made(piece.text)
        if piece.text in {"-", "+"}:
            value = self._one()
            return Made(f"{piece.text}{value.text}") if isinstance(value, Made) else value
        if piece.text == "{":
            return self._object()
        if piece.text == "[":
            return self._list("]")
        if piece.text == "(":
            value = self._value()
            self._expect(")")
            return value
        if piece.kind != "name":
            raise UnreadableError(f"holds {piece.text}")
        if piece.text in _WORDS:
            return _WORDS[piece.text]
        if piece.text == "new":
            piece = self._take()
        if piece.text in CONSTRUCTORS:
            return self._made(piece)
        return self._chain(piece)

    def _after(self, value: object) -> object:
        if self._peek() in {".", "["}:
            raise UnreadableError("calls a method of a text")
        return value

    def _made(self, piece: Piece) -> Made:
        """Read what a constructor is given, and methods that only change how its value is written."""
        start = piece.start
        if self._peek() == "(":
            self._take()
            if any(isinstance(value, Chain) for value in self._list(")")):
                raise UnreadableError("makes a value from what a call returns")
        while self._peek() == ".":
            self._take()
            self._take()
            if self._peek() == "(":
                self._take()
                self._list(")")
        return Made(self._text[start : self._pieces[self._at - 1].end])

    def _list(self, end: str) -> list[object]:
        values: list[object] = []
        while self._peek() != end:
            values.append(self._value())
            if self._peek() != end:
                self._expect(",")
        self._expect(end)
        return values

    def _object(self) -> Pairs:
        items: list[tuple[str, object]] = []
        while self._peek() != "}":
            piece = self._take()
            if piece.kind not in {"name", "string", "number"}:
                raise UnreadableError(f"has a key that is {piece.text}")
            key = plain(piece.text) if piece.kind == "string" else piece.text
            self._expect(":")
            items.append((key, self._value()))
            if self._peek() != "}":
                self._expect(",")
        self._expect("}")
        return Pairs(tuple(items))

    def _chain(self, first: Piece) -> Chain:
        steps: list[Step] = []
        name = first.text
        arguments: tuple[object, ...] | None = None
        while True:
            here = self._peek(lines=True)
            if here == "(" and arguments is None:
                self._take()
                arguments = tuple(self._list(")"))
                continue
            steps.append(Step(name, arguments))
            arguments = None
            if self._peek() == ".":
                self._take()
                piece = self._take()
                if piece.kind != "name":
                    raise UnreadableError(f"has a name that is {piece.text}")
                name = piece.text
            elif here == "[":
                self._take()
                name = self._key()
            elif here == "(":
                raise UnreadableError("calls what a call returns")
            else:
                return Chain(tuple(steps), self._text[first.start : self._pieces[self._at - 1].end])

    def _key(self) -> str:
        piece = self._take()
        self._expect("]")
        if piece.kind == "number":
            return piece.text
        if piece.kind != "string":
            raise UnreadableError("computes a name")
        return plain(piece.text)


def plain(text: str) -> str:
    """Return what a string says.

    Raises:
        UnreadableError: It says it by escapes that could spell a name.
    """
    body = text[1:-1]
    if re.search(r"\\[^\\'\"nrt/.$dwsbDWSB\[\](){}*+?|^-]", body):
        raise UnreadableError("spells with escapes")
    return re.sub(r"\\(.)", r"\1", body)
