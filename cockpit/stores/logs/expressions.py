"""Regular expressions as operators write them, made to mean the same for `re` and for hyperscan.

The language is Python's, less what remembers (back-references, conditions) and comments. Case never counts; `^`
and `$` stand at the ends of every line; \\w, \\d, \\s and \\b know ASCII letters. Two things need care when a whole
piece of a log is scanned at once: nothing may match across the end of a record, and `\\A` and `\\Z` mean a record's
ends. Hence three ways to write one expression, see `Expression`.
"""

from __future__ import annotations

import re
import warnings

from msgspec import Struct

from cockpit.errors import UsageError

SIZE = 400
"""Places in an expression, each repeat written out: hyperscan compiles so many in about 100 ms."""
NESTED = 40
"""Groups within groups."""

WORD = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
DIGIT = ((0x30, 0x39),)
SPACE = ((0x09, 0x0D), (0x20, 0x20))
LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]

_CLASSES: dict[str, Ranges] = {"w": WORD, "d": DIGIT, "s": SPACE}
_POSIX: dict[str, Ranges] = {
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)), "digit": DIGIT, "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "upper": ((0x41, 0x5A), (0x61, 0x7A)), "lower": ((0x41, 0x5A), (0x61, 0x7A)), "space": SPACE, "word": WORD,
    "blank": ((0x09, 0x09), (0x20, 0x20)), "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)), "cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "graph": ((0x21, 0x7E),), "print": ((0x20, 0x7E),),
}  # fmt: skip
_CONTROLS = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_ESCAPE = r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|0[0-7]{0,2}|[0-3][0-7]{2}|N\{[^}]*\}|.)"
_TOKEN = re.compile(
    rf"(?P<escape>{_ESCAPE})|(?P<class>\[\^?\]?(?:\[:\w+:\]|{_ESCAPE}|[^\]\\])*\])"
    r"|(?P<refused>\(\?(?:P=|\(|#))|(?P<flags>\(\?[a-zA-Z-]+[:)])|(?P<look>\(\?(?:[=!>]|<[=!]))|(?P<open>\((?:\?(?:P<\w+>|:))?)|(?P<close>\))"
    r"|(?P<repeat>(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d*\}))(?P<lazy>[?+]?)|(?P<sign>[|^$.])|(?P<other>.)",
    re.DOTALL,
)
_MEMBER = re.compile(rf"\[:(?P<posix>\w+):\]|(?P<escape>{_ESCAPE})|(?P<other>.)", re.DOTALL)


class Expression(Struct, frozen=True):
    """One expression, written for whom it is given to.

    Attributes:
        python: For `re`, to be searched in one record with IGNORECASE and MULTILINE.
        whole: For hyperscan, over one record or over a piece, where a match may reach across records' ends.
        line: For hyperscan over a piece: matches within one line. None where it could match at a line feed only.
        crosses: A match may hold a line feed, so that `whole` may find what `line` doesn't.
        backtracks: It looks around or is possessive, which hyperscan does not know: it finds more than there is
            (with its PREFILTER flag), and each find is to be looked at with `re`.
        size: Places in it, each repeat written out.
    """

    python: str
    whole: str
    line: str | None
    crosses: bool
    backtracks: bool
    size: int


