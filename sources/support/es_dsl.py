"""The filter language in the query DSL of Elasticsearch and OpenSearch.

A query is JSON, so no text gets out of its place; the pattern of a `wildcard` query alone has signs, and
has an escaping of its own here (elastic.co/guide/en/elasticsearch/reference, Query DSL).

Which query a field takes hangs on its mapping: a keyword is compared whole, text by its tokens, a number as one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from cockpit.stores.logs.quantities import quantity
from cockpit.stores.logs.terms import Exists, Field, LevelRange, Named, Regex, Term, Word
from sources.support.log_fields import FieldNames
from sources.support.log_translate import Translator, level_words

Dsl = Mapping[str, object]
NUMBERS = frozenset(
    {"long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float", "unsigned_long"}
)
TEXTS = frozenset({"text", "match_only_text", "annotated_text", "search_as_you_type"})
KEYWORDS = frozenset({"keyword", "constant_keyword", "wildcard", "version", "flattened"})
EVERYTHING: Dsl = {"match_all": {}}
NOTHING: Dsl = {"match_none": {}}
_IDENTIFIER = re.compile(r"[0-9a-fA-F]{16}(?:[0-9a-fA-F]{16})?")
_WORDS = re.compile(r"[^\W_]+")


def wildcard(text: str, *, any_for_star: bool = False) -> str:
    """Return a text as the pattern of a `wildcard` query, in which `*`, `?` and a backslash are signs."""
    signs = "?\\" if any_for_star else "*?\\"
    return "".join(f"\\{sign}" if sign in signs else sign for sign in text)


class EsDsl(Translator[Dsl]):
    """Translates to queries of the DSL.

    Args:
        source: The source's own name.
        names: Which fields mean what.
        types: The mapped types of the fields that are asked, by name; a field that is not mapped is missing.
        parts: Whether a word is found within a longer one, which costs a look at every word the index knows.
    """

    def __init__(
        self, source: str, names: FieldNames, types: Mapping[str, str], *, parts: bool = False
    ) -> None:
        super().__init__(source, names)
        self._types = types
        self._parts = parts

    def term(self, term: Term) -> tuple[Dsl | None, bool]:
        """Translate a term."""
        if isinstance(term, Word):
            return self._word(term)
        if isinstance(term, Regex):
            return None, False
        if isinstance(term, LevelRange):
            return self._level(term), False
        if isinstance(term, Named):
            return self._named(term)
        if isinstance(term, Exists):
            said = self._message(f"{term.key}=")
            return either([{"exists": {"field": term.key}}, *([said] if said else [])]), False
        return self._field(term)

    def everything(self) -> Dsl:
        """Return `match_all`."""
        return EVERYTHING

    def negated(self, asked: Dsl) -> Dsl | None:
        """Put it under `must_not`."""
        return {"bool": {"must_not": [asked]}}

    def every(self, asked: Sequence[Dsl]) -> Dsl | None:
        """Join as filters, which are not scored."""
        return {"bool": {"filter": list(asked)}}

    def either(self, asked: Sequence[Dsl]) -> Dsl | None:
        """Join by `should`."""
        return either(asked)

    def _word(self, term: Word) -> tuple[Dsl | None, bool]:
        found = self._message(term.text)
        if found is None:
            return None, False
        if _IDENTIFIER.fullmatch(term.text):
            return either(
                [found, *(self._equals(name, term.text) for name in self.names.trace)]
            ), not self._parts
        return found, not self._parts

    def _message(self, text: str) -> Dsl | None:
        """Ask for a text in the message; None where it has no letter or digit, which the index knows nothing of."""
        words = _WORDS.findall(text)
        if not words:
            return None
        asked: list[Dsl] = []
        for name in self.names.message:
            kind = self._types.get(name, "text")
            if kind in KEYWORDS:
                pattern = f"*{wildcard(text)}*"
                asked.append({"wildcard": {name: {"value": pattern, "case_insensitive": True}}})
            elif self._parts:
                found = [
                    {"wildcard": {name: {"value": f"*{word.lower()}*", "case_insensitive": True}}}
                    for word in words
                ]
                asked.append({"bool": {"filter": found}})
            else:
                asked.append({"match_phrase": {name: text}})
        return either(asked)

    def level(self, low: int, high: int) -> Dsl:
        """Ask for what a level field says to be of a range of SeverityNumbers."""
        words = level_words(LevelRange(low, high))
        return self._first_of(self.names.level, lambda name: self._one_of(name, words))

    def _level(self, term: LevelRange) -> Dsl:
        """Ask by the level fields; records without one are taken along, for their text may tell a level."""
        if term.low <= 0:
            return {"bool": {"must_not": [self.level(term.high, 64)]}}
        found = self.level(term.low, term.high)
        present: list[Dsl] = [{"exists": {"field": name}} for name in self.names.level]
        return either([found, {"bool": {"must_not": present}}])

    def _one_of(self, name: str, words: Sequence[str]) -> Dsl:
        kind = self._types.get(name, "keyword")
        if kind in NUMBERS:
            return {"terms": {name: [int(word) for word in words if word.isdigit()]}}
        cases = dict.fromkeys(case for word in words for case in (word, word.upper(), word.capitalize()))
        return {"terms": {name: list(cases)}}

    def _named(self, term: Named) -> tuple[Dsl | None, bool]:
        pattern = wildcard(term.value, any_for_star=True) if term.whole else f"*{wildcard(term.value)}*"
        names = self.names.of(term.name)
        found = self._first_of(names, lambda name: self._like(name, pattern))
        if term.name == "trace" and (said := self._message(max(term.value.split("*"), key=len))):
            return either([found, said]), False
        return found, True

    def _first_of(self, names: Sequence[str], test: Callable[[str], Dsl]) -> Dsl:
        """Return a test of the first of several fields that a record has."""
        parts: list[Dsl] = []
        for place, name in enumerate(names):
            before = [{"exists": {"field": other}} for other in names[:place]]
            parts.append({"bool": {"filter": [test(name)], "must_not": before}} if before else test(name))
        return either(parts)

    def _like(self, name: str, pattern: str) -> Dsl:
        kind = self._types.get(name, "")
        if not kind:
            return NOTHING
        if kind in KEYWORDS | TEXTS:
            return {"wildcard": {name: {"value": pattern, "case_insensitive": True}}}
        if "*" in pattern.replace("\\*", ""):
            return {"exists": {"field": name}}
        return {"match": {name: {"query": re.sub(r"\\(.)", r"\1", pattern), "lenient": True}}}

    def _equals(self, name: str, value: str) -> Dsl:
        kind = self._types.get(name, "")
        if kind in KEYWORDS:
            return {"term": {name: {"value": value, "case_insensitive": True}}}
        return {"match_phrase": {name: value}} if kind in TEXTS else self._like(name, value)

    def _field(self, term: Field) -> tuple[Dsl | None, bool]:
        """Ask for what the field holds; that the message says it is asked too, as far as the index knows words."""
        kind, number = self._types.get(term.key, ""), quantity(term.value)
        said = self._message(f"{term.key}=")
        if number is not None and kind in NUMBERS and not number.kind and math.isfinite(number.number):
            signs = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
            bounds = (
                {signs[term.sign]: number.number}
                if term.sign in signs
                else {"gte": number.number, "lte": number.number}
            )
            asked: Dsl = {"range": {term.key: bounds}}
        elif number is not None:
            asked = {"exists": {"field": term.key}}
        elif "*" in term.value:
            asked = self._like(term.key, wildcard(term.value, any_for_star=True))
        else:
            asked = self._equals(term.key, term.value)
        return either([asked, *([said] if said else [])]), False


def either(asked: Sequence[Dsl]) -> Dsl:
    """Join queries of which one must hold."""
    if not asked:
        return NOTHING
    return asked[0] if len(asked) == 1 else {"bool": {"should": list(asked), "minimum_should_match": 1}}
