"""MySQL's conditional comments: `/*! … */` and `/*M! … */` are code, for the versions that they name."""

from __future__ import annotations

import itertools
import re

from cockpit.guard.languages.lexer import BAD, Lexer, tokens

_START = re.compile(r"/\*M?!(?:\d{5,6})?")
_MOST = 3
"""Conditional comments whose combinations are all judged; each doubles the number."""

_LIMIT = 64
"""Comments of a text that are looked at."""


def variants(text: str) -> tuple[list[str], bool]:
    """Return what servers of different versions may read in a text, and whether those are all of them.

    Whatever is odd within such a comment (another comment, a quote that does not end) leaves the list incomplete.
    """
    found = _conditional(text)
    if found is None:
        return [text], False
    if not found:
        return [text], True
    complete = len(found) <= _MOST
    choices = itertools.product((True, False), repeat=len(found)) if complete else ((True,), (False,))
    return [
        _written(text, found, choice if complete else choice * len(found)) for choice in choices
    ], complete


def _conditional(text: str) -> list[tuple[int, int, int, int]] | None:
    """Return start, start of the body, end of the body and end of each conditional comment; None where one is odd."""
    if text.count("/*") > _LIMIT:
        return None
    found: list[tuple[int, int, int, int]] = []
    at = 0
    while at < len(text):
        start = _real_comment(text, at)
        if start < 0:
            break
        match = _START.match(text, start)
        end = text.find("*/", start + 2)
        if match is None:
            at = end + 2 if end >= 0 else len(text)
            continue
        body = text[match.end() : end]
        if end < 0 or "/*" in body or "--" in body or "#" in body or _is_bad(body):
            return None
        found.append((start, match.end(), end, end + 2))
        at = end + 2
    return found


def _real_comment(text: str, at: int) -> int:
    """Return where the next block comment starts that is in no string, name or line comment; -1 if there is none."""
    lexer = Lexer(text, dialect="mysql", at=at)
    while True:
        before = lexer.at
        token = lexer.next()
        end = len(text) if token is None else token.start
        gap = text[before:end] if token is None or token.spaced else ""
        start = _in_gap(gap)
        if start >= 0:
            return before + start
        if token is None:
            return -1
        if token.kind == BAD:
            start = _in_gap(text[before:])
            return before + start if start >= 0 else -1


def _in_gap(gap: str) -> int:
    """Find a block comment among white space and line comments."""
    at = 0
    while at < len(gap):
        if gap.startswith("/*", at):
            return at
        if gap.startswith("#", at) or gap.startswith("--", at):
            end = gap.find("\n", at)
            if end < 0:
                return -1
            at = end
        at += 1
    return -1


def _is_bad(body: str) -> bool:
    found = tokens(body, dialect="mysql")
    return bool(found) and found[-1].kind == BAD


def _written(text: str, found: list[tuple[int, int, int, int]], choice: tuple[bool, ...]) -> str:
    pieces: list[str] = []
    at = 0
    for (start, body, body_end, end), runs in zip(found, choice, strict=True):
        pieces.append(text[at:start])
        pieces.append(f" {text[body:body_end]} " if runs else " ")
        at = end
    pieces.append(text[at:])
    return "".join(pieces)
