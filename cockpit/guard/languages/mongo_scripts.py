"""MongoDB scripts with functions, loops and sums that only look: no name in them that could do anything else.

`javascript.py` reads chains of calls. What is more than that is looked at here name by name: everything that is
called, or could be handed on to be called, has to be known to read, and no name is computed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.languages.javascript import CONSTRUCTORS, Piece, UnreadableError, pieces, plain
from cockpit.guard.languages.mongo_methods import (
    CODE,
    COLLECTION,
    COMMANDS,
    CURSOR,
    DATABASE,
    REPLICA_SET,
    SHARDS,
    WRITES,
)
from cockpit.guard.languages.words import words

_LISTS = (COLLECTION, DATABASE, REPLICA_SET, SHARDS)
_HARMFUL = (
    frozenset(name for each in _LISTS for name, effect in each.items() if effect[0] is not Risk.READ)
    | words("runCommand adminCommand call apply bind constructor prototype __proto__ eval")
) - words("count status")
_RUNS = words("runCommand adminCommand")
_CALLS_BACK = words("map filter forEach reduce some every flatMap sort find findIndex")
_METHODS = (
    (frozenset(name for each in _LISTS for name, effect in each.items() if effect[0] is Risk.READ) | CURSOR)
    | _CALLS_BACK
    | words(
        """
    getSiblingDB getSisterDB getCollection getMongo getDBNames getDBs aggregate slice join includes indexOf startsWith
    endsWith toFixed toString substring substr split trim toUpperCase toLowerCase padEnd padStart concat reverse keys
    values entries flat push getTime toISOString getTimestamp log stringify round floor ceil max min abs match test
    localeCompare isArray getFullYear toNumber
    """
    )
) - _HARMFUL
_FUNCTIONS = CONSTRUCTORS | words(
    "print printjson tojson tojsononeline Number String Boolean parseInt parseFloat isNaN"
)
_ROOTS = _FUNCTIONS | words("db rs sh console JSON EJSON Object Math Array")
_KEYWORDS = words(
    "const let var of in if else for return typeof true false null undefined new Infinity NaN continue break"
)
_KEYS = words("toString valueOf toJSON then inspect get set")
"""Keys under which a function would be called by itself."""
_TEMPLATE = re.compile(r"`([^`\\]*)`")
_INSERTED = re.compile(r"\$\{([^{}`]*)\}")
_END = Piece("mark", ";", 0, 0)
_CLOSES = {")": "(", "]": "[", "}": "{"}


def only_looks(script: str) -> bool:
    """Return whether nothing in a script can do more than look."""
    try:
        found = [piece for piece in pieces(_TEMPLATE.sub(_spelled, script)) if piece.kind != "line"] + [
            _END
        ] * 4
        pairs = _pairs(found)
        own = _declared(found, pairs)
        return not own & (_ROOTS | _KEYWORDS) and all(
            _is_harmless(found, pairs, own, at) for at in range(len(found))
        )
    except UnreadableError:
        return False


def _spelled(match: re.Match[str]) -> str:
    """Return what is inserted into a text between backticks, as a sum."""
    if "${" in _INSERTED.sub("", match[1]):
        return match[0]  # not to be read
    return "(" + "+".join(['""', *(f"({each})" for each in _INSERTED.findall(match[1]))]) + ")"


def _pairs(found: Sequence[Piece]) -> dict[int, int]:
    """Return where each bracket is closed, and where each closing one was opened."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for at, piece in enumerate(found):
        if piece.kind == "mark" and piece.text in "([{":
            opened.append(at)
        elif piece.kind == "mark" and piece.text in _CLOSES:
            if not opened or found[opened[-1]].text != _CLOSES[piece.text]:
                raise UnreadableError("has brackets that don't match")
            begin = opened.pop()
            pairs[begin], pairs[at] = at, begin
    if opened:
        raise UnreadableError("has brackets that don't match")
    return pairs


def _declared(found: Sequence[Piece], pairs: dict[int, int]) -> frozenset[str]:
    """Return the names that a script gives values: of `const`, of functions' parameters."""
    own: set[str] = set()
    for at, piece in enumerate(found):
        if piece.text == "=>" and at and found[at - 1].kind == "name":
            own.add(found[at - 1].text)
        elif piece.text == "=>" and at and found[at - 1].text == ")":
            own |= _names(found, pairs[at - 1], at - 1)
        elif piece.kind == "name" and piece.text in {"const", "let", "var"} and at + 1 < len(found):
            own |= _names(found, at + 1, pairs.get(at + 1, at + 1) + 1)
    return frozenset(own)


