"""duckdb itself: how it is loaded, and how it is started."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    import duckdb


def engine() -> ModuleType:
    """Return duckdb, of versions from 1.4 on its compiled part alone.

    What the package adds to that (relations, polars, its version) is never used here, and takes 85 ms to import, of
    100 in all.
    """
    try:
        return import_module("_duckdb")
    except ImportError:
        return import_module("duckdb")


def connect(folder: Path, memory: int, disk: int) -> duckdb.DuckDBPyConnection:
    """Return a connection to a database in memory, which takes 30 ms and leaves the interpreter's lock to others.

    Args:
        folder: Where what does not fit into memory goes.
        memory: Bytes that it may take.
        disk: Bytes that it may put into the folder.

    Raises:
        duckdb.Error: It can't be had.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory}B",
        "temp_directory": str(folder),
        "max_temp_directory_size": f"{disk}B",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "python_enable_replacements": "false",
        "threads": str(os.cpu_count() or 1),
    }
    connection: duckdb.DuckDBPyConnection = engine().connect(":memory:", config=config)
    return connection
