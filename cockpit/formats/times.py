"""Times as logs tell them, in nanoseconds since the epoch, UTC: which moments a date, a clock and a zone mean.

Without a zone a time is of the zone that the log is said to be of, else of this machine. Where clocks are put
back and an hour happens twice, the first is meant; a time in the hour that clocks leap over is counted on from
before the leap. The quarter of an hour decides which offset holds, since no clock has been put forward or back
within one for decades; so a quarter is looked up once, whatever number of records it has.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

from cockpit.errors import UsageError

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
LATEST = 1 << 62
"""About the year 2116: what claims to be later is no time."""
YEARS = range(1969, 2118)
"""Years that are looked at more closely; those at the ends may turn out to lie outside after all."""

MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
QUARTER = 900
"""Seconds."""
EPOCH_DAY = date(1970, 1, 1).toordinal()
_REMEMBERED = 256


class Zone:
    """The zone of times that tell none.

    Args:
        name: As the IANA time zone database has it; empty for this machine's.

    Raises:
        UsageError: There is no such zone.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._zone: tzinfo | None = None
        self._offsets: dict[tuple[int, int], int] = {}
        if name:
            from zoneinfo import ZoneInfo

            try:
                self._zone = ZoneInfo(name)
            except (ValueError, OSError, LookupError) as error:
                raise UsageError(
                    f"no time zone is called {name!r}", remedy="use a name such as Europe/Berlin or UTC"
                ) from error

    def offset(self, days: int, quarter: int) -> int:
        """Return how far clocks are ahead of UTC, in seconds.

        Args:
            days: Since 1 January 1970, on these clocks.
            quarter: Quarter of an hour since midnight, on these clocks.
        """
        key = (days, quarter)
        offset = self._offsets.get(key)
        if offset is None:
            moment = datetime.fromordinal(EPOCH_DAY + days) + timedelta(seconds=quarter * QUARTER)
            try:
                stamp = moment.replace(tzinfo=self._zone).timestamp()
            except (OverflowError, OSError, ValueError):
                return 0
            offset = days * 86_400 + quarter * QUARTER - int(stamp)
            if len(self._offsets) >= _REMEMBERED:
                self._offsets.clear()
            self._offsets[key] = offset
        return offset

    def forget(self) -> None:
        """Look offsets up anew, as after this machine's zone was changed."""
        self._offsets.clear()

    def year(self, month: int, day: int, quarter: int, observed: int) -> int:
        """Return the last year in which this quarter of an hour had come by then; 0 for a date that no year has.

        A day ahead is allowed for clocks and zones that differ.
        """
        seen = datetime.fromtimestamp(observed / SECOND, UTC).year if 0 <= observed < LATEST else 1970
        latest = observed // SECOND + 86_400 + QUARTER
        for year in range(seen + 1, seen - 9, -1):
            days = days_of(year, month, day)
            if days is None:
                continue
            at = days * 86_400 + quarter * QUARTER - self.offset(days, quarter)
            if at <= latest:
                return year
        return 0


def days_of(year: int, month: int, day: int) -> int | None:
    """Return the days since 1 January 1970; None for a date that is none, or of no year that logs are of."""
    if year not in YEARS:
        return None
    try:
        return date(year, month, day).toordinal() - EPOCH_DAY
    except ValueError:
        return None


def bounded(at: int) -> int:
    """Return a time that signals can carry, else -1."""
    return at if 0 <= at < LATEST else -1


def nanoseconds(fraction: str) -> int:
    """Return a fraction's digits as nanoseconds: `123` is 123 ms; what is finer is dropped."""
    size = len(fraction)
    return int(fraction) * _POWERS[size] if size <= 9 else int(fraction[:9])


_POWERS: tuple[int, ...] = (10**9, 10**8, 10**7, 10**6, 10**5, 10**4, 1000, 100, 10, 1)

UNITS = ((10**11, SECOND), (10**14, 1_000_000), (10**17, 1_000))
"""Below which number since the epoch it counts seconds, milliseconds, microseconds; else nanoseconds."""


def epoch(number: float | str) -> int:
    """Return the time of a number since the epoch in s, ms, µs or ns, told apart by its size; -1 for none."""
    try:
        if isinstance(number, str):
            whole, _, fraction = number.partition(".")
            number = int(whole)
            if fraction and 0 <= number < UNITS[0][0]:
                return bounded(number * SECOND + nanoseconds(fraction))
        for bound, factor in UNITS:
            if number < bound:
                return bounded(int(number * factor))
        return bounded(int(number))
    except (ValueError, OverflowError):
        return -1
