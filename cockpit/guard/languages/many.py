"""Programs that run another many times: xargs, watch."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, NOTHING, Call
from cockpit.guard.findings import Finding, rank
from cockpit.guard.words import Word, literal, shown


def xargs(call: Call) -> list[Finding]:
    """Judge `xargs [OPTIONS] [COMMAND…]`: words that aren't known come at the end, or for a placeholder."""
    operands = list(call.parts.operands)
    if not operands:
        return [call.finding(Risk.READ, "prints what it reads")]
    marks = [value.text for value in call.values("-I", "--replace", "-J", "-i")]
    if call.has("-I", "-i", "--replace", "-J"):
        mark = next((each for each in reversed(marks) if each), "{}")
        found = call.inner.words([_replaced(word, mark) for word in operands], NOTHING)
        guess = call.inner.words([_guessed(word, mark) for word in operands], NOTHING)
        return [*found, *(each for each in guess if rank(each.risk) > rank(Risk.UNKNOWN))]
    found = [each for words in _added(call) for each in call.inner.words([*operands, *words], NOTHING)]
    return found or [call.finding(Risk.READ, "runs nothing")]


def _added(call: Call) -> list[list[Word]]:
    """Return the words that each run gets, where they are known and plain, else one that stands for any of them."""
    text = call.given.text
    unlike = ("-a", "--arg-file", "-E", "-e", "--eof", "-d", "--delimiter", "-0", "--null", "-L", "-l", "--max-lines",
              "-s", "--max-chars", "-R", "-S", "-x", "--exit")  # fmt: skip
    count = [value.text for value in call.values("-n", "--max-args")]
    if text and not call.has(*unlike) and re.fullmatch(r"[\w./:@%+=,\s-]+", text):
        words = [literal(each) for each in text.split()]
        if not count:
            return [words]
        if count == ["1"]:
            return [[word] for word in words]
    return [[Word(raw="…", many=True)]]


def _replaced(word: Word, mark: str) -> Word:
    if word.text is None or mark not in word.text:
        return word
    return Word(raw=word.raw, start=word.text.partition(mark)[0])


def _guessed(word: Word, mark: str) -> Word:
    return word if word.text is None else literal(word.text.replace(mark, "_"))


def watch(call: Call) -> list[Finding]:
    """Judge `watch [OPTIONS] COMMAND…`: joined and given to a shell, with `-x` run as they are."""
    operands: Sequence[Word] = call.parts.operands
    if not operands:
        return [call.finding(Risk.UNKNOWN, "names no command")]
    if call.has("-x", "--exec"):
        return call.inner.words(operands, ANYTHING)
    known = all(word.text is not None and not word.glob for word in operands)
    text = " ".join(word.text or "" for word in operands) if known else None
    return call.inner.line(Word(raw=shown(operands), text=text), NOTHING)
