"""Tools for text that have commands of their own: `less`, `mlr`.

Source: less(1) 643; the manual of Miller 6.
"""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import literal

_MOVES = re.compile(r"\+{1,2}([0-9.]*[FgGp%eEjkbfduwz]?|&[^\n]*|[/?][^\n]*)")
"""First commands of `less` that only move: `+F`, `+G`, `+100`, `+/pattern`."""


def less(call: Call) -> list[Finding]:
    """Judge the first command that `less +COMMAND` gives: `!` runs a line, `s` and `|` write or run."""
    found: list[Finding] = []
    for word in call.parts.operands:
        text = word.text
        if not word.start.startswith("+") or (text is not None and not word.glob and _MOVES.fullmatch(text)):
            continue
        if text is not None and text.lstrip("+").startswith("!"):
            found += call.inner.line(literal(text.lstrip("+").lstrip("!#")), ANYTHING)
        else:
            found.append(call.finding(Risk.UNKNOWN, f"begins with a command of the pager: {word.shown}"))
    return found


_WRITES = re.compile(r"\b(tee|split\w*|emit\w*|e?printn?|dump|edump)\b[^;{}]*(>|\|)")
_RUNS = re.compile(r"\b(system|exec|os)\b")
_PROGRAMS = frozenset({"put", "filter"})
_LOADS = frozenset({"--prepipe", "--prepipex", "--load", "--mload"})
_WRITERS = frozenset({"tee", "split"})


def mlr(call: Call) -> list[Finding]:
    """Judge `mlr [OPTIONS] VERB … [then VERB …] [FILE…]`."""
    found: list[Finding] = []
    texts = [word.text for word in call.rest]
    if any(word.is_open for word in call.rest):
        found.append(call.finding(Risk.UNKNOWN, "has words that aren't known before it runs"))
    for text in texts:
        if text in {"-I", "--in-place", "in-place"}:
            found.append(call.finding(Risk.CHANGE, "edits files in place"))
        elif text in _LOADS or (text in {"-f", "-s"} and _PROGRAMS & set(texts)):
            found.append(call.finding(Risk.UNKNOWN, f"has {text}, which may run a program"))
        elif text in _WRITERS:
            found.append(call.finding(Risk.CHANGE, "writes files"))
        elif text is not None and _PROGRAMS & set(texts) and _RUNS.search(text):
            found.append(call.finding(Risk.UNKNOWN, "runs a line by its program"))
        elif text is not None and _PROGRAMS & set(texts) and _WRITES.search(text):
            found.append(call.finding(Risk.CHANGE, "writes files by its program"))
    return found
