"""How many records engines hold: their own counts over a window and a query, whatever of them was fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from cockpit.errors import BadAnswer, CockpitError
from cockpit.source import LogCounts, TimeRange
from cockpit.stores.base import Clock
from cockpit.stores.logs.histogram import BANDS, ERROR_BAND, WARN_BAND
from widgets.asking import Asks

PATIENCE = 30.0
"""Seconds that an engine may take."""
MOST = 10**15
"""What a bucket counts at most: an engine may say anything."""


class Asked(Struct, frozen=True):
    """What engines are to count.

    Attributes:
        names: The sources.
        query: Of which records; in an engine's own language after `raw:`.
        within: In which time.
        buckets: Into how many buckets at most.
    """

    names: tuple[str, ...]
    query: str
    within: TimeRange
    buckets: int


class EngineCounts(Struct, frozen=True):
    """What engines counted.

    Attributes:
        asked: What they were asked for.
        found: The counts of each that answered, a level each.
        at: When they had answered, in nanoseconds.
        errors: Who did not count, and why.
        notes: Why a count is not just of what was asked for, a line a source.
    """

    asked: Asked
    found: Mapping[str, Sequence[LogCounts]]
    at: int
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def from_level(self, floor: int) -> EngineCounts:
        """Return the counts of the levels from one on."""
        if not floor:
            return self
        kept = {name: [one for one in counts if one.level >= floor] for name, counts in self.found.items()}
        return replace(self, found=kept)

    @property
    def window(self) -> TimeRange:
        """The time that the buckets cover, the first to the last of all sources."""
        every = [one for counts in self.found.values() for one in counts]
        within = self.asked.within
        return TimeRange(
            min([one.start for one in every], default=within.start),
            max([one.start + one.step * len(one.counts) for one in every], default=within.end),
        )

    @property
    def length(self) -> int:
        """How many buckets there are, of the source that has most."""
        return max([len(one.counts) for counts in self.found.values() for one in counts], default=1)

    @property
    def totals(self) -> list[int]:
        """How many there are by band: 0 for no level, then trace to fatal."""
        totals = [0] * BANDS
        for counts in self.found.values():
            for one in counts:
                totals[_band(one)] += sum(one.counts)
        return totals

    def columns(self, start: int, end: int, width: int) -> list[list[int]]:
        """Return counts by band for so many columns from one time to another.

        A column that is narrower than a bucket holds what its whole bucket held, as those of `Histogram` do.
        """
        columns = [[0] * BANDS for _ in range(width)]
        span = end - start
        for one in (one for counts in self.found.values() for one in counts) if span > 0 else ():
            for number, count in enumerate(one.counts):
                if not count:
                    continue
                begins = one.start + number * one.step
                left = min(width - 1, max(0, (begins - start) * width // span))
                right = min(width, max(left + 1, (begins + one.step - start) * width // span))
                for column in columns[left:right]:
                    column[_band(one)] += count
        return columns

    def told(self) -> str:
        """Say how many there are, of which level, and who counted them."""
        totals = self.totals
        errors, warnings = sum(totals[ERROR_BAND:]), totals[WARN_BAND]
        told = ((f"◆ {errors:,}", errors), (f"▲ {warnings:,}", warnings))
        marks = " ".join(mark for mark, count in told if count)
        about = "~" if self.notes else ""
        return f"{about}{sum(totals):,}{f' ({marks})' if marks else ''} in {', '.join(self.found)}"


async def ask_counts(asks: Asks, asked: Asked, clock: Clock) -> EngineCounts:
    """Ask engines at once; one that fails or takes too long costs the others nothing, and is told.

    Args:
        asks: How they are asked.
        asked: What they are to count.
        clock: The present, in nanoseconds.
    """
    answers = await asyncio.gather(*(_ask(asks, name, asked) for name in asked.names))
    found: dict[str, list[LogCounts]] = {}
    errors: list[str] = []
    notes: list[str] = []
    for name, answer in zip(asked.names, answers, strict=True):
        if isinstance(answer, CockpitError):
            errors.append(str(answer))
            continue
        found[name] = answer
        notes += dict.fromkeys(f"{name}: {one.note}" for one in answer if one.note)
    return EngineCounts(asked, found, clock(), tuple(errors), tuple(notes))


async def _ask(asks: Asks, name: str, asked: Asked) -> list[LogCounts] | CockpitError:
    try:
        answer = await asks.ask(
            name, "count_logs", asked.query, asked.within, asked.buckets, timeout=PATIENCE
        )
    except CockpitError as error:
        return error
    counts = [one for one in answer if isinstance(one, LogCounts)]
    if any(one.step <= 0 or len(one.counts) > asked.buckets for one in counts):
        return BadAnswer("its counts are not in the buckets that were asked for", where=name)
    return [
        one if not one.counts or 0 <= min(one.counts) <= max(one.counts) <= MOST else _bounded(one)
        for one in counts
    ]


def _bounded(one: LogCounts) -> LogCounts:
    return replace(one, counts=tuple(min(max(0, count), MOST) for count in one.counts))


def _band(one: LogCounts) -> int:
    return (one.level + 3 >> 2) & 7
