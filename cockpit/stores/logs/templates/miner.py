"""Templates found as lines come, in bounded memory.

A line's numbers are folded (see `fold`); a folded line that was seen before is known by one look into a dict.
A new one is cut and judged (`atoms`), which gives its shape; shapes of the same structure are a family, and which
of a family's shapes are one template is decided when it is asked for (`partition`), from all of them: a word that
seemed constant at first is variable once it has had enough values. The idea of a fixed-depth tree whose leaves hold
templates is Drain's (He et al., "Drain: An online log parsing approach with fixed depth tree", ICWS 2017); here the
tree is two dicts, and the leaves' decisions stay open.

A family with many shapes is settled: its templates with many shapes become one general shape each, which later
lines are matched to. When there are too many shapes over all, the families with the fewest lines are given up for
one general shape each, at last for one that takes whatever is left. Up to those bounds the templates don't depend
on the order of the lines, and never on how they were cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cockpit.signals import SECOND
from cockpit.stores.logs.templates.atoms import WILD, Cutter, numbers_in_names
from cockpit.stores.logs.templates.fold import first_lines, fold, without_hex
from cockpit.stores.logs.templates.header import message_of
from cockpit.stores.logs.templates.partition import Atoms, partition
from cockpit.stores.logs.templates.shape import Shape

LIMIT = 20_000
"""Shapes kept."""
FAMILY = 256
"""Shapes of a family that make it worth settling."""
GENERAL = 8
"""Shapes of a template that make one general shape of them when its family is settled."""
KNOWN_BYTES = 32 << 20
"""Folded lines remembered, in bytes."""
BUCKETS = 200_000
"""Buckets of time kept over all shapes; beyond, they get wider."""
WATCHED, SAMPLED = 16, 256
"""Of a shape with numbers in its names the first lines are looked at for whether they change, then one in so many."""

Numbers = NDArray[np.int64]


class Family:
    """Shapes with the same delimiters.

    Attributes:
        delimiters: Theirs, with any white space as one space.
        shapes: Their places in the miner's list by their atoms.
        general: For each set of places that general shapes hold constant, those shapes by their atoms there.
        due: Shapes from which the family is to be settled.
        groups: Its shapes by template, where nothing is new since that was last decided.
    """

    __slots__ = ("delimiters", "due", "general", "groups", "shapes")

    def __init__(self, delimiters: tuple[str, ...], due: int) -> None:
        self.delimiters = delimiters
        self.shapes: dict[Atoms, int] = {}
        self.general: dict[tuple[int, ...], dict[Atoms, int]] = {}
        self.due = due
        self.groups: list[tuple[list[int], Atoms]] | None = None

    def find(self, atoms: Atoms) -> int | None:
        """Return the shape that a line belongs to, None for a new one."""
        found = self.shapes.get(atoms)
        if found is None:
            for places, shapes in self.general.items():
                found = shapes.get(tuple([atoms[place] for place in places]))
                if found is not None:
                    return found
        return found

    def generalize(self, atoms: Atoms, shape: int) -> None:
        """Have lines that agree with a shape where it isn't wild belong to it."""
        places = tuple(place for place, atom in enumerate(atoms) if WILD not in atom)
        self.general.setdefault(places, {})[tuple(atoms[place] for place in places)] = shape


