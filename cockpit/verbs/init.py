"""`cockpit init`: write a commented cockpit.toml from what this machine has."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "init",
        help="write a commented cockpit.toml",
        description="Write a commented cockpit.toml from what this machine has, where --config or COCKPIT_CONFIG "
        "says, else in your configuration directory. Nothing is sent anywhere but to this machine itself.",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--stdout", action="store_true", help="print it instead")


def main(args: argparse.Namespace) -> int:
    """Write the file and say what to do next.

    Raises:
        UsageError: There is such a file, or it can't be written.
    """
    import asyncio

    from cockpit.config import template
    from cockpit.discovery import Discovered, discover
    from cockpit.locate import wanted_file

    file = wanted_file(args.config)
    if not args.stdout:
        _refuse_to_overwrite(file, force=args.force)
    found: Discovered = asyncio.run(discover())
    text = template.render(found)
    if args.stdout:
        print(text, end="")
        return 0
    _write(file, text, force=args.force)
    for service in found.services:
        print(f"found {service.what} at {service.url}", file=sys.stderr)
    print(
        f"wrote {file}\n\nNext: read it, then try it with `cockpit doctor`, then start `cockpit`.",
        file=sys.stderr,
    )
    return 0


def _refuse_to_overwrite(file: Path, *, force: bool) -> None:
    from cockpit.errors import UsageError

    if file.exists() and not force:
        raise UsageError(
            "there is such a file already",
            where=str(file),
            remedy="--force replaces it, --stdout prints instead",
        )


def _write(file: Path, text: str, *, force: bool) -> None:
    """Write a file that only its user may read; without force, only one that isn't there."""
    import os

    from cockpit.errors import UsageError

    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, flags, 0o600), "w", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror}", where=str(file)) from None
