"""Judge what the mysql and mariadb clients are given: SQL with commands of the client, as `-e` or standard input."""

from __future__ import annotations

import re
from collections.abc import Callable

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding, rank, riskiest
from cockpit.guard.languages.lexer import BAD, LIMIT, MARK, WORD, Lexer, Token
from cockpit.guard.languages.mysql_comments import variants
from cockpit.guard.languages.sql import Session, judge_tokens

Shell = Callable[[str], list[Finding]]
"""Judges a line that a client hands to a shell."""
_LONG = {
    "clear": "c", "connect": "r", "delimiter": "d", "edit": "e", "ego": "G", "exit": "q", "quit": "q", "go": "g",
    "help": "h", "nopager": "n", "notee": "t", "nowarning": "w", "pager": "P", "print": "p", "prompt": "R",
    "query_attributes": "query_attributes", "rehash": "#", "resetconnection": "x", "sandbox": "-", "source": ".",
    "status": "s", "system": "!", "tee": "T", "use": "u", "charset": "C", "warnings": "W", "costs": "Q",
    "ssl_session_data_print": "ssl",
}  # fmt: skip
"""Commands that are written out at the start of a line, and their letters."""
_READS = frozenset("chnpqRs?tuwWx#GgCQ-") | {"query_attributes", "ssl"}
_NAME = re.compile(r"[ \t]*([A-Za-z_]+)(?![\w$])")
_MOST = 8
"""Delimiters' length."""


def judge_mysql(script: str, *, shell: Shell) -> list[Finding]:
    """Judge a script as the client reads it.

    Args:
        script: The text of `-e`, of a file or of standard input.
        shell: Judges the lines that the client gives to a shell.
    """
    if len(script) > LIMIT:
        return [Finding(risk=Risk.UNKNOWN, part=script[:200], why="is too long to be judged")]
    found, complete = variants(script) if "/*" in script else ([script], True)
    judged = [_Reader(variant, shell).read() for variant in found]
    worst = max(judged, key=lambda findings: rank(riskiest(findings)))
    if not complete:
        why = "holds comments that versions of the server run differently"
        worst = [*worst, Finding(risk=Risk.UNKNOWN, part=" ".join(script.split())[:400], why=why)]
    return worst


class _Reader:
    """Reads a script: collects a statement until a delimiter sends it."""

    def __init__(self, script: str, shell: Shell) -> None:
        self._lexer = Lexer(script, dialect="mysql")
        self._script = script
        self._shell = shell
        self._delimiter = ";"
        self._buffer: list[Token] = []
        self._session = Session()
        self._findings: list[Finding] = []

    def read(self) -> list[Finding]:
        """Return the findings of the whole script."""
        line_starts = True
        while True:
            if not self._buffer and line_starts and self._long_command():
                continue
            before = self._lexer.at
            if self._is_delimiter():
                self._send()
                line_starts = True
                continue
            token = self._lexer.next()
            if token is None:
                break
            if self._delimiter != ";" and token.kind != BAD and self._cut_at_delimiter(token):
                continue
            line_starts = "\n" in self._script[before : token.start]
            if not self._buffer and line_starts and token.kind == WORD and token.text.lower() in _LONG:
                self._lexer.at = token.start
                if self._long_command():
                    continue
                self._lexer.at = token.end
            if token.kind == MARK and token.text == "\\":
                self._short_command(token)
            else:
                self._buffer.append(token)
        self._send()
        return self._findings or [Finding(risk=Risk.READ, part="", why="runs nothing")]

    def _is_delimiter(self) -> bool:
        """Go past the delimiter if it is next."""
        at = self._lexer.at
        while at < len(self._script) and self._script[at] in " \t\r\n":
            at += 1
        if not self._script.startswith(self._delimiter, at):
            return False
        self._lexer.at = at + len(self._delimiter)
        return True

    def _cut_at_delimiter(self, token: Token) -> bool:
        """Cut a word that runs on into the delimiter, as in `END$$`."""
        at = token.text.find(self._delimiter)
        if token.kind != WORD or at <= 0:
            return False
        self._buffer.append(token._replace(text=token.text[:at], value=token.text[:at].upper()))
        self._lexer.at = token.start + at
        return True

    def _send(self) -> None:
        buffer, self._buffer = self._buffer, []
        if buffer:
            whole = self._delimiter != ";" and buffer[0].value == "CREATE" and buffer[-1].value == "END"
            self._findings += judge_tokens(buffer, dialect="mysql", whole=whole, session=self._session)

    def _long_command(self) -> bool:
        """Run a command that is written out at the start of a line, if there is one."""
        match = _NAME.match(self._script, self._lexer.at)
        if match is None or match.group(1).lower() not in _LONG:
            return False
        end = self._script.find("\n", match.end())
        end = len(self._script) if end < 0 else end
        letter = _LONG[match.group(1).lower()]
        rest = self._script[match.end() : end]
        arguments = rest.strip(" \t\r;")
        if rest[:1] not in {"", " ", "\t", "\r", ";"} or (letter == "h" and arguments.startswith("'")):
            return False
        if letter in {"c", "g", "G", "h", "p", "s", "q", "u", "W", "w"} and ";" in arguments:
            return False  # it is judged as a statement, with what follows it
        self._lexer.at = end
        self._run(letter, arguments, f"{match.group(1)} {arguments}".strip())
        return True

    def _short_command(self, backslash: Token) -> None:
        """Run a backslash and a letter, wherever in a line it is."""
        at = backslash.end
        if at >= len(self._script):
            return
        letter = self._script[at]
        self._lexer.at = at + 1
        if letter in "gG":
            self._send()
            return
        if letter in "c":
            self._buffer = []
            return
        end = self._script.find("\n", at)
        end = len(self._script) if end < 0 else end
        if letter in "npqstwWxp#h?":
            self._run(letter, "", f"\\{letter}")
            return
        arguments = self._script[at + 1 : end].strip()
        self._lexer.at = end
        if letter not in "!.TPdu" and ";" in arguments:
            self._lexer.at = at + 1
            arguments = ""
        self._run(letter, arguments, f"\\{letter} {arguments}".strip())

    def _run(self, letter: str, arguments: str, part: str) -> None:
        """Judge one command of the client."""
        if letter == "d":
            self._send()
            self._delimiter = arguments.split(maxsplit=1)[0][:_MOST] if arguments else ";"
        elif letter == "!":
            line = arguments.rstrip(";").strip()
            self._findings += self._shell(line) if line else [_unknown(part, "opens a shell")]
        elif letter == "P":
            self._findings += self._shell(arguments) if arguments else [_read(part)]
        elif letter == "T":
            self._findings.append(Finding(risk=Risk.CHANGE, part=part, why="writes a file"))
        elif letter in {".", "e"}:
            self._findings.append(_unknown(part, "runs a file" if letter == "." else "opens an editor"))
        elif letter == "r":
            elsewhere = len(arguments.rstrip(";").split()) > 1
            self._findings.append(_unknown(part, "goes on at another server") if elsewhere else _read(part))
        elif letter in {"g", "G"}:
            self._send()
        elif letter in _READS:
            self._findings.append(_read(part))
        else:
            self._findings.append(_unknown(part, "is no command that is known here"))


def _read(part: str) -> Finding:
    return Finding(risk=Risk.READ, part=part, why="shows, or changes the client's output")


def _unknown(part: str, why: str) -> Finding:
    return Finding(risk=Risk.UNKNOWN, part=part[:400], why=why)
