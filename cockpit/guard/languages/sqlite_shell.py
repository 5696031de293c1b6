"""Judge what the sqlite3 shell is given: SQL with dot-commands, as an argument, a file or standard input."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding, rank
from cockpit.guard.languages.lexer import LIMIT, MARK, Lexer, Token
from cockpit.guard.languages.sql import Session, judge_sql, judge_tokens
from cockpit.guard.languages.words import words

Shell = Callable[[str], list[Finding]]
"""Judges a line that a client hands to a shell."""
_READS = words(
    """
    auth bail cd changes check
    connection crlf crnl databases dbinfo dbtotxt dump echo eqp exit expert explain
    fullschema headers help indexes indices info intck limit lint mode nullvalue print progress prompt quit recover
    schema separator sha3sum show stats tables timeout timer version vfsinfo vfslist vfsname width
    """
)
_WRITES = {
    "backup": (Risk.CHANGE, "writes a copy of the database over a file"),
    "save": (Risk.CHANGE, "writes a copy of the database over a file"),
    "clone": (Risk.CHANGE, "writes a copy of the database into a file"),
    "import": (Risk.CHANGE, "adds rows from a file"),
    "restore": (Risk.DESTRUCTIVE, "overwrites the database with another"),
    "excel": (Risk.CHANGE, "writes a file and opens it"),
    "www": (Risk.CHANGE, "writes a file and opens it"),
    "load": (Risk.UNKNOWN, "loads code"),
    "read": (Risk.UNKNOWN, "runs a file"),
    "testcase": (Risk.CHANGE, "writes a file"),
    "imposter": (Risk.CHANGE, "makes a table over an index"),
    "unmodule": (Risk.CHANGE, "takes modules away"),
    "nonce": (Risk.UNKNOWN, "lets the next command out of safe mode"),
    "filectrl": (Risk.UNKNOWN, "asks the file system's layer for something"),
    "session": (Risk.UNKNOWN, "records or writes changes"),
    "selftest": (Risk.UNKNOWN, "runs statements of the database's own"),
    "vfstrace": (Risk.UNKNOWN, "writes a trace"),
    "testctrl": (Risk.UNKNOWN, "changes the library's inside"),
    "dbconfig": (Risk.CHANGE, "changes the connection's safeguards"),
    "archive": (Risk.CHANGE, "writes an archive, or files from one"),
    "ar": (Risk.CHANGE, "writes an archive, or files from one"),
}
_SPECIAL = words("shell system output once open parameter log trace binary")
_ALL = sorted({*_READS, *_WRITES, *_SPECIAL})
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_SPACE = frozenset(" \t\r\n")
_TERMINATOR = re.compile(r"[ \t]*(?:/|[gG][oO])[ \t\r]*(?:\n|\Z)")


def judge_sqlite(script: str, *, shell: Shell) -> list[Finding]:
    """Judge a script as the shell reads it.

    Args:
        script: An argument after the file's name, a file or standard input.
        shell: Judges the lines that the client gives to a shell.
    """
    if len(script) > LIMIT:
        return [Finding(risk=Risk.UNKNOWN, part=script[:200], why="is too long to be judged")]
    findings: list[Finding] = []
    buffer: list[Token] = []
    session = Session()
    lexer = Lexer(script, dialect="sqlite")
    while True:
        at = lexer.at
        starts = at == 0 or script[at - 1] == "\n"
        if starts and not buffer and script[at : at + 1] in {".", "#"}:
            end = script.find("\n", at)
            lexer.at = end = len(script) if end < 0 else end
            if script[at] == ".":
                findings += _judge_dot(script[at + 1 : end], shell)
            continue
        if starts and buffer and (match := _TERMINATOR.match(script, at)):
            findings += judge_tokens(buffer, dialect="sqlite", session=session)
            buffer, lexer.at = [], match.end()
            continue
        if script[at : at + 1] in _SPACE:
            lexer.at = at + 1
            continue
        if (match := _COMMENT.match(script, at)) is not None:
            lexer.at = match.end()
            continue
        token = lexer.next()
        if token is None:
            break
        if token.kind == MARK and token.text == ";":
            findings += judge_tokens(buffer, dialect="sqlite", session=session) if buffer else []
            buffer = []
        else:
            buffer.append(token)
    findings += judge_tokens(buffer, dialect="sqlite", session=session) if buffer else []
    return findings or [Finding(risk=Risk.READ, part="", why="runs nothing")]


def _judge_dot(line: str, shell: Shell) -> list[Finding]:
    """Judge a dot-command; the shell takes any beginning of a name, so the gravest of the names decides."""
    part = f".{line}".strip()
    name, _, arguments = line.strip().replace("\t", " ").partition(" ")
    arguments = arguments.strip()
    meant = [name] if name in _ALL else [known for known in _ALL if name and known.startswith(name)]
    if not meant:
        return [Finding(risk=Risk.UNKNOWN, part=part, why="is no command that is known here")]
    judged = [_judge_named(known, arguments, part, shell) for known in meant]
    return max(judged, key=lambda findings: max(rank(finding.risk) for finding in findings))


def _judge_named(name: str, arguments: str, part: str, shell: Shell) -> list[Finding]:
    def one(risk: Risk, why: str) -> list[Finding]:
        return [Finding(risk=risk, part=part, why=why)]

    if name in {"shell", "system"}:
        return shell(arguments) if arguments else one(Risk.READ, "shows how it is used")
    pieces = _split(arguments)
    if pieces is None:
        return one(Risk.UNKNOWN, "has a quote that does not end")
    at = next((index for index, piece in enumerate(pieces) if piece.startswith("|")), None)
    if at is not None and name in {"output", "once"}:
        return shell(" ".join(pieces[at:])[1:].strip())
    if at is not None and name in {"read", "import"}:
        return [*shell(pieces[at][1:].strip()), *one(*_WRITES[name])]
    if name in {"output", "once"}:
        if pieces in ([], ["stdout"], ["off"]):
            return one(Risk.READ, "shows")
        editor = any(piece in {"-e", "-x", "-w", "--www", "--plain"} for piece in pieces)
        return one(Risk.CHANGE, "writes a file and opens it" if editor else "writes a file")
    if name == "open":
        if "--new" in pieces or "-new" in pieces:
            return one(Risk.DESTRUCTIVE, "empties the file that it opens")
        if "--readonly" in pieces or "-readonly" in pieces or not pieces:
            return one(Risk.READ, "opens a database to read")
        return one(Risk.CHANGE, "opens another file, and creates it where it is missing")
    if name in {"log", "trace"}:
        quiet = all(piece in {"off", "on", "stdout", "stderr"} or piece.startswith("--") for piece in pieces)
        return one(Risk.READ, "shows") if quiet else one(Risk.CHANGE, "writes a file")
    if name == "parameter":
        return _judge_parameter(pieces, part)
    if name in {"archive", "ar"} and pieces and pieces[0] in {"-t", "--list", "-tv", "t"}:
        return one(Risk.READ, "lists an archive")
    if name == "dbconfig" and len(pieces) < 2:
        return one(Risk.READ, "shows the connection's safeguards")
    if name in _WRITES:
        return one(*_WRITES[name])
    return one(Risk.READ, "shows, or changes the client's output")


def _judge_parameter(pieces: list[str], part: str) -> list[Finding]:
    verb = pieces[0] if pieces else "list"
    if "set".startswith(verb) and len(pieces) == 3:
        value = judge_sql(f"SELECT {pieces[2]}", dialect="sqlite")
        return [*value, Finding(risk=Risk.READ, part=part, why="sets a parameter of the client")]
    if verb in {"list", "init", "clear", "unset"}:
        return [Finding(risk=Risk.READ, part=part, why="shows or forgets parameters of the client")]
    return [Finding(risk=Risk.UNKNOWN, part=part, why="is no command that is known here")]


def _split(arguments: str) -> list[str] | None:
    try:
        return shlex.split(arguments)
    except ValueError:
        return None
