"""Which shapes of equal structure are one template: a word with many values in one place is a variable.

Shapes that agree in their delimiters are told apart by their words, as IPLoM does it (Makanju et al., "Clustering
event logs using iterative partitioning", KDD 2009): a set is split at the place with the fewest values until what
still varies is variable. Variable is a place whose values look it (see `atoms`), or that has more different values
than a programmer writes alternatives for, within words that agree. Two or three plain words in one place
("opened", "closed") are as many templates. The outcome depends on which shapes there are, neither on their order
nor on how often each came.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from cockpit.stores.logs.templates.atoms import WILD, places_named

Atoms = tuple[str, ...]

MANY = 6
"""Different plain words in one place that make it variable."""
MANY_NAMED = 3
"""The same after a noun that says that a name follows."""
MANY_ASSIGNED = 4
"""The same after an equals sign or in quotes, where a state may stand as well."""
MANY_VERBS = 20
"""The same where most of them say what happened rather than to whom."""
AGREEING = 2
"""Words in common that are enough to take a word for a value where others have a number or a path."""
SIGNS = 3
"""Delimiters other than white space that say as much as a word that all have in common."""
JOINING = frozenset(
    "a an the and or but not no is are was were be been has have had do does did can cannot could will would may"  # noqa: SIM905
    " must should to from for in into on onto at by of off with without via as than then after before since until"
    " during while when if because up down out over under between through against already still again too".split()
)
"""Words that join others and name nothing."""
UNITS = frozenset(
    "B b bytes kB KB MB GB TB PB KiB MiB GiB TiB ns us µs ms s sec secs second seconds min mins minute"  # noqa: SIM905
    " minutes h hour hours d day days Hz kHz MHz GHz %".split()
)
"""What may follow a number and vary with it."""
NAMING = frozenset(
    "user username login account owner host hostname server client peer node device disk volume interface port"  # noqa: SIM905
    " file path directory folder service unit daemon process command program thread worker task job queue topic"
    " table database schema index cluster region zone pod container image namespace package module class method"
    " function group role domain key id name session token type".split()
)
"""Nouns that programs write before a name."""


class Group(NamedTuple):
    """Shapes that are one template.

    Attributes:
        members: Their places in what was given, ascending.
        atoms: The template's, `WILD` where they differ.
    """

    members: list[int]
    atoms: Atoms


def partition(shapes: Sequence[Atoms], delimiters: Sequence[str]) -> list[Group]:
    """Tell which shapes are one template.

    Args:
        shapes: Their atoms, all as many.
        delimiters: What they all have between the atoms.
    """
    named = places_named(delimiters, len(shapes[0])) if shapes else []
    signs = sum(not delimiter.isspace() for delimiter in delimiters) // SIGNS
    groups = []
    waiting = [list(range(len(shapes)))]
    while waiting:
        members = waiting.pop()
        columns = list(zip(*(shapes[member] for member in members), strict=True))
        values = [dict.fromkeys(column) for column in columns]
        varying = [place for place, found in enumerate(values) if len(found) > 1]
        place = _place_to_split(values, varying, named, signs)
        if place is None:
            groups.append(
                Group(members, tuple(next(iter(found)) if len(found) == 1 else WILD for found in values))
            )
            continue
        parts: dict[str, list[int]] = {}
        for member in members:
            parts.setdefault(shapes[member][place], []).append(member)
        waiting.extend(parts.values())
    groups.sort(key=lambda group: group.members[0])
    return groups


def _place_to_split(
    values: Sequence[dict[str, None]], varying: Sequence[int], named: Sequence[bool], signs: int
) -> int | None:
    """Return where shapes are to be told apart, None where they are one template."""
    if not varying:
        return None
    words = sum(len(found) == 1 and is_word(next(iter(found))) for found in values)
    plain = [place for place in varying if not _is_variable(values, place, words, named[place])]
    looks = sum(all(map(looks_variable, values[place])) for place in varying)
    if not plain and words + signs >= max(1, len(varying) - looks):
        return None
    return min(plain or varying, key=lambda place: (len(values[place]), place))


def _is_variable(values: Sequence[dict[str, None]], place: int, words: int, assigned: bool) -> bool:
    """Tell whether what stands in a place is variable, given how many words all shapes have in common."""
    found = values[place]
    plain = sum(not looks_variable(value) for value in found)
    if plain == 0 or (assigned and "" in found):
        return True
    if plain < len(found) and words >= AGREEING:
        return True
    if assigned:
        return plain >= MANY_ASSIGNED
    before = values[place - 1] if place else {}
    if WILD in before and found.keys() <= UNITS:
        return True
    if 2 * sum(map(says_what_happened, found)) > len(found):
        return plain >= MANY_VERBS
    after_noun = len(before) == 1 and next(iter(before)).lower() in NAMING
    return plain >= (MANY_NAMED if after_noun else MANY)


@lru_cache(maxsize=20_000)
def looks_variable(atom: str) -> bool:
    """Tell whether an atom is variable by its look, if there are two of them."""
    return atom in {"", WILD} or "0" in atom


@lru_cache(maxsize=20_000)
def says_what_happened(atom: str) -> bool:
    """Tell whether an atom is a verb by its English ending, or a word that only joins others."""
    return atom.isalpha() and (atom.endswith(("ed", "ing")) or atom.lower() in JOINING)


@lru_cache(maxsize=20_000)
def is_word(atom: str) -> bool:
    """Tell whether an atom says something about the template, as a word does and a sign or a value does not."""
    return WILD not in atom and any(map(str.isalpha, atom))
