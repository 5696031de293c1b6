"""The filter language in LogQL, the language of Loki (grafana.com/docs/loki/latest/query).

A query of LogQL is a selector of streams and stages one after the other: filters of the line, which only an `and`
joins, and filters of labels, which know `and`, `or` and parentheses. A line filter and a label filter can't be joined
by `or`, so such a group is tested here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from msgspec import Struct

from cockpit.stores.logs.quantities import quantity
from cockpit.stores.logs.terms import Exists, Field, LevelRange, Named, Regex, Term, Word
from sources.support.go_text import either_of, glob, literal, quoted, re2, written
from sources.support.log_fields import FieldNames
from sources.support.log_translate import Translator, level_words

NOTHING = "(?s).*"
"""What a line filter with `!~` leaves no line of."""
_FLAGS = re.compile(r"\(\?([a-z]+)\)")
_PARSER = re.compile(r"\|\s*(?:json|logfmt|pattern|regexp|unpack)\b")
_IDENTIFIER = re.compile(r"[0-9a-fA-F]{16}(?:[0-9a-fA-F]{16})?")
UNTOLD = ("", "unknown")
"""What a level label says where Loki found no level."""


class Label(Struct, frozen=True):
    """A filter of labels, and the one that leaves what it drops."""

    kept: str
    dropped: str


class Stages(Struct, frozen=True):
    """Filters that all hold.

    Attributes:
        lines: Expressions for the line, and whether one is to be found.
        labels: For the labels.
    """

    lines: tuple[tuple[bool, str], ...] = ()
    labels: tuple[Label, ...] = ()

    def __str__(self) -> str:
        lines = [f" {'|~' if found else '!~'} {quoted(pattern)}" for found, pattern in self.lines]
        return "".join([*lines, *(f" | {label.kept}" for label in self.labels)])


def parses(query: str) -> bool:
    """Tell whether a query makes labels of the fields of a line."""
    return _PARSER.search(query) is not None


def label_name(name: str) -> str:
    """Return a field's name as Loki writes it as a label."""
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", name)
    return f"_{plain}" if plain[:1].isdigit() or not plain else plain


