"""The formats that there are: those known without being told, and those of a user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec

from cockpit.errors import UsageError
from cockpit.formats.declaration import Declaration
from cockpit.formats.declared import DeclaredFormat
from cockpit.formats.format import LineFormat
from cockpit.formats.java_logging import JavaLoggingFormat
from cockpit.formats.journal import JournalFormat
from cockpit.formats.json_lines import JsonFormat, LogfmtFormat
from cockpit.formats.plain import PlainFormat
from cockpit.formats.times import Zone
from cockpit.formats.windows_events import WindowsEventFormat
from cockpit.formats.wrapped import CriFormat, DockerFormat


class _Builtin(msgspec.Struct, frozen=True):
    formats: tuple[Declaration, ...]


@cache
def declarations() -> tuple[Declaration, ...]:
    """Return the built-in declarations."""
    text = Path(__file__).with_name("builtin.toml").read_bytes()
    return msgspec.toml.decode(text, type=_Builtin).formats


FIXED = (
    JournalFormat,
    DockerFormat,
    CriFormat,
    JsonFormat,
    LogfmtFormat,
    WindowsEventFormat,
    JavaLoggingFormat,
)
"""Formats that code reads, and no declaration."""


def each_format(zone: Zone | None = None, own: Sequence[Declaration] = ()) -> Iterator[LineFormat]:
    """Make all formats, one after another as they are asked for: those that say more before those that say less.

    Args:
        zone: The zone of times that tell none; this machine's where not given.
        own: What a user declared; these come before all others.
    """
    zone = zone or Zone()
    for declaration in own:
        yield DeclaredFormat(declaration, zone)
    for fixed in (
        JournalFormat,
        DockerFormat,
        CriFormat,
        JsonFormat,
        LogfmtFormat,
        WindowsEventFormat,
        JavaLoggingFormat,
    ):
        yield fixed(zone)
    for declaration in declarations():
        yield DeclaredFormat(declaration, zone, trusted=True)
    yield PlainFormat()


def known_formats(zone: Zone | None = None, own: Sequence[Declaration] = ()) -> list[LineFormat]:
    """Return all formats, as `each_format` makes them."""
    return list(each_format(zone, own))


def format_named(name: str, *, zone: Zone | None = None, own: Sequence[Declaration] = ()) -> LineFormat:
    """Return the format of this name.

    Raises:
        UsageError: There is none.
    """
    formats = known_formats(zone, own)
    for known in formats:
        if known.name == name:
            return known
    raise UsageError(
        f"no format is called {name!r}", remedy="use one of " + ", ".join(known.name for known in formats)
    )
