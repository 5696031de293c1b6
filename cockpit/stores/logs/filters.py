"""Filters by name: some keep records in, some out, each can be switched off, and each knows how many it hits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from cockpit.errors import UsageError
from cockpit.stores.logs.terms import Query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 64
"""Filters in one list."""
LONGEST_NAME = 64

Bits = TypeVar("Bits", "NDArray[np.bool_]", "NDArray[np.uint8]")
"""A bool a record, or a bit a record as `numpy.packbits` makes them."""


class Filter(Struct, frozen=True):
    """One filter.

    Attributes:
        name: What it is called; no other of the list is.
        text: Its query, as typed.
        keeps: It keeps records in; else it keeps them out.
        on: It counts.
        hits: Records that pass its query, as far as they were searched; None before that.
    """

    name: str
    text: str
    keeps: bool = True
    on: bool = True
    hits: int | None = None

    @property
    def query(self) -> Query:
        """What it asks."""
        from cockpit.stores.logs.query import parse_query

        return parse_query(self.text)


class Filters(Struct, frozen=True):
    """Filters in the order they were made. Every change gives a new list; msgpack and JSON hold it as it is.

    Attributes:
        filters: Their names differ.
    """

    filters: tuple[Filter, ...] = ()

    def __len__(self) -> int:
        return len(self.filters)

    def __iter__(self) -> Iterator[Filter]:
        return iter(self.filters)

    def __getitem__(self, name: str) -> Filter:
        for each in self.filters:
            if each.name == name:
                return each
        raise UsageError(
            f"no filter {name!r}", remedy=", ".join(each.name for each in self.filters) or "add one"
        )

    def with_filter(self, added: Filter) -> Filters:
        """Return the list with a filter, in the place of the one of its name or at the end.

        Raises:
            UsageError: It has no name or a long one, its query is wrong, or there are too many.
        """
        if not added.name.strip() or len(added.name) > LONGEST_NAME:
            raise UsageError(
                f"a filter's name has 1 to {LONGEST_NAME} characters", where=added.name[:LONGEST_NAME]
            )
        if added.query.admits_all:
            raise UsageError("the filter asks nothing", where=added.name, remedy="give it a term")
        names = [each.name for each in self.filters]
        if added.name in names:
            place = names.index(added.name)
            return Filters((*self.filters[:place], added, *self.filters[place + 1 :]))
        if len(self.filters) >= MOST:
            raise UsageError(f"there are {MOST} filters already", remedy="remove one")
        return Filters((*self.filters, added))

    def without(self, name: str) -> Filters:
        """Return the list without a filter."""
        gone = self[name]
        return Filters(tuple(each for each in self.filters if each is not gone))

    def switched(self, name: str, *, on: bool | None = None) -> Filters:
        """Return the list with a filter on or off, or the other way round."""
        old = self[name]
        return self._replaced(old, replace(old, on=not old.on if on is None else on))

    def counted(self, hits: Sequence[int]) -> Filters:
        """Return the list with the number of hits of each."""
        pairs = zip(self.filters, hits, strict=True)
        return Filters(tuple(replace(each, hits=number) for each, number in pairs))

    def combined(self, bits: Sequence[Bits], everything: Bits) -> Bits:
        """Return what the filters leave: what one keeps in, if any does so, less what one keeps out.

        Args:
            bits: Of each filter, in their order, which records pass its query.
            everything: All records: ones, and zeros where packed bits are beyond the last record.

        Returns:
            A new array of the same shape.
        """
        pairs = [(each, found) for each, found in zip(self.filters, bits, strict=True) if each.on]
        kept = [found for each, found in pairs if each.keeps]
        left = everything ^ everything if kept else everything.copy()
        for found in kept:
            left |= found
        for each, found in pairs:
            if not each.keeps:
                left &= ~found
        left &= everything
        return left

    def _replaced(self, old: Filter, new: Filter) -> Filters:
        return Filters(tuple(new if each is old else each for each in self.filters))


def read_filters(packed: bytes) -> Filters:
    """Read filters that were written as JSON.

    Raises:
        UsageError: They are none, or one has a query that can't be understood.
    """
    try:
        found = msgspec.json.decode(packed, type=Filters)
    except msgspec.MsgspecError as error:
        raise UsageError(f"these are no filters: {error}") from None
    filters = Filters()
    for each in found:
        filters = filters.with_filter(each)
    return filters
