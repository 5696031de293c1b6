r"""The programs of `awk`.

A program reads, but for `print > file`, `print | line`, `line | getline` and `system(line)`. The line or file is
judged where it is one plain string; else it isn't known, and of the program's strings whatever is worse counts.

Source: POSIX.1-2017, awk; the GNU awk 5.2 manual, for `|&`, `@load`, indirect calls and its options.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, Call
from cockpit.guard.findings import Finding, rank
from cockpit.guard.places import writes
from cockpit.guard.words import Word, literal

_PLAIN = re.compile(
    r"(?P<space>[ \t\r]+|\\\r?\n|#[^\n]*)"
    r"|(?P<string>\"(?:\\(?s:.)|[^\"\\\n])*\")"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+)"
    r"|(?P<name>[A-Za-z_][\w]*(?:::[A-Za-z_]\w*)?)"
    r"|(?P<mark>\n|\+\+|--|\|\||\|&|&&|>>|[-+*/%^!<>=~]=|\*\*=?|[-+*/%^!<>=~|&?:;,(){}\[\]$@])"
)
_REGEX = {
    True: re.compile(r"/(?:\\.|\[\^?\]?(?:\[[.:=][^\]\n]*[.:=]\]|\\.|[^\]\n])*\]|[^/\\\n\[])*/"),
    False: re.compile(r"/(?:\\.|[^/\\\n])*/"),
}
_KEYWORDS = frozenset(
    {
        "print", "printf", "return", "in", "do", "else", "case", "delete", "exit", "if", "while", "for", "switch",
        "BEGIN", "END", "BEGINFILE", "ENDFILE",
    }
)  # fmt: skip
"""Names behind which a value begins, so that a slash is a pattern's."""
_OPENING = {")": "(", "]": "[", "}": "{"}
_STARTS = frozenset({"", ";", "{", "(", "\n", "}", "&&", "||", "!", "="})
"""What a string that is all of a line stands behind."""
_ENDS = frozenset({"", ";", "}", "\n", ")"})
_GOES_ON = frozenset({",", "{", "&&", "||", "?", ":", "do", "else"})
"""Behind these a line's end does not end the statement."""
_ESCAPES = {"n": "\n", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "r": "\r", "v": "\v"}


class _Broken(Exception):
    """The program is not what awk's grammar has."""


class _Token(Struct, frozen=True):
    kind: str
    text: str


_END = _Token("mark", "")


class _Act(Struct, frozen=True):
    """What a program does besides printing: `file`, `line` or `unknown`; the text is None where it isn't plain."""

    kind: str
    text: str | None = None


def awk(call: Call) -> list[Finding]:
    """Judge a program: what it writes to a file changes, what it runs is judged."""
    sources = call.values("-e", "--source")
    if call.has("-f", "--file", "-E", "--exec"):
        return [call.finding(Risk.UNKNOWN, "runs the program in a file")]
    if not sources:
        if not call.parts.operands:
            quiet = call.has("-V", "--version", "-h", "--help", "-C", "--copyright")
            return [] if quiet else [call.finding(Risk.UNKNOWN, "has no program")]
        sources = [call.parts.operands[0]]
    if any(word.text is None or word.glob for word in sources):
        return [call.finding(Risk.UNKNOWN, "has a program that isn't known before it runs")]
    return _program(call, "\n".join(word.text or "" for word in sources))


def _program(call: Call, text: str) -> list[Finding]:
    found: list[Finding] = []
    ways = 0
    strings: tuple[str, ...] = ()
    for brackets in (True, False):
        with contextlib.suppress(_Broken):
            tokens = _tokens(text, brackets=brackets)
            ways += 1
            for act in _acts(tokens):
                found += _judged(call, act)
            strings += tuple(_value(each.text) for each in tokens if each.kind == "string")
    if not ways:
        return [call.finding(Risk.UNKNOWN, "has a program that can't be followed")]
    if found and "ENVIRON" in text and re.search(r"ENVIRON\s*\[[^\]]*\]\s*=[^=]", text):
        found.append(call.finding(Risk.UNKNOWN, "changes the environment of what it runs"))
    if any(each.risk is Risk.UNKNOWN for each in found):
        lines = [each for line in dict.fromkeys(strings) for each in call.inner.line(literal(line), ANYTHING)]
        found += [each for each in lines if rank(each.risk) > rank(Risk.UNKNOWN)]
    return list(dict.fromkeys(found))