class LogQl(Translator[Stages]):
    """Translates to stages of LogQL.

    Args:
        source: The source's own name.
        names: Which labels mean what.
        labels: Names that are known to be labels.
        parsed: Whether every field of a line is a label.
        traced: Whether labels tell the trace, rather than the line.
    """

    def __init__(
        self,
        source: str,
        names: FieldNames,
        *,
        labels: Collection[str] = (),
        parsed: bool = False,
        traced: bool = False,
    ) -> None:
        super().__init__(source, names)
        self._labels = labels
        self._parsed = parsed
        self._traced = traced

    def term(self, term: Term) -> tuple[Stages | None, bool]:
        """Translate a term."""
        if isinstance(term, Word):
            if self._traced and _IDENTIFIER.fullmatch(term.text):
                return _labelled(self._first_of(self._traces(), literal(term.text))), True
            return _line(literal(term.text)), True
        if isinstance(term, Regex):
            pattern = re2(term.pattern)
            return (_line(pattern), True) if pattern else (None, False)
        if isinstance(term, LevelRange):
            return self._level(term), False
        if isinstance(term, Named):
            return self._named(term)
        name = label_name(term.key)
        if not self._parsed and name not in self._labels:
            return None, False
        if isinstance(term, Exists):
            return _labelled(_test(name, "!=", "")), True
        return self._field(name, term)

    def everything(self) -> Stages:
        """Return no stage."""
        return Stages()

    def negated(self, asked: Stages) -> Stages | None:
        """Turn the one filter round; several can't be."""
        if asked == Stages():
            return Stages(lines=((False, NOTHING),))
        if len(asked.lines) == 1 and not asked.labels:
            ((found, pattern),) = asked.lines
            return Stages(lines=((not found, pattern),))
        if asked.labels and not asked.lines:
            label = _joined(asked.labels, "and")
            return _labelled(Label(label.dropped, label.kept))
        return None

    def every(self, asked: Sequence[Stages]) -> Stages | None:
        """Put the filters one after the other."""
        return Stages(
            tuple(line for one in asked for line in one.lines),
            tuple(label for one in asked for label in one.labels),
        )

    def either(self, asked: Sequence[Stages]) -> Stages | None:
        """Join filters of labels, or those of lines that are to be found."""
        if any(one == Stages() for one in asked):
            return Stages()
        if all(not one.lines for one in asked):
            return _labelled(_joined([_joined(one.labels, "and") for one in asked], "or"))
        single = [one.lines[0] for one in asked if len(one.lines) == 1 and not one.labels]
        if len(single) == len(asked) and all(found for found, _ in single):
            return _line("|".join(_grouped(pattern) for _, pattern in single))
        return None

    def _level(self, term: LevelRange) -> Stages:
        """Ask by the level labels; records without one are taken along, for their text may tell a level."""
        names = [label_name(name) for name in self.names.level]
        below = term.low <= 0
        words = level_words(LevelRange(term.high, 64) if below else term)
        found = self._first_of(names, f"(?i){either_of(words)}")
        if below:
            return _labelled(Label(found.dropped, found.kept))
        untold = [_test(name, "=~", either_of(UNTOLD)) for name in names]
        return _labelled(_joined([found, _joined(untold, "and")], "or")) if untold else Stages()

    def _named(self, term: Named) -> tuple[Stages | None, bool]:
        """Ask by label; records without one are taken along, for their line may say it."""
        if term.name == "trace" and not self._traced:
            return _line(literal(max(term.value.split("*"), key=len))), False
        names = [label_name(name) for name in self.names.of(term.name)]
        pattern = glob(term.value) if term.whole else f"(?is).*{written(term.value)}.*"
        if term.name == "trace":
            return _labelled(self._first_of(names, pattern)), True
        absent = _joined([_test(name, "=", "") for name in names], "and")
        return _labelled(_joined([self._first_of(names, pattern), absent], "or")), False

    def _traces(self) -> list[str]:
        return [label_name(name) for name in self.names.trace]

    def _first_of(self, names: Sequence[str], pattern: str) -> Label:
        """Return a test of the first of several labels that a record has."""
        tests = []
        for place, name in enumerate(names):
            before = [_test(other, "=", "") for other in names[:place]]
            tests.append(_joined([*before, _test(name, "=~", pattern)], "and"))
        return _joined(tests, "or")

    def _field(self, name: str, term: Field) -> tuple[Stages | None, bool]:
        number = quantity(term.value)
        if number is None:
            return _labelled(_test(name, "=~", glob(term.value))), True
        return _labelled(_test(name, "!=", "")), False


def _line(pattern: str) -> Stages:
    return Stages(lines=((True, pattern),))


def _labelled(label: Label) -> Stages:
    return Stages(labels=(label,))


_OPPOSITE = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


def _test(name: str, sign: str, value: str) -> Label:
    return Label(f"{name}{sign}{quoted(value)}", f"{name}{_OPPOSITE[sign]}{quoted(value)}")


def _joined(labels: Sequence[Label], by: str) -> Label:
    """Join filters by `and` or `or`; what is dropped is joined by the other."""
    if len(labels) == 1:
        return labels[0]
    other = "or" if by == "and" else "and"
    return Label(
        f"({f' {by} '.join(label.kept for label in labels)})",
        f"({f' {other} '.join(label.dropped for label in labels)})",
    )


def _grouped(pattern: str) -> str:
    """Put an expression in a group, its flags for that group alone."""
    flags = _FLAGS.match(pattern)
    return f"(?{flags[1]}:{pattern[flags.end() :]})" if flags else f"(?:{pattern})"
