"""`env` and `sudo`: another program with another environment or another account."""

from __future__ import annotations

import re
import shlex

from cockpit.actions.command import Risk
from cockpit.guard.call import Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word, shown
from cockpit.guard.wrappers import assigns, environment


def env(call: Call) -> list[Finding]:
    """Judge `env [-S STRING] [NAME=VALUE…] [COMMAND…]`."""
    found = []
    operands = list(call.parts.operands)
    for value in call.values("-S", "--split-string"):
        # env splits the string much as a shell does: what a shell would make of it is at least as bad.
        found += call.inner.line(_with(value, operands), call.given)
        if "\\" in (value.text or ""):
            found.append(call.finding(Risk.UNKNOWN, "has escapes, which aren't those of a shell"))
        operands = []
    if operands and operands[0].text == "-":
        operands.pop(0)
    while operands and _assigns(operands[0]):
        found += environment(operands.pop(0))
    if operands:
        return [*found, *call.inner.words(operands, call.given)]
    return found or [call.finding(Risk.READ, "prints the environment")]


def _with(value: Word, operands: list[Word]) -> Word:
    if value.text is None or any(word.text is None for word in operands):
        return Word(raw=value.raw)
    text = " ".join([value.text, *(shlex.quote(word.text or "") for word in operands)])
    return Word(raw=text, text=text)


def _assigns(word: Word) -> bool:
    """Return whether a word is an assignment; its value need not be known."""
    return not word.many and not word.glob and assigns(word.start if word.text is None else word.text)


def _as_sudo_quotes(text: str) -> str:
    """Return a word as `sudo -i` gives it to a shell: all but letters, digits, `_`, `-` and `$` is escaped."""
    return re.sub(r"[^\w$-]", lambda match: "\\" + match[0], text, flags=re.ASCII) or "''"


def sudo(call: Call) -> list[Finding]:
    """Judge `sudo [OPTIONS] [NAME=VALUE…] COMMAND…`, `sudo -l`, `sudo -e FILE`, `sudo -i`."""
    if call.has("-e", "--edit"):
        return [call.finding(Risk.CHANGE, "edits a file")]
    operands = list(call.parts.operands)
    if call.has("-l", "--list", "-v", "--validate", "-k", "-K", "-V") and not operands:
        return [call.finding(Risk.READ, "shows or renews what may be run")]
    if call.has("-l", "--list"):
        return [call.finding(Risk.READ, "shows whether a command may be run")]
    found = []
    while operands and _assigns(operands[0]):
        found += environment(operands.pop(0))
    if not operands:
        return [*found, call.finding(Risk.UNKNOWN, "starts a shell")]
    if call.has("-s", "-i", "--shell", "--login"):
        known = all(word.text is not None and not word.glob for word in operands)
        text = " ".join(_as_sudo_quotes(word.text or "") for word in operands) if known else None
        return [*found, *call.inner.line(Word(raw=shown(operands), text=text), call.given)]
    return [*found, *call.inner.words(operands, call.given)]
