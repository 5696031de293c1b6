"""Programs that run another many times: xargs, watch."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word, shown


def xargs(call: Call) -> list[Finding]:
    """Judge `xargs [OPTIONS] [COMMAND…]`: words that aren't known come at the end, or for a placeholder."""
    operands = list(call.parts.operands)
    if not operands:
        return [call.finding(Risk.READ, "prints what it reads")]
    marks = [value.text for value in call.values("-I", "--replace", "-J")]
    if call.has("-I", "-i", "--replace"):
        mark = next((each for each in reversed(marks) if each), "{}")
        return call.inner.words([_replaced(word, mark) for word in operands], NOTHING)
    return call.inner.words([*operands, Word(raw="…", many=True)], NOTHING)


def _replaced(word: Word, mark: str) -> Word:
    if word.text is None or mark not in word.text:
        return word
    return Word(raw=word.raw, start=word.text.partition(mark)[0])


def watch(call: Call) -> list[Finding]:
    """Judge `watch [OPTIONS] COMMAND…`: joined and given to a shell, with `-x` run as they are."""
    operands: Sequence[Word] = call.parts.operands
    if not operands:
        return [call.finding(Risk.UNKNOWN, "names no command")]
    if call.has("-x", "--exec"):
        return call.inner.words(operands, ANYTHING)
    known = all(word.text is not None for word in operands)
    text = " ".join(word.text or "" for word in operands) if known else None
    return call.inner.line(Word(raw=shown(operands), text=text), NOTHING)
