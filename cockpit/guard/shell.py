"""Judges a line for a shell: every command in it, wherever the grammar can hide one.

The line is parsed by tree-sitter's grammar of Bash. The tree is walked by an allowlist: a kind of node that is not
known here makes the line unknown, and so does whatever does not parse. `/bin/sh` may be another shell than Bash, so
a form that two shells read differently counts as the worse of both.

Source: the Bash manual, 3 (basic shell features); POSIX.1-2017, Shell Command Language.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Input
from cockpit.guard.findings import Finding, about
from cockpit.guard.overlooked import overlooked
from cockpit.guard.program import Programs
from cockpit.guard.statements import Walk
from cockpit.guard.tree import first_error, is_too_large, parse
from cockpit.guard.words import Word

LONGEST = 64 * 1024
"""Characters of a line; a longer one is not judged."""
DEEPEST = 16
"""Lines within lines, and commands within commands, that are followed."""


class ShellJudge:
    """Judges lines for a shell and the commands in them.

    Args:
        programs: Judges each program.
    """

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def line(self, line: str) -> list[Finding]:
        """Judge a line; never raises."""
        return _Reader(self._programs).line(Word(raw=line, text=line), NOTHING)

    def argv(self, argv: Sequence[str]) -> list[Finding]:
        """Judge a program started with these arguments, no shell in between."""
        words = [Word(raw=each, text=each, start=each) for each in argv]
        hidden = [found for each in argv for found in _hidden(each)]
        return hidden + _Reader(self._programs).words(words, NOTHING)


class _Reader:
    """Reads lines and the lines within them."""

    def __init__(self, programs: Programs, depth: int = 0) -> None:
        self._programs = programs
        self._depth = depth

    def line(self, line: Word, given: Input) -> list[Finding]:
        """Judge a line that a shell gets."""
        if line.text is None or line.glob:
            return [about(Risk.UNKNOWN, line.raw, "is a line for a shell that isn't known before it runs")]
        if refused := _refused(line.text) or self._too_deep(line.text):
            return refused
        root = parse(line.text)
        if is_too_large(root):
            return [about(Risk.UNKNOWN, f"{line.text[:60]}…", "has more parts than can be followed")]
        judged = Walk(root, _Reader(self._programs, self._depth + 1)).statement(root, given, 0)
        if root.has_error:
            judged.insert(0, about(Risk.UNKNOWN, first_error(root), "is not what a shell's grammar has here"))
        source = line.text.encode(errors="surrogateescape")
        judged = [*(about(Risk.UNKNOWN, part, why) for part, why in overlooked(root, source)), *judged]
        return judged or [about(Risk.READ, line.text.strip() or "an empty line", "runs nothing")]

    def words(self, words: Sequence[Word], given: Input) -> list[Finding]:
        """Judge a command that another runs."""
        if deep := self._too_deep(words[0].raw):
            return deep
        return self._programs.judge(words, given, _Reader(self._programs, self._depth + 1))

    def _too_deep(self, part: str) -> list[Finding]:
        if self._depth < DEEPEST:
            return []
        return [about(Risk.UNKNOWN, part, "is nested too deeply to be followed")]


def _refused(line: str) -> list[Finding]:
    if len(line) > LONGEST:
        return [about(Risk.UNKNOWN, f"{line[:60]}…", f"is longer than {LONGEST:,} characters")]
    return _hidden(line)


def _hidden(text: str) -> list[Finding]:
    """Refuse characters that a person doesn't see, or takes for others."""
    for character in text:
        if character in "\n\t" or " " <= character <= "~":
            continue
        kind = unicodedata.category(character)
        if kind in {"Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Co"}:
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            return [
                about(
                    Risk.UNKNOWN, text.replace(character, "\ufffd"), f"holds an invisible character ({name})"
                )
            ]
    return []
