"""Judge what psql is given: SQL with backslash commands, as `-c`, a file or standard input hold it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding
from cockpit.guard.languages.lexer import BAD, LIMIT, MARK, STRING, WORD, Lexer, Token
from cockpit.guard.languages.sql import Session, judge_tokens
from cockpit.guard.languages.words import words

Shell = Callable[[str], list[Finding]]
"""Judges a line that a client hands to a shell."""
_READS = words(
    """
    a bind C cd conninfo copyright crosstabview dconfig echo encoding errverbose f gdesc getenv h H help if elif
    else endif l list lo_list p print prompt pset q quit qecho r reset sf sv t T timing unset warn x z dp ddp
    """
)
_DESCRIBES = re.compile(r"(d[A-Za-z]*|l|z|dp)[S+x]*")
_ENDS_STATEMENT = words("g gx gset gexec gdesc crosstabview watch sendpipeline")
_WHOLE_LINE = words("! copy h help sf sv ef ev")
_NAME = re.compile(r"\\([A-Za-z_0-9?!]+\+?|[;:\\!?])")
_SAFE_VALUE = re.compile(r"[A-Za-z0-9_.]*")
_VARIABLE = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*")
_BACKQUOTED = re.compile(r"`([^`]*)`")


def judge_psql(script: str, *, shell: Shell) -> list[Finding]:
    """Judge a script as psql reads it.

    Args:
        script: The text of `-c`, of a file or of standard input.
        shell: Judges the lines that psql gives to a shell.
    """
    if len(script) > LIMIT:
        return [Finding(risk=Risk.UNKNOWN, part=script[:200], why="is too long to be judged")]
    return _Reader(script, shell).read()


class _Reader:
    """Reads a script: collects a statement until something sends it."""

    def __init__(self, script: str, shell: Shell) -> None:
        self._lexer = Lexer(script, dialect="postgres")
        self._script = script
        self._shell = shell
        self._buffer: list[Token] = []
        self._variables: dict[str, str] = {}
        self._session = Session()
        self._findings: list[Finding] = []

    def read(self) -> list[Finding]:
        """Return the findings of the whole script."""
        while (token := self._lexer.next()) is not None:
            if token.kind == MARK and token.text == "\\":
                self._command(token)
            elif token.kind == MARK and token.text == ";":
                self._send()
            elif token.kind == MARK and token.text == ":":
                self._interpolate(token)
            elif token.kind == BAD and token.text.startswith("\\"):
                self._findings.append(_unknown(token.text, "can't be read"))
            else:
                self._buffer.append(token)
        self._send()
        return self._findings or [Finding(risk=Risk.READ, part="", why="runs nothing")]

    def _send(self) -> None:
        buffer, self._buffer = self._buffer, []
        if not buffer:
            return
        self._findings += judge_tokens(buffer, dialect="postgres", session=self._session)
        if buffer[0].value == "COPY" and any(token.value == "STDIN" for token in buffer):
            self._skip_data()

    def _skip_data(self) -> None:
        """Go past rows after COPY … FROM STDIN, if the line that ends them is there."""
        start = self._script.find("\n", self._lexer.at)
        end = self._script.find("\n\\.", start)
        if start >= 0 and end >= 0 and not self._script[self._lexer.at : start].strip():
            self._lexer.at = end + 3

    def _interpolate(self, colon: Token) -> None:
        """Put a variable's value in: quoted ones are safe, others are whatever their value says."""
        rest = self._script
        at = self._lexer.at
        if at < len(rest) and rest[at] in "'\"":
            token = self._lexer.next()
            if token is not None:
                self._buffer.append(token._replace(spaced=True))
            return
        match = _VARIABLE.match(rest, at)
        if match is None or (self._buffer and self._buffer[-1].text in {"[", "{"}):
            self._buffer.append(colon)
            return
        self._lexer.at = match.end()
        value = self._variables.get(match.group())
        if value is None:
            why = "puts in a variable whose value is not known"
            self._findings.append(Finding(risk=Risk.UNKNOWN, part=f":{match.group()}", why=why))
            value = "x"
        inner = Lexer(value, dialect="postgres")
        while (token := inner.next()) is not None:
            self._buffer.append(token._replace(spaced=True))

    def _command(self, backslash: Token) -> None:
        start = backslash.start
        match = _NAME.match(self._script, start)
        if match is None:
            self._findings.append(
                _unknown(self._script[start : start + 40], "is no command that is known here")
            )
            self._lexer.at = self._line_end(start)
            return
        name = match.group(1)
        if name == ";":
            self._lexer.at = match.end()
            self._send()
            return
        if name in {":", "\\"}:
            self._lexer.at = match.end()
            return
        if name.startswith("!") and name != "!":
            name, after = "!", start + 2
        else:
            after = match.end()
        whole = name.rstrip("+") in _WHOLE_LINE
        end = self._line_end(after) if whole else self._arguments_end(after)
        arguments = self._script[after:end]
        self._lexer.at = end
        if name.rstrip("+") in _ENDS_STATEMENT:
            self._send()
        if not whole:
            for line in _BACKQUOTED.findall(arguments):
                self._findings += self._shell(line)
        self._findings += self._judge(name, arguments.strip(), f"\\{name}{arguments}".strip())

    def _line_end(self, start: int) -> int:
        end = self._script.find("\n", start)
        return len(self._script) if end < 0 else end

    def _arguments_end(self, start: int) -> int:
        """Return where a command's arguments end: at the line's end, or at a backslash outside of quotes."""
        quote = ""
        at = start
        while at < len(self._script) and self._script[at] != "\n":
            char = self._script[at]
            if quote:
                if char == "\\" and quote == "'":
                    at += 1
                elif char == quote:
                    quote = ""
            elif char in "'\"`":
                quote = char
            elif char == "\\":
                return at
            at += 1
        return min(at, len(self._script))

    def _judge(self, name: str, arguments: str, part: str) -> list[Finding]:
        """Judge one backslash command."""
        if name == "!":
            return self._shell(arguments) if arguments else [_unknown(part, "opens a shell")]
        if name in {"g", "gx", "o", "out", "w", "write", "s"}:
            return self._judge_output(name, arguments, part)
        if name == "copy":
            return self._judge_copy(arguments, part)
        if name == "set":
            return self._judge_set(arguments, part)
        if name in {"c", "connect"}:
            return [_judge_connect(arguments, part)]
        if name in {"if", "elif", "else", "endif"} and self._buffer:
            return [_unknown(part, "chooses between pieces of a statement")]
        if name in {"r", "reset"}:
            self._send()
        known = {
            "gset": (Risk.READ, "keeps what was found in variables"),
            "gexec": (Risk.UNKNOWN, "runs what was found as statements"),
            "watch": (Risk.READ, "repeats the statement"),
            "password": (Risk.CHANGE, "changes a password"),
            "lo_import": (Risk.CHANGE, "adds a large object"),
            "lo_export": (Risk.CHANGE, "writes a file"),
            "lo_unlink": (Risk.DESTRUCTIVE, "deletes a large object"),
            "setenv": (Risk.UNKNOWN, "changes the environment of programs that the client starts"),
            "i": (Risk.UNKNOWN, "runs a file"),
            "ir": (Risk.UNKNOWN, "runs a file"),
        }.get(name)
        if name in {"gset", "prompt", "getenv"}:
            self._variables.clear()
        if known is not None:
            return [Finding(risk=known[0], part=part, why=known[1])]
        if name.removesuffix("+") in _READS or _DESCRIBES.fullmatch(name) or name == "?":
            return [Finding(risk=Risk.READ, part=part, why="shows, or changes the client's output")]
        return [_unknown(part, "is no command that is known here")]

    def _judge_output(self, name: str, arguments: str, part: str) -> list[Finding]:
        if name in {"g", "gx"} and arguments.startswith("("):
            arguments = arguments.partition(")")[2].strip()
        if arguments.startswith("|"):
            return self._shell(arguments[1:].strip())
        if not arguments:
            return [Finding(risk=Risk.READ, part=part, why="shows")]
        return [Finding(risk=Risk.CHANGE, part=part, why="writes a file")]

    def _judge_copy(self, arguments: str, part: str) -> list[Finding]:
        lexer = Lexer(arguments, dialect="postgres")
        found = list(iter(lexer.next, None))
        if not found or found[-1].kind == BAD:
            return [_unknown(part, "can't be read")]
        at = _direction(found)
        if at is None:
            return [_unknown(part, "says neither FROM nor TO")]
        after = found[at + 1] if at + 1 < len(found) else None
        findings: list[Finding] = []
        if found[0].text == "(":
            findings += judge_tokens(found[1 : at - 1], dialect="postgres")
        if after is not None and after.value == "PROGRAM":
            program = found[at + 2].value if at + 2 < len(found) and found[at + 2].kind == STRING else ""
            findings += (
                self._shell(program) if program else [_unknown(part, "runs a program that is not known")]
            )
        if found[at].value == "FROM":
            findings.append(Finding(risk=Risk.CHANGE, part=part, why="adds rows"))
        elif after is not None and after.value in {"STDOUT", "PSTDOUT"}:
            findings.append(Finding(risk=Risk.READ, part=part, why="reads rows out"))
        elif after is None or after.value != "PROGRAM":
            findings.append(Finding(risk=Risk.CHANGE, part=part, why="writes a file"))
        return findings

    def _judge_set(self, arguments: str, part: str) -> list[Finding]:
        name, _, value = arguments.partition(" ")
        value = value.strip()
        if re.fullmatch(r"'[^'\\]*'", value):
            value = value[1:-1]
        if _SAFE_VALUE.fullmatch(value):
            self._variables[name] = value
        else:
            self._variables.pop(name, None)
        return [Finding(risk=Risk.READ, part=part, why="sets a variable of the client")]


def _direction(found: Sequence[Token]) -> int | None:
    level = 0
    for at, token in enumerate(found):
        if token.kind == MARK:
            level += (token.text == "(") - (token.text == ")")
        elif token.kind == WORD and level == 0 and token.value in {"FROM", "TO"} and at:
            return at
    return None


def _judge_connect(arguments: str, part: str) -> Finding:
    """Judge a change of the connection: the same server with another database or user, or another machine."""
    pieces = [piece for piece in arguments.split() if not piece.startswith("-reuse")]
    elsewhere = len(pieces) > 2 and pieces[2] != "-"
    if elsewhere or "=" in arguments or "://" in arguments or ":" in arguments:
        return _unknown(part, "goes on at another server")
    return Finding(risk=Risk.READ, part=part, why="connects to another database of the server")


def _unknown(part: str, why: str) -> Finding:
    return Finding(risk=Risk.UNKNOWN, part=" ".join(part.split())[:400], why=why)
