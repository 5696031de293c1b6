"""Opens the screen as the command line asks for it: settings, the way in, the way out, and the app over them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cockpit.app import CockpitApp
from cockpit.config import data_dir, load
from cockpit.errors import UsageError
from cockpit.operations import Operations
from cockpit.targets import Environment
from cockpit.wiring import Cockpit

if TYPE_CHECKING:
    from pathlib import Path

    from cockpit.formats.declaration import Declaration
    from cockpit.stores.logs.files.reading import LogFiles


def run_screen(args: argparse.Namespace, *, host: str = "", files: Sequence[str] = ()) -> int:
    """Open the screen and return the exit status.

    Args:
        args: The command line.
        host: A host to open a terminal on at once.
        files: Log files to show by themselves, or links to records of some.

    Raises:
        CockpitError: The configuration or a log file can't be read.
    """
    settings = load(args.config)
    environment = _environment(getattr(args, "env", None))
    data = data_dir(args.data_dir)
    paths, goto = paths_of(files)
    zone = getattr(args, "zone", "") or settings.logs.zone
    opened = _opened(paths, data, settings.formats, zone)
    cockpit = Cockpit(settings, environment=environment, data=data, files=opened)
    cockpit.goto = goto
    incident = getattr(args, "incident", None) or ""
    read_only = getattr(args, "read_only", False)
    operations = Operations(
        data,
        cockpit.supervisor.ask,
        settings,
        incident=incident,
        read_only=read_only,
        targets=cockpit.targets,
    )
    cockpit.connections = operations.connections
    mode = " ".join(filter(None, ["read-only" if read_only else "", incident]))
    app = CockpitApp(cockpit, operations, mode=mode, host=host)
    left = app.run(mouse=settings.screen.mouse)
    return app.return_code or left or 0


def paths_of(files: Sequence[str]) -> tuple[list[str], str]:
    """Return the files to open, those of links among them, and the link to go to.

    Raises:
        UsageError: A link is none, or nothing is there that it may speak of.
    """
    paths, goto = [], ""
    for file in files:
        if not file.startswith("file:") or "#" not in file:
            paths.append(file)
            continue
        from cockpit.stores.logs.files.links import files_of, read_link

        goto = file
        paths += files_of(read_link(file))
    return list(dict.fromkeys(paths)), goto


def _opened(files: Sequence[str], data: Path, formats: Sequence[Declaration], zone: str) -> LogFiles | None:
    if not files:
        return None
    from cockpit.stores.logs.files.reading import LogFiles

    return LogFiles(files, folder=data / "spools", formats=formats, zone=zone)


def _environment(name: str | None) -> Environment | None:
    if not name:
        return None
    try:
        return Environment(name)
    except ValueError:
        raise UsageError(f"{name!r} is no environment", remedy=f"one of {', '.join(Environment)}") from None
