"""Plays a recording: which pieces of output are due, at which speed, from where. Pure: it reads no clock and no file.

Whoever drives it says how much time has passed and shows the pieces that are due; what they hold, it never asks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate

from msgspec import Struct

from cockpit.errors import UsageError
from cockpit.moments import moment
from cockpit.signals import SECOND

SLOWEST, FASTEST = 1 / 16, 64.0
_SPAN = re.compile(r"([+-]?)((?:[0-9]{1,4}:){0,2}[0-9]{1,6}(?:\.[0-9]{1,3})?)s?")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?Z")


class Due(Struct, frozen=True):
    """Pieces to show now, by their numbers.

    Attributes:
        first: The first of them.
        stop: One past the last.
        afresh: Whether to begin with an empty screen, as this goes back to what was before.
    """

    first: int
    stop: int
    afresh: bool = False

    def __bool__(self) -> bool:
        return self.afresh or self.stop > self.first


class Player:
    """Where a replay stands.

    Attributes:
        length: Seconds that it takes at speed 1, idle time cut short.
        position: Seconds of that which are over.
        speed: How many times as fast as it was.
        paused: Whether it stands still.
        places: When each piece is due, in seconds of the replay.
    """

    def __init__(
        self,
        times: Sequence[int],
        *,
        end: int | None = None,
        speed: float = 1.0,
        idle_limit: float | None = None,
    ) -> None:
        """Prepare a replay that stands at its beginning.

        Args:
            times: When each piece came, in nanoseconds since whenever; one that goes back counts as the one before.
            end: When it was over; None takes the last piece's time.
            speed: How many times as fast as it was.
            idle_limit: Seconds that pass at most between two pieces.
        """
        most = float("inf") if idle_limit is None else idle_limit
        self._times = times
        self.places: list[float] = []
        place, last = 0.0, times[0] if times else 0
        for at in times:
            place += min(most, max(0, at - last) / 1e9)
            last = max(last, at)
            self.places.append(place)
        self.length = place + min(most, max(0, (end or last) - last) / 1e9)
        self.position = 0.0
        self.speed = 1.0
        self.paused = False
        self._shown = 0
        self.set_speed(speed)

    @property
    def ended(self) -> bool:
        """Whether all is shown and over."""
        return self.position >= self.length and self._shown == len(self.places)

    @property
    def next_in(self) -> float | None:
        """Seconds until the next piece is due, or the end comes; None where nothing will happen by itself."""
        if self.paused or self.ended:
            return None
        upcoming = self.places[self._shown] if self._shown < len(self.places) else self.length
        return max(0.0, upcoming - self.position) / self.speed

    @property
    def moment(self) -> int:
        """When in the recording this is, in the nanoseconds of its pieces: what `jump to that moment` needs."""
        if not self._times:
            return 0
        number = max(0, bisect_right(self.places, self.position) - 1)
        return self._times[number] + int((self.position - self.places[number]) * 1e9)

    def place_of(self, moment: int) -> float:
        """Return where in the replay a moment is, in the nanoseconds of its pieces."""
        reached = list(accumulate(self._times, max))
        number = bisect_right(reached, moment) - 1
        if number < 0:
            return 0.0
        most = self.places[number + 1] if number + 1 < len(self.places) else self.length
        return min(most, self.places[number] + (moment - reached[number]) / 1e9)

    def advance(self, seconds: float) -> Due:
        """Let time pass and return what is due."""
        if not self.paused:
            self.position = min(self.length, self.position + max(0.0, seconds) * self.speed)
        return self._show_until(self.position, first=self._shown)

    def seek(self, position: float) -> Due:
        """Go to a position, forwards or back, and return what has to be shown for that."""
        self.position = min(self.length, max(0.0, position))
        back = bisect_right(self.places, self.position) < self._shown
        return self._show_until(self.position, first=0 if back else self._shown, afresh=back)

    def toggle(self) -> None:
        """Pause, or go on."""
        self.paused = not self.paused

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as it was, within bounds."""
        self.speed = min(FASTEST, max(SLOWEST, speed))

    def _show_until(self, position: float, *, first: int, afresh: bool = False) -> Due:
        stop = max(first, bisect_right(self.places, position))
        self._shown = stop
        return Due(first, stop, afresh)


def jump(text: str, player: Player) -> float:
    """Read where in a replay somebody wants to be, and return it in seconds of the replay.

    Taken are seconds or `MM:SS` or `HH:MM:SS` from the beginning, the same with `+` or `-` from here, and a moment: a
    time of that day in UTC with a `Z`, such as `14:05:10Z`, or RFC 3339.

    Raises:
        UsageError: It is none of these.
    """
    text = text.strip()
    if found := _SPAN.fullmatch(text):
        seconds = 0.0
        for part in found[2].split(":"):
            seconds = seconds * 60 + float(part)
        return player.position + (-seconds if found[1] == "-" else seconds) if found[1] else seconds
    try:
        return player.place_of(_moment(text, player.moment))
    except (UsageError, ValueError):
        raise UsageError(
            f"{text!r} is no place in a recording", remedy="write 90, 1:30, +30, -30 or 14:05:10Z"
        ) from None


def _moment(text: str, now: int) -> int:
    """Return the moment that a clock's time of that day is, or RFC 3339, in nanoseconds since the epoch."""
    if found := _CLOCK.fullmatch(text):
        day = datetime.fromtimestamp(now // SECOND, UTC)
        at = day.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0))
        return int(at.timestamp()) * SECOND
    if "T" not in text.upper():
        raise UsageError("that is no moment")
    return moment(text, now)
