"""Judge Redis' commands, one by one or a script of lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding
from cockpit.guard.languages.lexer import LIMIT
from cockpit.guard.languages.redis_commands import COMMANDS, CONTAINERS
from cockpit.guard.languages.words import Effect

_STORES = {
    "sort": {"STORE"},
    "georadius": {"STORE", "STOREDIST"},
    "georadiusbymember": {"STORE", "STOREDIST"},
}
"""Commands that read unless one of these words is among their arguments."""
_EXPIRES = frozenset({"expire", "pexpire", "expireat", "pexpireat"})
_PIECE = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)'|([^\s"']\S*))(?=\s|\Z)""")


def judge_redis(words: Sequence[str | None]) -> list[Finding]:
    """Judge one command.

    Args:
        words: The command and its arguments; None is a value that is not known.
    """
    part = " ".join("…" if word is None else word for word in words)[:400]
    risk, why = _judge(words)
    return [Finding(risk=risk, part=part, why=why)]


def judge_redis_script(text: str) -> list[Finding]:
    """Judge lines as redis-cli reads them from standard input, a command each."""
    if len(text) > LIMIT:
        return [Finding(risk=Risk.UNKNOWN, part=text[:200], why="is too long to be judged")]
    findings: list[Finding] = []
    for line in text.split("\n"):
        if not line.strip():
            continue
        pieces = split(line)
        if pieces is None:
            findings.append(
                Finding(risk=Risk.UNKNOWN, part=line.strip()[:400], why="has a quote that does not end")
            )
            continue
        while len(pieces) > 1 and pieces[0].isdecimal():
            pieces = pieces[1:]  # how often it is repeated
        findings += _client(pieces) or judge_redis(pieces)
    return findings or [Finding(risk=Risk.READ, part="", why="runs nothing")]


def split(line: str) -> list[str] | None:
    """Cut a line into words as redis-cli does; None where a quote does not end."""
    pieces: list[str] = []
    at = 0
    while line[at:].strip():
        match = _PIECE.match(line, at)
        if match is None:
            return None
        double, single, bare = match.groups()
        piece = bare if bare is not None else double if double is not None else single
        pieces.append(piece if bare is not None else re.sub(r"\\(.)", r"\1", piece))
        at = match.end()
    return pieces


def _client(pieces: Sequence[str]) -> list[Finding]:
    """Judge what is a command of the client's own."""
    word = pieces[0].lower()
    if word in {"exit", "clear", "help", "?"} or word.startswith(":"):
        return [Finding(risk=Risk.READ, part=" ".join(pieces), why="is about the client alone")]
    if word in {"connect", "restart"}:
        return [Finding(risk=Risk.UNKNOWN, part=" ".join(pieces), why="goes on at another server")]
    return []


def _judge(words: Sequence[str | None]) -> Effect:
    if not words or words[0] is None:
        return Risk.UNKNOWN, "is a command that is not known"
    name = words[0].lower()
    arguments = words[1:]
    if not words[0].isascii():
        return Risk.UNKNOWN, "is no command that is known here"
    special = _special(name, arguments)
    if special is not None:
        return special
    if name in CONTAINERS and (name not in COMMANDS or arguments):
        sub = arguments[0] if arguments else None
        known = COMMANDS.get(f"{name}|{sub.lower()}") if sub is not None and sub.isascii() else None
        if known is not None:
            return known
        if name == "debug" and sub is not None:
            return Risk.CHANGE, "works on the server's inside"
        return Risk.UNKNOWN, "is no subcommand that is known here"
    return COMMANDS.get(name, (Risk.UNKNOWN, "is no command that is known here"))


def _special(name: str, arguments: Sequence[str | None]) -> Effect | None:
    """Judge the commands whose arguments matter; None for all others."""
    said = {argument.upper() for argument in arguments if argument is not None}
    unsure = None in arguments
    if name in _STORES:
        if said & _STORES[name]:
            return Risk.CHANGE, "stores what it finds in a key"
        if unsure:
            return Risk.UNKNOWN, "may store what it finds"
        return Risk.READ, "reads"
    if name == "getex":
        return (Risk.CHANGE, "sets when a key is deleted") if len(arguments) > 1 else (Risk.READ, "reads")
    if name == "bitfield":
        if said & {"SET", "INCRBY"}:
            return Risk.CHANGE, "writes"
        return (Risk.UNKNOWN, "may write") if unsure else (Risk.READ, "reads")
    if name in _EXPIRES and len(arguments) > 1:
        when = arguments[1]
        if when is not None and re.fullmatch(r"-\d+|0+", when):
            return Risk.DESTRUCTIVE, "deletes the key at once"
        return None
    if name == "shutdown":
        if "NOSAVE" in said:
            return Risk.DESTRUCTIVE, "stops the server and loses what was not saved"
        return Risk.CHANGE, "stops the server"
    if name in {"replicaof", "slaveof"}:
        if [argument and argument.upper() for argument in arguments] == ["NO", "ONE"]:
            return Risk.CHANGE, "makes a replica a primary"
        return Risk.DESTRUCTIVE, "replaces every key with another server's"
    if name == "acl" and said and arguments[0] is not None and arguments[0].upper() == "LOG":
        return (
            (Risk.CHANGE, "forgets the log")
            if len(arguments) > 1 and _not_count(arguments[1])
            else (Risk.READ, "shows")
        )
    if name == "debug" and arguments and arguments[0] is not None and arguments[0].upper() in {"FLUSHALL"}:
        return Risk.DESTRUCTIVE, "deletes every key"
    return None


def _not_count(word: str | None) -> bool:
    return word is None or not word.isdecimal()
