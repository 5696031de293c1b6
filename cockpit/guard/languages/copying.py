"""Files copied between machines: rsync and sftp.

Source: rsync(1), sftp(1).
"""

from __future__ import annotations

import shlex

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word, literal

_WRITES = ("--log-file", "--write-batch", "--only-write-batch")
_UNKNOWN = ("-M", "--remote-option", "--server", "--sender", "--config", "--dparam", "--early-input")
_DELETES = (
    "--del", "--delete", "--delete-before", "--delete-during", "--delete-delay", "--delete-after",
    "--delete-excluded", "--delete-missing-args", "--remove-source-files",
)  # fmt: skip


def rsync(call: Call) -> list[Finding]:
    """Judge `rsync [OPTIONS] SOURCE… [TARGET]` by whether it only looks, and what it runs at both ends."""
    found = []
    for value in call.values("-e", "--rsh"):
        found += call.inner.line(_with(value, "host true"), NOTHING)
    for value in call.values("--rsync-path"):
        found += call.inner.line(_with(value, "--version"), NOTHING)
    if call.has(*_WRITES):
        found.append(call.finding(Risk.CHANGE, "writes a file"))
    if call.has("--daemon"):
        return [*found, call.finding(Risk.CHANGE, "starts a daemon")]
    if call.has(*_UNKNOWN) or call.parts.loose:
        return [*found, call.finding(Risk.UNKNOWN, "has options whose effect isn't known")]
    backed = any(
        name.startswith("--no-") and name[5:] in {"dry-run", "n"}
        for o in call.parts.options
        for name in o.names
    )
    operands = call.parts.operands
    lists = call.has("--list-only") or (len(operands) == 1 and not operands[0].many)
    if call.has("--version", "--help") and not operands:
        return [*found, call.finding(Risk.READ, "prints help")]
    if (call.has("-n", "--dry-run") and not backed) or lists:
        return [*found, call.finding(Risk.READ, "only lists files")]
    if call.has(*_DELETES):
        return [*found, call.finding(Risk.DESTRUCTIVE, "copies files and deletes others")]
    return [*found, call.finding(Risk.CHANGE, "copies files")]


def _with(value: Word, more: str) -> Word:
    if value.text is None:
        return Word(raw=value.raw)
    return literal(f"{value.text} {more}")


_SFTP_READS = frozenset(
    {"ls", "dir", "pwd", "lpwd", "lls", "df", "version", "help", "?", "progress", "bye", "exit", "quit"}
)
_SFTP_MOVES = frozenset({"cd", "chdir", "lcd", "lchdir"})


def sftp(call: Call) -> list[Finding]:
    """Judge the commands that sftp is given, where they are known."""
    batches = [value.text for value in call.values("-b")]
    if (
        call.parts.loose
        or call.has("-D", "-S", "-F", "-o", "-s")
        or any(each not in {"-"} for each in batches)
    ):
        return [call.finding(Risk.UNKNOWN, "takes commands or settings that aren't known")]
    text = call.given.text
    if text is None or call.given == NOTHING:
        return [call.finding(Risk.UNKNOWN, "takes commands that aren't known")]
    return [each for line in text.splitlines() for each in _sftp_line(call, line)] or [
        call.finding(Risk.READ, "does nothing")
    ]


def _sftp_line(call: Call, line: str) -> list[Finding]:
    line = line.strip().lstrip("-@").strip()
    if not line or line.startswith("#"):
        return []
    if line.startswith("!"):
        return call.inner.line(literal(line[1:]), NOTHING)
    try:
        name = (shlex.split(line) or [line])[0].lower()
    except ValueError:
        name = ""
    if name in _SFTP_READS or name in _SFTP_MOVES:
        return [call.finding(Risk.READ, "lists files")]
    if name in {"rm", "rmdir", "delete"}:
        return [call.finding(Risk.DESTRUCTIVE, "deletes files on another machine")]
    return [call.finding(Risk.CHANGE, "copies or changes files")]