def _judged(call: Call, act: _Act) -> list[Finding]:
    match act.kind:
        case "file":
            return writes(
                call, None if act.text is None else literal(act.text), "writes a file by its program"
            )
        case "line" if act.text is not None:
            return call.inner.line(Word(raw=act.text, text=act.text), ANYTHING)
        case "line":
            return [call.finding(Risk.UNKNOWN, "runs a line that it makes up")]
        case _:
            return [call.finding(Risk.UNKNOWN, "loads or calls what isn't known")]


def _tokens(text: str, *, brackets: bool) -> list[_Token]:
    """Return a program's tokens; a slash within brackets ends a pattern for some awks and not for others.

    Raises:
        _Broken: It is no program.
    """
    tokens: list[_Token] = []
    open_: list[str] = []
    at = 0
    while at < len(text):
        slash = text[at] == "/" and not _is_value(tokens)
        found = _REGEX[brackets].match(text, at) if slash else _PLAIN.match(text, at)
        if found is None:
            raise _Broken
        at = found.end()
        kind = "regex" if slash else found.lastgroup or ""
        if kind == "space":
            continue
        token = _Token(kind, found[0].removeprefix("awk::") if kind == "name" else found[0])
        if kind == "mark" and token.text in "([{":
            open_.append(token.text)
        elif kind == "mark" and token.text in _OPENING and (not open_ or open_.pop() != _OPENING[token.text]):
            raise _Broken
        tokens.append(token)
    if open_:
        raise _Broken
    return tokens


def _is_value(tokens: Sequence[_Token]) -> bool:
    """Return whether a slash here divides what stands before it."""
    if not tokens:
        return False
    last = tokens[-1]
    if last.kind == "name":
        if last.text == "getline":
            raise _Broken
        return last.text not in _KEYWORDS
    return last.kind in {"string", "number", "regex"} or last.text in {")", "]", "++", "--", "$"}


def _acts(tokens: Sequence[_Token]) -> Iterator[_Act]:
    """Yield what a program does besides printing."""
    printing = False
    depth = 0
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else _END
        if token.kind == "name":
            if token.text in {"print", "printf"}:
                printing, depth = True, 0
            elif token.text == "system":
                yield _Act("line", _called(tokens, index + 1))
            continue
        if token.kind != "mark":
            continue
        if token.text == "@":
            yield from _at(tokens, index)
        elif token.text in "([{":
            depth += 1
        elif token.text in ")]}":
            depth -= 1
            printing = printing and depth >= 0
        elif token.text == ";" or (token.text == "\n" and before.text not in _GOES_ON):
            printing = printing and depth > 0
        elif token.text in {">", ">>"} and printing and depth == 0:
            yield _Act("file", _behind(tokens, index + 1))
        elif token.text == "|&":
            yield _Act("line")
        elif token.text == "|" and _next(tokens, index + 1).text == "getline":
            yield _Act("line", _in_front(tokens, index))
        elif token.text == "|":
            yield _Act("line", _behind(tokens, index + 1))


def _at(tokens: Sequence[_Token], index: int) -> Iterator[_Act]:
    """Yield what stands behind `@`: a name space does nothing, anything else isn't known."""
    if _next(tokens, index + 1).text != "namespace":
        yield _Act("unknown")


def _next(tokens: Sequence[_Token], index: int) -> _Token:
    return tokens[index] if index < len(tokens) else _END


def _behind(tokens: Sequence[_Token], index: int) -> str | None:
    """Return a string that is all of the expression from here."""
    string, end = _next(tokens, index), _next(tokens, index + 1)
    return _value(string.text) if string.kind == "string" and _ends(end) else None


def _called(tokens: Sequence[_Token], index: int) -> str | None:
    """Return a string that is the only argument of a call."""
    opening, string, closing = (_next(tokens, index + each) for each in range(3))
    plain = opening.text == "(" and string.kind == "string" and closing.text == ")"
    return _value(string.text) if plain else None


def _in_front(tokens: Sequence[_Token], index: int) -> str | None:
    """Return a string that is all of the expression up to here."""
    string = tokens[index - 1] if index else _END
    start = tokens[index - 2] if index > 1 else _END
    plain = string.kind == "string" and start.kind == "mark" and start.text in _STARTS
    return _value(string.text) if plain else None


def _ends(token: _Token) -> bool:
    return token.kind == "mark" and token.text in _ENDS


def _value(text: str) -> str:
    """Return what a string token holds."""
    return re.sub(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|(?s:.))", lambda match: _escape(match[1]), text[1:-1])


def _escape(text: str) -> str:
    if text[0] in "01234567":
        return chr(int(text, 8) & 0xFF)
    if text[0] == "x" and len(text) > 1:
        return chr(int(text[1:], 16))
    return "" if text == "\n" else _ESCAPES.get(text, text)
