"""Shells, and what a shell has built in that runs other commands."""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.ruleset import builtin
from cockpit.guard.words import Word, shown
from cockpit.guard.wrappers import environment


def shell(call: Call) -> list[Finding]:
    """Judge `sh -c LINE`, `sh FILE` and a shell that reads its lines from its input."""
    operands = list(call.parts.operands)
    if call.has("-c"):
        if not operands:
            return [call.finding(Risk.UNKNOWN, "has no line to run")]
        found = call.inner.line(operands[0], call.given)
        return [*found, *_arguments(call, operands)]
    if call.has("--version", "--help"):
        return [call.finding(Risk.READ, "prints help")]
    if operands and not call.has("-s"):
        if call.has("-n") and not any(word.start.startswith("+") for word in call.rest):
            return [call.finding(Risk.READ, "checks a script's grammar")]
        return [call.finding(Risk.UNKNOWN, f"runs the script {operands[0].shown}, which may do anything")]
    if call.given == NOTHING:
        return [call.finding(Risk.UNKNOWN, "starts a shell")]
    return _input(call)


def _arguments(call: Call, operands: list[Word]) -> list[Finding]:
    """What is given besides the line may be run by it, as by `sh -c '"$@"' _ rm -r /`."""
    line = operands[0].text or ""
    if len(operands) > 2 and ("$@" in line or "$*" in line or "$1" in line):
        return [each for each in call.inner.words(operands[2:], NOTHING) if each.risk is Risk.DESTRUCTIVE]
    return []


def script_input(call: Call) -> list[Finding]:
    """Judge a program that runs the lines of its input in a shell."""
    return _input(call)


def _input(call: Call) -> list[Finding]:
    if call.given.text is None:
        return [call.finding(Risk.UNKNOWN, "runs what it reads, which isn't known before")]
    return call.inner.line(Word(raw=call.given.text, text=call.given.text), NOTHING)


def evaluated(call: Call) -> list[Finding]:
    """Judge `eval WORD…`: the words joined are a line."""
    if not call.rest:
        return [call.finding(Risk.READ, "runs nothing")]
    if any(word.text is None or word.glob for word in call.rest):
        return call.inner.line(Word(raw=shown(call.rest)), NOTHING)
    line = " ".join(word.text or "" for word in call.rest if word.text != "--")
    return call.inner.line(Word(raw=line, text=line), call.given)


def alias(call: Call) -> list[Finding]:
    """Judge what aliases stand for, where they are defined."""
    found = [call.finding(Risk.READ, "shows aliases")]
    for word in call.parts.operands:
        if word.text is None:
            found.append(call.finding(Risk.UNKNOWN, "defines an alias that isn't known"))
        elif "=" in word.text:
            if builtin().find(word.text.partition("=")[0]) is not None:
                # What a call of it is given comes behind its words, and is judged by the old meaning.
                found.append(call.finding(Risk.UNKNOWN, "gives a program's name another meaning"))
            line = word.text.partition("=")[2]
            found += call.inner.line(Word(raw=line, text=line), NOTHING)
    return found


def trap(call: Call) -> list[Finding]:
    """Judge `trap LINE SIGNAL…`."""
    operands = call.parts.operands
    if len(operands) < 2 or operands[0].text in {"-", ""} or call.has("-l", "-p"):
        return [call.finding(Risk.READ, "shows or resets traps")]
    return call.inner.line(operands[0], NOTHING)


def source(call: Call) -> list[Finding]:
    """Judge `source FILE`."""
    return [call.finding(Risk.UNKNOWN, "runs the lines of a file, which may do anything")]


def replaced(call: Call) -> list[Finding]:
    """Judge `exec COMMAND`; with redirections alone it runs nothing."""
    if call.parts.operands:
        return call.inner.words(call.parts.operands, call.given)
    return [call.finding(Risk.READ, "runs nothing else")]


_VALUED = {
    "read": "-a", "mapfile": "", "readarray": "", "printf": "-v", "getopts": "", "let": "", "test": "", "[": "",
    "wait": "-p",
}  # fmt: skip
"""Where builtins have the names of variables: the option, or anywhere."""


def variables(call: Call) -> list[Finding]:
    """Judge builtins that set or ask for variables by name: a subscript is evaluated, some names load programs."""
    found: list[Finding] = []
    name = call.words[0].text or ""
    words = call.values(_VALUED[name]) if _VALUED.get(name) else []
    words = words if name in {"printf", "wait"} else list(call.rest)
    for word in words:
        if word.text is not None and re.search(r"\[.*(\$\(|`)", word.text) and name != "[":
            found.append(call.finding(Risk.UNKNOWN, "may run what a subscript holds"))
        if name not in {"test", "["}:
            found += environment(word)
    if name in {"mapfile", "readarray"}:
        found += [each for line in call.values("-C") for each in call.inner.line(line, NOTHING)]
    return found


def history(call: Call) -> list[Finding]:
    """Judge `history`, which lists, and its options, which write or forget."""
    if any(not re.fullmatch(r"\d+|-p|[^-].*", word.text or "-") for word in call.rest):
        return [call.finding(Risk.CHANGE, "writes or forgets the lines that were typed")]
    return [call.finding(Risk.READ, "lists the lines that were typed")]


def jobs(call: Call) -> list[Finding]:
    """Judge `jobs`, which lists, and `jobs -x COMMAND…`, which runs it."""
    texts = [word.text for word in call.rest]
    if "-x" in texts:
        at = texts.index("-x") + 1
        return call.inner.words(call.rest[at:], NOTHING) if call.rest[at:] else []
    return []
