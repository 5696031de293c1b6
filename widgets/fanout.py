"""The hosts of a fan-out while it runs: a line each, or one for all that ended alike."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import Struct

from cockpit.fanout.fanout import FanOut
from cockpit.fanout.fold import alike, counts, folded
from cockpit.fanout.host import HostRun, HostState
from widgets.rows import Piece, RowList, columns, widest
from widgets.text import safe

STEP_S = 0.1
"""Seconds between two looks at the hosts."""
LONGEST_NAME = 40
"""Cells of the column of names at most."""

_MARK = {
    HostState.WAITING: ("·", "muted"),
    HostState.RUNNING: ("▶", "accent"),
    HostState.DONE: ("●", "ok"),
    HostState.FAILED: ("✖", "down"),
    HostState.CANCELLED: ("✖", "down"),
    HostState.DENIED: ("✖", "down"),
    HostState.UNKNOWN_OUTCOME: ("?", "down"),
    HostState.NOT_STARTED: ("◌", "muted"),
}
"""A shape for each state, so that colour never carries it alone, and its style."""


class HostRow(Struct, frozen=True):
    """What a line shows: one host, or several alike.

    Attributes:
        names: Their names, and how many they are where they are several.
    """

    hosts: tuple[HostRun, ...]
    names: str

    @property
    def one(self) -> HostRun:
        """Any of them: it speaks for all."""
        return self.hosts[0]


class HostTable(RowList[HostRow]):
    """The hosts, and how the command stands on each."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            self._pieces, key=lambda row: row.one.name, header=self._head, empty="no hosts yet", id=id
        )
        self.folds = False
        """Whether hosts that ended alike are one line."""
        self._fan: FanOut | None = None
        self._version = -1
        self._looked = 0.0
        self._names = LONGEST_NAME
        self._called: dict[tuple[HostRun, ...], str] = {}
        """What hosts together are called, of those that were shown last: a thousand names take their time."""

    def follow(self, fan: FanOut) -> None:
        """Show the hosts of a fan-out from now on."""
        self._fan, self._version = fan, -1
        self.folds = False
        self.show_items(())

    def tick(self) -> bool:
        """Show what has changed, ten times a second at most; return whether a host's state has."""
        now = time.monotonic()
        if self._fan is None or now - self._looked < STEP_S:
            return False
        self._looked = now
        if self._version == self._fan.version:
            self.renew()  # the seconds of those that run
            return False
        self._version = self._fan.version
        self._lay()
        return True

    def fold(self) -> None:
        """Fold hosts that ended alike, or show each by itself again."""
        self.folds = not self.folds
        self._lay()

    def summary(self) -> str:
        """Say how many hosts are how far."""
        return counts(self._fan.hosts) if self._fan is not None else ""

    def _lay(self) -> None:
        hosts = self._fan.hosts if self._fan is not None else ()
        if self.folds:
            rows: Sequence[HostRow] = self._folded(hosts)
        elif len(self.items) == len(hosts) and all(len(row.hosts) == 1 for row in self.items):
            rows = self.items
        else:
            rows = [HostRow((host,), safe(host.name)) for host in hosts]
        self._names = widest((row.names for row in rows), 8, LONGEST_NAME)
        self.show_items(rows)

    def _folded(self, hosts: Sequence[HostRun]) -> list[HostRow]:
        """Return those that ended alike as one each, the rest by how far they are."""
        groups = [each.hosts for each in alike(hosts)]
        for state in (HostState.RUNNING, HostState.WAITING):
            if left := tuple(host for host in hosts if host.state is state):
                groups.append(left)
        self._called = {group: self._called.get(group) or _called(group) for group in groups}
        return [HostRow(group, name) for group, name in self._called.items()]

    def _head(self, width: int) -> Sequence[Piece]:
        return columns(
            width,
            (" ", "", 1),
            ("host", "header", self._names),
            ("state", "header", 26),
            ("seconds", "header", -8),
            ("first line", "header", 0),
        )

    def _pieces(self, row: HostRow, width: int) -> Sequence[Piece]:
        host = row.one
        mark, style = _MARK[host.state]
        return columns(
            width,
            (mark, style, 1),
            (row.names, "", self._names),
            (host.how(), style, 26),
            (_seconds(host), "muted", -8),
            (safe(host.first_line), "", 0),
        )


def _called(hosts: tuple[HostRun, ...]) -> str:
    names = safe(folded(host.name for host in hosts))
    return names if len(hosts) == 1 else f"{len(hosts):,} hosts: {names}"


def _seconds(host: HostRun) -> str:
    seconds = host.seconds
    if seconds is None:
        return ""
    return f"{seconds:.2f}" if host.over else f"{seconds:.0f}"
