"""The options of one source: raw TOML against the type that its plugin states."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from cockpit.config.document import Document, KeyPath
from cockpit.config.reading import Reader
from cockpit.config.settings import SourceEntry
from cockpit.source import Options

O = TypeVar("O", bound=Options)  # noqa: E741  the options type of a source

LONGEST = 86_400
"""Seconds that an `interval` or a `timeout` may have: a day."""


def read_options(entry: SourceEntry, options_type: type[O]) -> tuple[O, tuple[str, ...]]:
    """Return a source's options, and the warnings about them.

    Raises:
        ConfigErrors: All mistakes in them.
    """
    document = entry.document or Document(Path(f"source {entry.name}"), "")
    path: KeyPath = ("sources", entry.index) if entry.index >= 0 else ()
    reader = Reader(document)
    options = reader.read(dict(entry.options), options_type, path, fallback=None)
    if options is not None:
        _bound(reader, options, path)
    reader.finish()
    assert options is not None, "a fallback comes with a mistake"
    return options, tuple(reader.warnings)


def _bound(reader: Reader, options: Options, path: KeyPath) -> None:
    """Hold every source to times that a clock can keep, whatever its own types allow."""
    for key, value in (("interval", options.interval), ("timeout", options.timeout)):
        if not 0 < value <= LONGEST:
            reader.mistake((*path, key), f"expected seconds, above 0 and up to {LONGEST:,}, found {value:g}")
