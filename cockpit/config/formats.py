"""Formats of logs as an operator declares them: in cockpit.toml, or in a file by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from cockpit.config.document import Document
from cockpit.config.reading import Reader
from cockpit.errors import UsageError
from cockpit.formats.declaration import Declaration
from cockpit.formats.declared import DeclaredFormat


class _File(Struct, frozen=True):
    formats: tuple[Declaration, ...] = ()


def read_formats(file: Path) -> tuple[Declaration, ...]:
    """Read a file of formats: `[[formats]]` tables, or the keys of one format.

    Raises:
        ConfigErrors: All its mistakes, each with its line and key.
        ConfigError: It can't be read as TOML at all.
    """
    document = Document.read(file)
    raw = document.parse()
    reader = Reader(document)
    if "formats" in raw:
        formats = reader.read(raw, _File, (), fallback=_File()).formats
        check_formats(reader, formats)
    else:
        read = reader.read(raw, Declaration, (), fallback=None)
        formats = (read,) if read else ()
        for declaration in formats:
            _check(reader, declaration, ())
    reader.finish()
    return formats


def check_formats(reader: Reader, formats: Sequence[Declaration]) -> None:
    """Note what in `[[formats]]` makes no sense: expressions, times, zones, levels, and names given twice."""
    seen: set[str] = set()
    for index, declaration in enumerate(formats):
        path = ("formats", index)
        if declaration.name in seen:
            reader.mistake(
                (*path, "name"), f'"{declaration.name}" names another format', "give each its own name"
            )
        seen.add(declaration.name)
        _check(reader, declaration, path)


def _check(reader: Reader, declaration: Declaration, path: tuple[str | int, ...]) -> None:
    try:
        DeclaredFormat(declaration)
    except UsageError as error:
        reader.mistake((*path, error.where or "pattern"), error.message, error.remedy)
