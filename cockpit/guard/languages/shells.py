"""Shells, and what a shell has built in that runs other commands."""

from __future__ import annotations

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word, shown


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
        if call.has("-n"):
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
    found = [call.finding(Risk.READ, "defines or shows aliases")]
    for word in call.parts.operands:
        if word.text is None:
            found.append(call.finding(Risk.UNKNOWN, "defines an alias that isn't known"))
        elif "=" in word.text:
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
