"""The filter language in LogsQL, the language of VictoriaLogs (docs.victoriametrics.com/victorialogs/logsql)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from cockpit.stores.logs.quantities import quantity
from cockpit.stores.logs.terms import Exists, Field, LevelRange, Named, Regex, Term, Word
from sources.support.go_text import either_of, glob, literal, quoted, re2, written
from sources.support.log_fields import FieldNames
from sources.support.log_translate import Translator, level_words

_IDENTIFIER = re.compile(r"[0-9a-fA-F]{16}(?:[0-9a-fA-F]{16})?")


class LogsQl(Translator[str]):
    """Translates to LogsQL filters, each of which stands in parentheses where it is joined."""

    def __init__(self, source: str, names: FieldNames) -> None:
        super().__init__(source, names)
        self._absent = " ".join(f'{quoted(name)}:""' for name in names.level)

    def term(self, term: Term) -> tuple[str | None, bool]:
        """Translate a term."""
        if isinstance(term, Word):
            return self._word(term), True
        if isinstance(term, Regex):
            pattern = re2(term.pattern)
            return (self._message(pattern), True) if pattern else (None, False)
        if isinstance(term, LevelRange):
            return self._level(term), False
        if isinstance(term, Named):
            return self._named(term)
        if isinstance(term, Exists):
            return f"{quoted(term.key)}:* or {self._said(term.key)}", True
        return self._field(term)

    def everything(self) -> str:
        """Return `*`."""
        return "*"

    def negated(self, asked: str) -> str | None:
        """Put `!` before it."""
        return f"!({asked})"

    def every(self, asked: Sequence[str]) -> str | None:
        """Join by `and`."""
        return " and ".join(f"({one})" for one in asked)

    def either(self, asked: Sequence[str]) -> str | None:
        """Join by `or`."""
        return " or ".join(f"({one})" for one in asked)

    def _message(self, pattern: str) -> str:
        return " or ".join(f"{quoted(name)}:~{quoted(pattern)}" for name in self.names.message)

    def _word(self, term: Word) -> str:
        asked = self._message(literal(term.text))
        if _IDENTIFIER.fullmatch(term.text):  # who asks for a trace means its records, wherever they say so
            asked = " or ".join(
                [asked, *(f"{quoted(name)}:={quoted(term.text.lower())}" for name in self.names.trace)]
            )
        return asked

    def _level(self, term: LevelRange) -> str:
        """Ask by the level fields; records without one are taken along, for their text may tell a level."""
        below = term.low <= 0
        words = level_words(LevelRange(term.high, 64) if below else term)
        pattern = f"(?i)^(?:{either_of(words)})$"
        found = self._first_of(self.names.level, f":~{quoted(pattern)}")
        if below:
            return f"!({found})"
        return f"{found} or ({self._absent})" if self._absent else "*"

    def _named(self, term: Named) -> tuple[str | None, bool]:
        pattern = glob(term.value) if term.whole else literal(term.value)
        asked = self._first_of(self.names.of(term.name), f":~{quoted(pattern)}")
        if term.name == "trace":
            return f"{asked} or {self._message(literal(term.value.strip('*')))}", False
        return asked, True

    def _first_of(self, names: Sequence[str], test: str) -> str:
        """Return a test of the first of several fields that a record has."""
        parts = []
        for place, name in enumerate(names):
            before = "".join(f'{quoted(other)}:"" ' for other in names[:place])
            parts.append(f"({before}{quoted(name)}{test})")
        return " or ".join(parts) or "!*"

    def _said(self, key: str, value: str = "") -> str:
        """Return a test for `key=value` in the message."""
        return self._message(rf"(?i)(?:^|[^\w.]){written(key)}={value}")

    def _field(self, term: Field) -> tuple[str | None, bool]:
        """Ask for what the field holds or the message says; what may be the same number written otherwise, too."""
        key, number = quoted(term.key), quantity(term.value)
        if number is None:
            said = self._said(term.key, f'"?{written(term.value)}(?:\\W|$)')
            if "*" in term.value:
                word = r'[^\s"]*'.join(written(part) for part in term.value.split("*"))
                said += " or " + self._said(term.key, f'"?{word}[,;)\\]}}]*(?:[\\s"]|$)')
            return f"{key}:~{quoted(glob(term.value))} or {said}", True
        said = self._said(term.key, '"?[-+.0-9]')
        if number.kind or not math.isfinite(number.number):
            return f"{key}:* or {said}", False
        # A value with a unit counts by its number alone in the filter line, which VictoriaLogs sees otherwise.
        compared = f":range[{term.value}, {term.value}]" if term.sign == "=" else f":{term.sign}{term.value}"
        united = quoted("^[-+.0-9eE]+ ?[A-Za-zµμ%]")
        return f"{key}{compared} or {key}:~{united} or {said}", False