def read_expression(text: str) -> Expression:
    """Read an expression.

    Raises:
        UsageError: It is none, it remembers, or it is too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of what it may read otherwise one day, on the screen
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"not a regular expression: {error}") from None
    writer = _Writer()
    for token in _TOKEN.finditer(text):
        writer.take(token)
    return writer.expression()


class _Writer:
    """Writes an expression thrice, token by token."""

    def __init__(self) -> None:
        self._python: list[str] = []
        self._whole: list[str] = []
        self._line: list[str] = []
        self._no_line = self._crosses = self._backtracks = False
        self._sizes = [0]
        """Of each open group, what is in it so far."""
        self._last = 0
        """Of the atom before."""

    def expression(self) -> Expression:
        size = sum(self._sizes)
        if size > SIZE:
            raise UsageError(
                f"the expression is too large: {size} places with its repeats written out",
                remedy=f"use smaller counts; {SIZE} are the limit",
            )
        return Expression(
            python="".join(self._python),
            whole="".join(self._whole),
            line=None if self._no_line else "".join(self._line),
            crosses=self._crosses,
            backtracks=self._backtracks,
            size=size,
        )

    def take(self, token: re.Match[str]) -> None:
        """Write one token."""
        kind = token.lastgroup or ""
        if token["repeat"]:
            self._repeat(token["repeat"], token["lazy"])
        elif kind == "escape":
            self._escape(token[0])
        elif kind == "class":
            self._atom(*_members(token[0]))
        elif kind == "refused":
            self._refuse(token[0])
        elif kind == "flags":
            self._flags(token[0])
        elif kind in ("look", "open"):
            self._open(token[0] if kind == "look" else "(?:")
            self._backtracks = self._backtracks or kind == "look"
        elif kind == "close":
            size = self._sizes.pop() if len(self._sizes) > 1 else 0
            self._count(size)
            self._write(")")
        elif token[0] == ".":
            self._count(1)
            self._write(".", line="[^\\n]")
        elif kind == "sign":
            self._write(token[0])
        else:
            self._character(ord(token[0]))

    def _write(self, python: str, *, whole: str = "", line: str = "") -> None:
        self._python.append(python)
        self._whole.append(whole or python)
        self._line.append(line or whole or python)

    def _count(self, size: int) -> None:
        self._sizes[-1] += size
        self._last = size

    def _open(self, text: str) -> None:
        if len(self._sizes) > NESTED:
            raise UsageError(f"the expression has more than {NESTED} groups within groups")
        self._sizes.append(1)
        self._write(text)

    def _flags(self, text: str) -> None:
        """Keep `i` and `s`; all else is given, or changes what a line is."""
        on, _, off = text[2:-1].partition("-")
        if "x" in on:
            self._refuse("(?#")
        if set(on) - set("ismau") or set(off) - set("is"):
            raise UsageError(f"{text} has flags other than i and s", remedy="leave them out")
        self._crosses = self._crosses or "s" in on
        kept = "".join(flag for flag in on if flag in "is") + (f"-{off}" if off else "")
        if text.endswith(":"):
            self._open(f"(?{kept}:" if kept else "(?:")
        elif kept:
            self._write(f"(?{kept})")

    def _refuse(self, text: str) -> None:
        if text == "(?#":
            raise UsageError("an expression here has neither comments nor spaces that don't count")
        raise UsageError("a back-reference may take too long", remedy="leave it out")

    def _repeat(self, sign: str, lazy: str) -> None:
        if sign == "{,}":
            sign = "*"
        sign = sign.replace("{,", "{0,")
        if sign.startswith("{"):
            low, _, high = sign[1:-1].partition(",")
            times = int(high or low)
            if len(sign) > 12 or times > SIZE:
                raise UsageError(f"{sign} repeats more than {SIZE} times", remedy="use a smaller count")
            self._count(self._last * max(0, times - 1))
        self._backtracks = self._backtracks or lazy == "+"
        self._write(sign + lazy)

    def _escape(self, text: str) -> None:
        letter = text[1]
        if letter in "wdsWDS":
            self._atom(_CLASSES[letter.lower()], letter.isupper(), "(?-i:{})")
        elif letter in "bB":
            self._write(f"(?a:{text})", whole=text)
        elif letter in "AZ":
            self._backtracks = True  # a piece is no record: each find is to be looked at
            self._write(text, whole="^" if letter == "A" else "$")
        elif letter.isdigit() and (code := _code(text)) is None:
            raise UsageError("a back-reference may take too long", remedy="leave it out")
        else:
            code = _code(text)
            if code is None:
                raise UsageError(f"{text} is not known here", remedy="write the character itself")
            self._character(code)

    def _character(self, code: int) -> None:
        self._count(1)
        self._no_line = self._no_line or code == 10
        self._crosses = self._crosses or code == 10
        text = chr(code)
        if code >= 0x80:
            self._write(f"(?:{text})")
        elif text.isalnum() or text in " _":
            self._write(text)
        else:
            self._write(f"\\x{code:02x}")

    def _atom(self, ranges: Ranges, negated: bool, around: str = "{}") -> None:
        """Write a class of characters, with something around it."""
        self._count(1)
        bracket = around.format(_bracket(ranges, negated))
        inside = any(low <= 10 <= high for low, high in ranges)
        if inside == negated:  # it never matches a line feed
            self._write(bracket)
            return
        self._crosses = True
        within = (*ranges, (10, 10)) if negated else _without_line_feed(ranges)
        self._no_line = self._no_line or not within
        self._write(bracket, line=around.format(_bracket(within or ranges, negated)))


def _members(text: str) -> tuple[Ranges, bool]:
    """Return the ranges of a class in brackets, and whether it is negated."""
    negated = text.startswith("[^")
    found: list[tuple[int, int]] = []
    open_range = dash = False
    """Whether the last member may begin a range; whether a dash follows it."""
    for member in _MEMBER.finditer(text[1 + negated : -1]):
        ranges, single = _member(member)
        if single and member[0] == "-" and open_range and not dash:
            dash = True
            continue
        if dash and single:
            found[-1] = (found[-1][0], max(found[-1][0], ranges[0][0]))
            open_range = dash = False
            continue
        if dash:
            found.append((0x2D, 0x2D))
            dash = False
        found += ranges
        open_range = single
    if dash:
        found.append((0x2D, 0x2D))
    return tuple(found), negated


def _member(member: re.Match[str]) -> tuple[Ranges, bool]:
    """Return the ranges of one member of a class, and whether it is one character."""
    if posix := member["posix"]:
        if posix not in _POSIX:
            raise UsageError(f"no class [:{posix}:]", remedy=", ".join(_POSIX))
        return _POSIX[posix], False
    if escape := member["escape"]:
        letter = escape[1]
        if letter.lower() in _CLASSES:
            ranges = _CLASSES[letter.lower()]
            return (_others(ranges) if letter.isupper() else ranges), False
        code = _CONTROLS["b"] if letter == "b" else _code(escape)
        if code is None:
            raise UsageError(f"{escape} is not known here", remedy="write the character itself")
        return ((code, code),), True
    code = ord(member[0])
    return ((code, code),), True


def _code(escape: str) -> int | None:
    """Return the character that an escape stands for, or None where it stands for none."""
    letter, rest = escape[1], escape[2:]
    if letter in "xuU" and rest:
        code = int(rest, 16)
        return None if 0xD800 <= code <= 0xDFFF else code
    if letter == "0" or (letter.isdigit() and len(rest) == 2):
        return int(escape[1:], 8)
    if letter in _CONTROLS:
        return _CONTROLS[letter]
    return None if letter.isalnum() and letter.isascii() else ord(letter)


def _others(ranges: Ranges) -> Ranges:
    """Return what is in none of the rising ranges."""
    edges = [-1, *(edge for each in ranges for edge in each), LAST + 1]
    return tuple(
        (low + 1, high - 1) for low, high in zip(edges[::2], edges[1::2], strict=True) if low + 1 < high
    )


def _without_line_feed(ranges: Ranges) -> Ranges:
    halves = (half for low, high in ranges for half in ((low, min(high, 9)), (max(low, 11), high)))
    return tuple((low, high) for low, high in halves if low <= high)


def _bracket(ranges: Ranges, negated: bool) -> str:
    members = (_edge(low) if low == high else f"{_edge(low)}-{_edge(high)}" for low, high in ranges)
    return f"[{'^' if negated else ''}{''.join(members)}]"


def _edge(code: int) -> str:
    text = chr(code)
    return text if code >= 0x80 or (text.isalnum() and text.isascii()) else f"\\x{code:02x}"
