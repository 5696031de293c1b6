"""A terminal among others: where it is, what it shows, and what the line above says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.targets import Target
from widgets.terminal import TerminalView
from widgets.terminals_line import Tab

if TYPE_CHECKING:
    from cockpit.shells.session import ShellSession

SIGNALLED = "ended by"


class TerminalTab:
    """A terminal and where it is.

    Attributes:
        target: Where.
        view: What is on the screen.
        mark: What happened in it while it was not looked at.
    """

    def __init__(self, target: Target, view: TerminalView) -> None:
        self.target = target
        self.view = view
        self.mark = ""
        self.listening = False
        """Whether the session tells of its changes already."""

    @property
    def session(self) -> ShellSession | None:
        """What the record and the guard say, where there is one."""
        from cockpit.shells.session import ShellSession

        return self.view.cable if isinstance(self.view.cable, ShellSession) else None

    def shown(self, current: bool) -> Tab:
        """Return what the line says of it among the others."""
        mark = self.mark or ("" if self.view.running else "■")
        return Tab(self.target.name, self.target.environment, current, mark)

    def state(self, *, leading: bool) -> list[tuple[str, str]]:
        """Say how careful to be, what is recorded, and what state it is in.

        Args:
            leading: Whether the next key is not the program's.
        """
        said: list[tuple[str, str]] = []
        view, session = self.view, self.session
        if leading:
            said.append(("warning", "leader: ? for keys"))
        if view.view is not None and view.view.scrolled:
            said.append(
                (
                    "warning",
                    f"{view.emulator.scrollback.end - view.view.top:,} rows up" if view.emulator else "",
                )
            )
        if view.view is not None and view.view.found:
            said.append(("", f"{view.view.here + 1} of {len(view.view.found)}"))
        if view.outcome is not None:
            said.append(("warning", ended(view)))
        elif session is not None:
            said.append(("", "● rec") if session.recorded else ("warning", "not recorded"))
            said.append(("", "itemised") if session.itemised else ("warning", "commands not itemised"))
        elif view.cable is not None:
            said.append(("warning", "not recorded"))
        said.append((str(self.target.environment), f"{self.target.environment.upper()} {self.target.name}"))
        return said


def ended(view: TerminalView) -> str:
    """Say how a terminal's program ended."""
    outcome = view.outcome
    if outcome is None:
        return ""
    if outcome.unknown:
        return f"ended, {outcome.unknown} · Enter closes"
    how = f"{SIGNALLED} {outcome.signal}" if outcome.signal else f"ended with {outcome.exit_status}"
    return f"{how} · Enter closes"