def _names(found: Sequence[Piece], begin: int, end: int) -> set[str]:
    return {
        found[at].text for at in range(begin, end) if found[at].kind == "name" and found[at - 1].text != "."
    }


def _is_harmless(found: Sequence[Piece], pairs: dict[int, int], own: frozenset[str], at: int) -> bool:
    piece = found[at]
    before = found[at - 1] if at else Piece("mark", ";", 0, 0)
    after = found[at + 1].text if at + 1 < len(found) else ""
    if piece.kind == "string":
        return before.kind != "name" or before.text in _KEYWORDS if piece.text[0] == "`" else _is_text(piece)
    if piece.kind == "mark":
        return _is_mark(found, pairs, own, at)
    if piece.kind != "name":
        return True
    name = piece.text
    if name in CODE | WRITES:
        return False
    if before.text == "." and before.kind == "mark":
        called = after == "("
        if called and name in _RUNS:
            return _asks(found, at + 2)
        return name in _METHODS and _gets_functions(found, pairs, at) if called else name not in _HARMFUL
    if after == ":" and before.text in {"{", ","}:
        return name not in _KEYS
    if name in _KEYWORDS:
        return name != "new" or after in CONSTRUCTORS
    return name in _FUNCTIONS if after == "(" else name in own | _ROOTS


def _asks(found: Sequence[Piece], at: int) -> bool:
    """Return whether the command that is run only reads: its name is the first key of an object, or a text."""
    keyed = found[at].text == "{"
    named, after = found[at + keyed], found[at + keyed + 1]
    if named.kind != "string" and not (keyed and named.kind == "name"):
        return False
    name = plain(named.text) if named.kind == "string" else named.text
    ended = after.text == ":" if keyed else after.text in {")", ","}
    return ended and COMMANDS.get(name, (Risk.UNKNOWN, ""))[0] is Risk.READ


def _is_text(piece: Piece) -> bool:
    return plain(piece.text) not in CODE | WRITES | _HARMFUL | _KEYS


def _is_mark(found: Sequence[Piece], pairs: dict[int, int], own: frozenset[str], at: int) -> bool:
    text, before = found[at].text, found[at - 1] if at else Piece("mark", ";", 0, 0)
    if text == "(":
        return before.text not in {")", "]", "}"} or before.kind != "mark" or _heads(found, pairs, at - 1)
    if text == "[" and (
        (before.kind == "name" and before.text not in _KEYWORDS) or before.text in {")", "]"}
    ):
        inside = found[at + 1 : pairs[at]]
        plainly = [each for each in inside if each.kind in {"number", "string"} or each.text == "."]
        names = [each.text for each in inside if each.kind == "name"]
        return bool(inside) and len(plainly) + len(names) == len(inside) and (not names or names[0] in own)
    if text == "=":
        follows = found[at + 1].text if at + 1 < len(found) else ""
        compares = follows == "=" or before.text in {"=", "!", "<", ">"}
        named = before.kind == "name" and before.text in own and (at < 2 or found[at - 2].text != ".")
        declares = before.text in {"}", "]"} and found[pairs[at - 1] - 1].text in {"const", "let", "var"}
        adds = before.text in {"+", "-"} and at > 1 and found[at - 2].text in own
        return compares or named or declares or adds
    return True


def _heads(found: Sequence[Piece], pairs: dict[int, int], at: int) -> bool:
    """Return whether a closing bracket ends the head of `if (…)`, or a block, and no value that is then called."""
    if found[at].text == "}":
        return False
    begin = pairs[at]
    return found[at].text == ")" and begin > 0 and found[begin - 1].text in {"if", "for"}


def _gets_functions(found: Sequence[Piece], pairs: dict[int, int], at: int) -> bool:
    """Return whether a method is given no function but one that is written out, and a query that is no code."""
    first = at + 2
    if found[first].kind == "string":
        return found[at].text not in {"find", "findOne", "count", "countDocuments"}
    if found[at].text not in _CALLS_BACK or found[first].text == ")":
        return True
    if found[first].kind != "name":
        end = pairs.get(first, -1)
        behind = found[end + 1].text if 0 <= end < len(found) - 1 else ""
        return behind in (
            {"=>"} if found[first].text == "(" else {")", ","} if found[first].text == "{" else ()
        )
    printer = found[first].text in {"print", "printjson"} and found[first + 1].text == ")"
    return printer or found[first + 1].text == "=>"
