"""What vault, consul and nomad read that isn't only read, and what they run.

Source: the reference of each command line; Go's flag package: the first operand ends the options.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word

_MINTS = (
    "*/creds/*",
    "*/creds",
    "*/static-creds/*",
    "*/sts/*",
    "*/export/*",
    "*/issue/*",
    "*/token/*",
    "*/code/*",
    "*/crl/rotate*",
)
"""Paths of engines that make something new when they are read."""
_STILL = (
    "auth/token/lookup-self",
    "*/roles/*",
    "*/role/*",
    "*/config*",
    "sys/*",
    "*/static-creds/*",
    "*/export/*",
)


def vault_read(call: Call) -> list[Finding]:
    """Judge `vault read PATH`: to read a path of credentials makes new ones."""
    if call.has("-output-curl-string", "-output-policy"):
        return [call.finding(Risk.READ, "prints the request")]
    for word in call.parts.operands:
        if word.text is None:
            return [call.finding(Risk.UNKNOWN, "reads a path that isn't known, which may make credentials")]
        path = word.text.strip("/")
        if any(fnmatchcase(path, each) for each in _MINTS) and not any(
            fnmatchcase(path, each) for each in _STILL
        ):
            return [call.finding(Risk.CHANGE, "makes new credentials")]
    return [call.finding(Risk.READ, "shows what is at a path")]


def terraform_fmt(call: Call) -> list[Finding]:
    """Judge `terraform fmt`: for `-` it prints what it read."""
    if [word.text for word in call.parts.operands] == ["-"]:
        return [call.finding(Risk.READ, "prints what it reads in another form")]
    return [call.finding(Risk.CHANGE, "writes files anew")]


def consul_lock(call: Call) -> list[Finding]:
    """Judge `consul lock PREFIX COMMAND…`: one word is a line, several are a command."""
    return _behind(call, 1)


def consul_watch(call: Call) -> list[Finding]:
    """Judge the program that `consul watch` runs at every event."""
    return _behind(call, 0)


def nomad_exec(call: Call) -> list[Finding]:
    """Judge `nomad alloc exec [OPTIONS] ALLOCATION COMMAND…`; with `-job` the first word is a job."""
    return _behind(call, 1) or [call.finding(Risk.UNKNOWN, "starts a shell")]


def _behind(call: Call, skip: int) -> list[Finding]:
    """Judge the command behind the first operands: what looks like options there is the command's."""
    places = call.parts.at[skip:]
    if not places:
        return []
    words: Sequence[Word] = call.rest[places[0] :]
    if len(words) == 1:
        return call.inner.line(words[0], NOTHING)
    return call.inner.words(words, call.given)