class Miner:
    """Counts lines by shape."""

    def __init__(self, *, limit: int = LIMIT, keep_lines: bool = False) -> None:
        self.families: dict[tuple[str, ...], Family] = {}
        self.shapes: list[Shape] = []
        self.width = SECOND
        self.count = 0
        self._limit = max(2, limit)
        self._keep_lines = keep_lines
        self._cutter = Cutter()
        self._known: dict[bytes, int] = {}
        self._known_bytes = 0
        self._free: list[int] = []
        self._serial = 0
        self._buckets = 0
        self._watched: set[int] = set()
        self._unsettled: Family | None = None
        self._rest: int | None = None

    def feed(self, numbers: Numbers, times: Numbers, bodies: Sequence[str]) -> None:
        """Count lines.

        Args:
            numbers: int64, shape (n,): their numbers.
            times: int64, shape (n,): nanoseconds since the epoch, `UNDATED` for none.
            bodies: What they say, without time, host and the like; the first line of each counts.
        """
        lines = first_lines(bodies)
        keys = fold(lines)
        begin = 0
        while begin < len(keys):
            shapes = self._shapes_of(keys, lines, begin)
            end = begin + len(shapes)
            self._count(shapes, numbers[begin:end], times[begin:end], lines[begin:end])
            self._settle()
            begin = end

    def groups(self) -> Iterator[tuple[Family, list[int], Atoms]]:
        """Tell for each template its family, its shapes and its atoms."""
        for family in self.families.values():
            if family.groups is None:
                places = list(family.shapes.values())
                family.groups = [
                    ([places[member] for member in group.members], group.atoms)
                    for group in partition(list(family.shapes), family.delimiters)
                ]
            for members, atoms in family.groups:
                yield family, members, atoms
        if self._rest is not None:
            yield Family((), 0), [self._rest], (WILD,)

    def _shapes_of(self, keys: Sequence[bytes], lines: Sequence[str], begin: int) -> list[int]:
        """Return the shapes of lines up to the one after which shapes must be brought together."""
        known = self._known
        found = list(map(known.get, keys[begin:] if begin else keys))
        if None not in found:
            return found  # type: ignore[return-value]
        for place, shape in enumerate(found):
            if shape is None:
                key = without_hex(keys[begin + place])
                shape = known.get(key)
                found[place] = self._learn(key, lines[begin + place]) if shape is None else shape
                if self._unsettled is not None or len(self.shapes) - len(self._free) > self._limit:
                    del found[place + 1 :]
                    break
        return found  # type: ignore[return-value]

    def _learn(self, key: bytes, line: str) -> int:
        """Return the shape of a folded line that was not seen before."""
        cut = self._cutter.cut(message_of(key.decode()))
        family = self.families.get(cut.delimiters)
        if family is None:
            family = self.families[cut.delimiters] = Family(cut.delimiters, FAMILY)
        shape = family.find(cut.atoms)
        if shape is None:
            shape = self._add(Shape(self._serial, cut.atoms, cut.spacing, line))
            family.shapes[cut.atoms] = shape
            family.groups = None
            if len(family.shapes) >= family.due:
                self._unsettled = family
            if any("0" in atom for atom in cut.atoms):
                self._watched.add(shape)
        if self._known_bytes > KNOWN_BYTES:
            self._forget()
        self._known[key] = shape
        self._known_bytes += len(key) + 100
        return shape

    def _add(self, shape: Shape) -> int:
        self._serial += 1
        if self._free:
            place = self._free.pop()
            self.shapes[place] = shape
            return place
        self.shapes.append(shape)
        return len(self.shapes) - 1

    def _forget(self) -> None:
        self._known.clear()
        self._known_bytes = 0

    def _count(
        self,
        shapes: Sequence[int],
        numbers: Numbers,
        times: Numbers,
        lines: Sequence[str],
    ) -> None:
        places = np.array(shapes, np.int64)
        order = np.argsort(places, kind="stable")
        grouped = places[order]
        cuts = [0, *(np.flatnonzero(grouped[1:] != grouped[:-1]) + 1).tolist(), len(grouped)]
        sorted_numbers, sorted_times = numbers[order], times[order]
        for begin, end in pairwise(cuts):
            place = int(grouped[begin])
            shape = self.shapes[place]
            if place in self._watched:
                for row in _sampled(shape.count, end - begin):
                    shape.see(numbers_in_names(shape.atoms, lines[order[begin + row]]))
                if shape.numbers and not any(shape.numbers.values()):
                    self._watched.discard(place)
            if self._keep_lines:
                shape.lines.append(sorted_numbers[begin:end])
            self._buckets += shape.add(sorted_numbers[begin:end], sorted_times[begin:end], self.width)
        self.count += len(shapes)
        while self._buckets > BUCKETS:
            self._coarsen()

    def _coarsen(self) -> None:
        self.width *= 2
        for shape in self.shapes:
            shape.coarsen()
        self._buckets = sum(len(shape.buckets) for shape in self.shapes)

    def _settle(self) -> None:
        """Bring shapes together where a bound was passed."""
        if self._unsettled is not None:
            self._settle_family(self._unsettled)
            self._unsettled = None
        if len(self.shapes) - len(self._free) > self._limit:
            self._give_up_rarest()

    def _settle_family(self, family: Family) -> None:
        places = list(family.shapes.values())
        for group in partition(list(family.shapes), family.delimiters):
            if len(group.members) >= GENERAL:
                self._merge(family, [places[member] for member in group.members])
        family.due = max(FAMILY, 2 * len(family.shapes))

    def _give_up_rarest(self) -> None:
        """Keep three quarters of the shapes that are allowed, at the cost of the families with the fewest lines."""
        rarest = sorted(
            self.families.values(),
            key=lambda family: sum(self.shapes[place].count for place in family.shapes.values()),
        )
        keep = self._limit * 3 // 4
        for family in rarest:
            if len(self.shapes) - len(self._free) <= keep:
                return
            if len(family.shapes) > 1:
                self._merge(family, list(family.shapes.values()))
        for family in rarest:
            if len(self.shapes) - len(self._free) <= keep:
                return
            self._give_up(family)

    def _give_up(self, family: Family) -> None:
        """Count a family's only shape to those that no template is kept for."""
        (place,) = family.shapes.values()
        shape = self.shapes[place]
        del self.families[family.delimiters]
        shape.atoms, shape.delimiters = (WILD,), ()
        self._forget()
        if self._rest is None:
            self._rest = place
            return
        self.shapes[self._rest].absorb(shape)
        self._drop(place)

    def _merge(self, family: Family, members: list[int]) -> None:
        """Make one general shape of several."""
        members.sort(key=lambda place: self.shapes[place].serial)
        kept, *others = members
        shape = self.shapes[kept]
        gone = set(members)
        for other in others:
            shape.absorb(self.shapes[other])
            self._drop(other)
        family.shapes = {atoms: place for atoms, place in family.shapes.items() if place not in gone}
        family.shapes[shape.atoms] = kept
        family.general = {
            places: left
            for places, shapes in family.general.items()
            if (left := {atoms: place for atoms, place in shapes.items() if place not in gone})
        }
        family.generalize(shape.atoms, kept)
        family.groups = None
        self._forget()

    def _drop(self, place: int) -> None:
        gone = self.shapes[place]
        self._buckets -= len(gone.buckets)
        self.shapes[place] = Shape(-1, (), (), "")
        self._free.append(place)
        self._watched.discard(place)


def _sampled(count: int, more: int) -> Iterator[int]:
    """Tell which of some more lines of a shape to look at."""
    yield from range(min(more, max(0, WATCHED - count)))
    first = max(count, WATCHED)
    yield from range(-(-first // SAMPLED) * SAMPLED - count, more, SAMPLED)
