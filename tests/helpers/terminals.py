"""Terminals in a running cockpit: real programs in real PTYs, opened past the action log."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cockpit.process import Pty, on_terminal
from cockpit.targets import Target
from cockpit.term.cable import LocalCable
from cockpit.term.emulator import Emulator
from cockpit.term.size import Size
from tests.helpers.screen import Screen
from widgets.terminal import TerminalView
from widgets.terminals import Terminals

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "PS1": "$ ",
}
"""What a program in a test's terminal has in its environment."""
SHELL = ("sh", "-i")


async def started(argv: Sequence[str], size: Size, **environment: str) -> Pty:
    """Start a program on a terminal."""
    return await on_terminal(argv, columns=size.columns, rows=size.rows, env={**ENVIRONMENT, **environment})


class Shells:
    """Opens programs where the app would open recorded shells.

    Attributes:
        opened: (target, size) of what was opened.
    """

    def __init__(self, *argv: str) -> None:
        self._argv = argv or SHELL
        self.opened: list[tuple[Target, Size]] = []

    async def __call__(self, target: Target, size: Size) -> LocalCable:
        self.opened.append((target, size))
        return LocalCable(await started(self._argv, size))


def terminals(on: Screen) -> Terminals:
    """Return the terminals, which are there."""
    assert on.app.terminals is not None
    return on.app.terminals


def view(on: Screen) -> TerminalView:
    """Return the terminal that is looked at."""
    tab = terminals(on).current
    assert tab is not None
    return tab.view


def text(emulator: Emulator | None) -> str:
    """Return what a terminal shows."""
    if emulator is None:
        return ""
    return "\n".join(emulator.row(number).text.rstrip() for number in range(emulator.size.rows))


async def says(on: Screen, wanted: str, seconds: float = 10.0) -> None:
    """Wait until the terminal that is looked at shows a text."""
    await on.until(lambda: wanted in text(view(on).emulator), f"{wanted!r} in the terminal", seconds)
