"""Programs of coreutils whose operands tell what they write: cp, mv, tee, split; and bc, man.

Source: the manual of GNU coreutils 9; the manuals of GNU bc 1.07 and of man-db 2.12.
"""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.places import writes


def copies(call: Call) -> list[Finding]:
    """Judge `cp SOURCE… TARGET`: onto a disk it destroys, and so does a copy of nothing."""
    operands = call.parts.operands
    targets = call.values("-t", "--target-directory") or list(operands[-1:])
    found = [each for word in targets for each in writes(call, word) if each.risk is Risk.DESTRUCTIVE]
    if any(word.text in {"/dev/null", "/dev/zero"} for word in operands[:-1]):
        found.append(call.finding(Risk.DESTRUCTIVE, "empties or overwrites its target"))
    return found


def tee(call: Call) -> list[Finding]:
    """Judge the files that `tee` writes."""
    return [each for word in call.parts.operands for each in writes(call, word, stdout="-")]


_CHUNK = re.compile(r"([lr]/)?\d+/\d+")


def pieces(call: Call) -> list[Finding]:
    """Judge `split`: it writes files, but for `-n K/N`, which prints one, and `--filter`, which runs a line."""
    lines = call.values("--filter")
    if lines:
        return [each for line in lines for each in call.inner.line(line, ANYTHING)]
    chunks = call.values("-n", "--number")
    if chunks and chunks[-1].text is not None and _CHUNK.fullmatch(chunks[-1].text):
        if call.parts.loose:
            return [call.finding(Risk.UNKNOWN, "has words that may be options")]
        return [call.finding(Risk.READ, "prints a part of a file")]
    prefix = call.parts.operands[1:2]
    risky = [each for word in prefix for each in writes(call, word) if each.risk is Risk.DESTRUCTIVE]
    return [*risky, call.finding(Risk.CHANGE, "writes a file for each part")]


_COMPUTES = re.compile(r"[\w\s.,;:+\-*/%^()=<>&|{}\[\]\"?]*")


def calculator(call: Call) -> list[Finding]:
    """Judge `bc` and `dc`: they compute, but `dc` runs a line behind `!`, and a file isn't known."""
    if call.parts.operands or call.has("-f", "--file"):
        return [call.finding(Risk.UNKNOWN, "runs the program in a file")]
    texts = [word.text for word in call.values("-e", "--expression")]
    if call.given != NOTHING or not texts:
        texts.append(call.given.text)
    name = (call.words[0].text or "").rpartition("/")[2]
    if name == "dc" and not all(text is not None and _COMPUTES.fullmatch(text) for text in texts):
        return [call.finding(Risk.UNKNOWN, "may run a line behind an exclamation mark")]
    return [call.finding(Risk.READ, "computes")]


def man(call: Call) -> list[Finding]:
    """Judge the pager that `man -P` runs."""
    return [each for line in call.values("-P", "--pager") for each in call.inner.line(line, ANYTHING)]
