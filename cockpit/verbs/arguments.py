"""Numbers as the command line takes them; what is wrong is said in words, not by a function's name."""

from __future__ import annotations

import argparse
from collections.abc import Callable

DAY = 86_400.0


def seconds(most: float = DAY, *, zero: bool = False) -> Callable[[str], float]:
    """Return a reader of a number of seconds, more than 0, or 0 where that is allowed, and at most `most`."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number <= most or (number == 0 and not zero):
            least = "0 or more" if zero else "more than 0"
            raise argparse.ArgumentTypeError(
                f"{text!r} is no number of seconds, {least} and at most {most:g}"
            )
        return number

    return read


def moment(text: str) -> int:
    """Read a moment, such as `2h`, `14:05` or RFC 3339, as nanoseconds since the epoch."""
    import time

    from cockpit.errors import UsageError
    from cockpit.moments import moment as read

    try:
        return read(text, time.time_ns())
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.message} ({error.remedy})") from None


def count(least: int) -> Callable[[str], int]:
    """Return a reader of a whole number of at least `least`."""

    def read(text: str) -> int:
        if not (text.isdecimal() and len(text) < 10 and int(text) >= least):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number, {least} or more")
        return int(text)

    return read


def size_or_none(text: str) -> int:
    """Read a number of bytes, or `none` as 0."""
    return 0 if text == "none" else size(text)


def size(text: str) -> int:
    """Read a number of bytes, such as `500M` or `4G`, in powers of 1024."""
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    powers = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
    if not (number.isdecimal() and len(number) < 16 and unit in powers and int(number) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no size, such as 500M or 4G")
    return int(number) << (10 * powers[unit])
