"""duckdb's errors as ours: the one seam to them."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator, Mapping

from cockpit.errors import CockpitError, Refused, UsageError
from cockpit.stores.logs.sql.engine import engine

_PLACE = re.compile(r"\n\nLINE (\d+): (.*)\n( *)\^+", re.DOTALL)
_KIND = re.compile(r"^[A-Z][A-Za-z ]* Error: ")

NO_ROOM = os.strerror(errno.ENOSPC)


class Unfit(Exception):
    """A file holds what its table was not made for: it is read again more carefully."""


class TooLong(Unfit):
    """A file has a longer line than its table was made for: it is read again with more memory."""


@contextlib.contextmanager
def mapped(sql: str = "", names: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn what duckdb raises into errors of ours.

    Args:
        sql: The statement, for the place of a mistake.
        names: What the files that it knows are called, by their paths.

    Raises:
        UsageError: The statement is wrong.
        Refused: It reaches for what it may not.
        CockpitError: It can't be done: memory, disk, time.
        Unfit: A file is not what its beginning said.
    """
    duckdb = engine()
    try:
        yield
    except duckdb.InterruptException:
        raise CockpitError("the statement was stopped") from None
    except duckdb.OutOfMemoryException as error:
        raise CockpitError(
            f"the statement needs more memory than it may have: {_told(error, names)}",
            remedy="give it more with --memory, or narrow it",
        ) from None
    except duckdb.PermissionException as error:
        raise Refused(
            _told(error, names), remedy="a statement reads the logs that are named, nothing else"
        ) from None
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        text = str(error)
        if '"maximum_object_size" of' in text:
            raise TooLong(_told(error, names)) from None
        if (
            "JSON transform error" in text
            or "Malformed JSON" in text
            or ("json" in text and "in line" in text)
        ):
            raise Unfit(_told(error, names)) from None
        raise UsageError(_told(error, names), where=_place(text)) from None
    except (
        duckdb.IOException,
        duckdb.FatalException,
        duckdb.InternalException,
        duckdb.HTTPException,
    ) as error:
        if NO_ROOM in str(error):
            raise _no_room(NO_ROOM) from None
        raise CockpitError(_told(error, names)) from None
    except duckdb.Error as error:
        raise UsageError(_told(error, names), where=_place(str(error))) from None
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from None
        raise


@contextlib.contextmanager
def putting() -> Iterator[None]:
    """Turn what the system says when temporary files are written into an error of ours.

    Raises:
        CockpitError: They can't be written.
    """
    try:
        yield
    except OSError as error:
        raise _no_room(error.strerror or str(error)) from None


def _no_room(why: str) -> CockpitError:
    return CockpitError(
        f"the statement's temporary files can't be written: {why}",
        where=tempfile.gettempdir(),
        remedy="free some space, set TMPDIR to a place that has some, or give it more with --memory",
    )


def _told(error: Exception, names: Mapping[str, str] | None) -> str:
    text = _PLACE.sub("", str(error))
    for path, name in (names or {}).items():
        text = text.replace(path, name)
    text = re.sub(r"\nTry increasing.*", "", text, flags=re.DOTALL)
    return "; ".join(line.strip() for line in _KIND.sub("", text).splitlines() if line.strip())[:2000]


def _place(text: str) -> str:
    """Return where in the statement a mistake is: its line, and the text from there on."""
    found = _PLACE.search(text)
    if found is None:
        return ""
    shown = f"LINE {found[1]}: {found[2]}"
    return f"line {found[1]}, at {shown[len(found[3]) :][:30].strip()!r}"
