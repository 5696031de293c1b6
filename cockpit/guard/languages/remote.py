"""Commands for another machine, over SSH.

Source: ssh(1): options may also stand behind the host; what follows the host is joined and given to its shell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.options import Form, split
from cockpit.guard.ruleset import Syntax
from cockpit.guard.words import Word, literal, shown
from cockpit.guard.wrappers import environment

TAKES = frozenset(f"-{letter}" for letter in "BbcDEeFIiJLlmOopQRSWwP")
_QUERIES = frozenset({"-G", "-V", "-Q"})
_TUNNELS = frozenset({"-L", "-R", "-D", "-W", "-w"})
_RUNS = re.compile(
    r"(?i)\s*(proxycommand|localcommand|permitlocalcommand|knownhostscommand|pkcs11provider|smartcarddevice"
    r"|securitykeyprovider|xauthlocation|include|match|host|localforward|remoteforward|dynamicforward|tunnel)\b"
    r"(?!\s*[= ]\s*(none|no)\s*$)"
)
_SENDS = re.compile(r"(?i)\s*(?:setenv|sendenv)\s*[= ]\s*(.*)")


def ssh(call: Call) -> list[Finding]:
    """Judge `ssh [OPTIONS] HOST [OPTIONS] [COMMAND…]`."""
    form = Form(syntax=Syntax.POSIX, takes=TAKES)
    before = split(call.rest, form, first_only=True)
    if not before.operands:
        if any(set(option.names) & _QUERIES for option in before.options):
            return [call.finding(Risk.READ, "prints settings")]
        return [call.finding(Risk.UNKNOWN, "names no host")]
    place = before.at[0]
    after = split(call.rest[place + 1 :], form)
    options = before.options + after.options
    found = [*_options(call, options), *_loose(call, before.loose)]
    host = _host(before.operands[0])
    if after.operands:
        line = _joined(after.operands)
        return [*found, *(_on(each, host) for each in call.inner.line(line, call.given))]
    if any(set(option.names) & _QUERIES for option in options):
        return [*found, call.finding(Risk.READ, "prints settings")]
    if any("-O" in option.names for option in options):
        return [*found, call.finding(Risk.CHANGE, "controls a shared connection")]
    if call.given.text and not any({"-s", "-N"} & set(option.names) for option in options):
        line = literal(call.given.text)  # what its shell reads
        return [*found, *(_on(each, host) for each in call.inner.line(line, NOTHING))]
    return [*found, replace(call.finding(Risk.UNKNOWN, "opens a shell on another machine"), host=host)]


def _options(call: Call, options: Sequence[object]) -> list[Finding]:
    found = []
    for option in options:
        names, value = set(option.names), option.value  # type: ignore[attr-defined]
        if names & _TUNNELS:
            found.append(call.finding(Risk.CHANGE, "opens a tunnel"))
        elif "-o" in names and (value is None or value.text is None or _RUNS.match(value.text)):
            found.append(call.finding(Risk.UNKNOWN, "has a setting that may run a command or open a tunnel"))
        elif "-o" in names and (sent := _SENDS.match(value.text)):
            found += [each for word in sent[1].split() for each in environment(literal(word.strip("\"'")))]
        elif "-J" in names and (value is None or value.start.startswith("-")):
            found.append(call.finding(Risk.UNKNOWN, "goes by a host that is an option"))
        elif names & {"-F", "-I", "-S"} and not (value is not None and value.text in {"none", "/dev/null"}):
            found.append(call.finding(Risk.UNKNOWN, "takes settings or code from a file"))
        elif "-E" in names:
            found.append(call.finding(Risk.CHANGE, "writes a log file"))
    return found


def _loose(call: Call, loose: Sequence[Word]) -> list[Finding]:
    """A host that isn't known may turn out to be an option only where it is unquoted and begins so."""
    return [
        call.finding(Risk.UNKNOWN, f"has a word that may be an option: {word.raw}")
        for word in loose
        if word.start.startswith("-")
    ]


def _host(word: Word) -> str:
    text = word.text or word.raw
    return text.removeprefix("ssh://").rpartition("@")[2].partition(":")[0].partition("/")[0]


def _joined(words: Sequence[Word]) -> Word:
    if any(word.text is None for word in words):
        return Word(raw=shown(words))
    return Word(raw=shown(words), text=" ".join(word.text or "" for word in words))


def _on(finding: Finding, host: str) -> Finding:
    return finding if finding.host else replace(finding, host=host)
