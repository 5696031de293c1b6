"""What a query's terms ask of a record, a test a term: the one meaning of the language.

Whoever answers a query faster, from bytes and columns, is held to these tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

from cockpit.errors import UsageError
from cockpit.signals import LogRecord, Value, host_of, service_of
from cockpit.stores.logs.patterns import compile_pattern
from cockpit.stores.logs.quantities import Quantity, of_number, quantity
from cockpit.stores.logs.terms import All, AnyOf, Exists, Field, LevelRange, Named, Node, Not, Regex, Word

Test = Callable[[LogRecord, str | None], bool]
"""Takes a record and its whole text, where it was read from a text."""

_PLAIN = re.IGNORECASE | re.ASCII
LONGEST_VALUE = 4096
"""Characters of a value that a `*` is held against."""
_NAMES: dict[str, Callable[[LogRecord], str]] = {
    "service": lambda record: service_of(record.resource),
    "host": lambda record: host_of(record.resource),
    "source": lambda record: record.source,
    "trace": lambda record: record.trace_id,
}
_LOWER_TO_ASCII = ("\u0130", "\u212a")
"""The dotted I and the Kelvin sign, whose small letters are ASCII."""


def test_of(node: Node) -> Test:
    """Return what tells whether a record passes.

    Raises:
        UsageError: An expression could run away on hostile text.
    """
    if isinstance(node, Not):
        inner = test_of(node.node)
        return lambda record, text: not inner(record, text)
    if isinstance(node, All):
        tests = [test_of(part) for part in node.nodes]
        return lambda record, text: all(test(record, text) for test in tests)
    if isinstance(node, AnyOf):
        tests = [test_of(part) for part in node.nodes]
        return lambda record, text: any(test(record, text) for test in tests)
    return test_of_term(node)


def test_of_term(term: Word | Regex | LevelRange | Named | Field | Exists) -> Test:
    """Return the test of one term."""
    match term:
        case Word(text):
            return _in_text(holds(text))
        case Regex(pattern):
            return _in_text(compile_pattern(pattern).found_in)
        case LevelRange(low, high):
            return lambda record, text: low <= record.level < high
        case Named():
            return _named(term)
        case Field():
            return _field(term)
        case Exists(key):
            said = re.compile(_said(key), _PLAIN)
            return lambda record, text: bool(_values(record, key)) or said.search(record.body) is not None


def holds(word: str) -> Callable[[str], bool]:
    """Return what tells whether a text holds a word, whatever the case."""
    if not word.isascii():
        found = re.compile(any_case(word)).search
        return lambda text: found(text) is not None
    wanted = word.lower()
    return lambda text: wanted in lower(text)


def lower(text: str) -> str:
    """Return a text with small letters, of which those are ASCII that were before."""
    if not text.isascii():
        for odd in _LOWER_TO_ASCII:
            text = text.replace(odd, "\ufffd")
    return text.lower()


def any_case(word: str) -> str:
    """Return an expression for a word in large or small letters, for `re` and for hyperscan alike."""
    return "".join(_any_case(letter) for letter in word)


def same(wanted: str) -> Callable[[str], bool]:
    """Return a comparison with a lower-case text in which `*` stands for anything."""
    if "*" not in wanted:
        return lambda text: text == wanted
    if wanted.count("*") > 4:
        raise UsageError(f"{wanted} has more than four *")
    regex = re.compile(translate(re.sub(r"\*+", "*", wanted).replace("[", "[[]").replace("?", "[?]")))
    return lambda text: regex.match(text, 0, LONGEST_VALUE) is not None


def _any_case(letter: str) -> str:
    if letter.isascii():
        if letter.isalpha():
            return f"[{letter.upper()}{letter.lower()}]"
        return letter if letter.isdigit() else f"\\x{ord(letter):02x}"
    forms = {letter, letter.lower(), letter.upper()}
    return f"(?:{'|'.join(sorted(form for form in forms if len(form) == 1 and not form.isascii()))})"


def _in_text(found: Callable[[str], bool]) -> Test:
    """Return a test of the whole text, or of the body and the attributes where a record has no other text."""

    def test(record: LogRecord, text: str | None) -> bool:
        if text is not None:
            return found(text)
        if found(record.body):
            return True
        return any(isinstance(value, str) and found(value) for value in record.attributes.values())

    return test


def _named(term: Named) -> Test:
    read, wanted = _NAMES[term.name], term.value
    if not term.whole:
        return lambda record, text: wanted in lower(read(record))
    is_same = same(wanted)
    return lambda record, text: is_same(lower(read(record)))


def _field(term: Field) -> Test:
    key, sign = term.key, term.sign
    wanted = quantity(term.value)
    is_same = same(lower(term.value)) if sign == "=" else None
    said = re.compile(_said(key) + r'"?([^\s"]*)', _PLAIN)
    in_body = re.compile(rf'{_said(key)}"?{re.escape(term.value)}(?!\w)', _PLAIN) if is_same else None

    def passes(value: Value) -> bool:
        if is_same is not None and is_same(_text_of(value)):
            return True
        number = _quantity_of(value)
        return number is not None and wanted is not None and number.compares(sign, wanted)

    def test(record: LogRecord, text: str | None) -> bool:
        if any(passes(value) for value in _values(record, key)):
            return True
        if in_body is not None and in_body.search(record.body) is not None:
            return True
        return any(passes(found.rstrip(",;)]}")) for found in said.findall(record.body))

    return test


def _said(key: str) -> str:
    """Return an expression for a key and its equals sign in a body."""
    return rf"(?<![\w.]){re.escape(key)}="


def _values(record: LogRecord, key: str) -> list[Value]:
    """Return what the record and its resource say of a key."""
    return [
        known[key]
        for known in (record.attributes, record.resource)
        if key in known and known[key] is not None
    ]


def _text_of(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return lower(str(value))


def _quantity_of(value: Value) -> Quantity | None:
    if isinstance(value, str):
        return quantity(value)
    if isinstance(value, bool) or value is None:
        return None
    return of_number(value)
