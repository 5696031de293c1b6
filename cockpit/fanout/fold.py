"""Says much in few lines: hosts that ended alike as one, and their names as ranges."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from cockpit.fanout.host import HostRun, HostState

_NUMBERED = (
    re.compile(r"(\d+\.\d+\.\d+\.)(\d{1,3})()"),
    re.compile(r"([^.]*?)(\d{1,9})([^.\d]*(?:\..*)?)"),
)
"""An address, or the last number of a name's first label: what names of a kind mostly differ in."""


class Alike(Struct, frozen=True):
    """Hosts whose commands ended alike and printed the same, in the order of the fan-out."""

    hosts: tuple[HostRun, ...]

    @property
    def one(self) -> HostRun:
        """Any of them: it speaks for all."""
        return self.hosts[0]

    @property
    def names(self) -> str:
        """Their names, numbers as ranges."""
        return folded(host.name for host in self.hosts)

    @property
    def heading(self) -> str:
        """How many they are, and who."""
        return f"{len(self.hosts)} host{'s' if len(self.hosts) > 1 else ''}: {self.names}"


def alike(hosts: Iterable[HostRun]) -> Sequence[Alike]:
    """Return those that are over in groups of which all ended alike; the largest first, then as they came."""
    groups: dict[tuple[object, ...], list[HostRun]] = {}
    for host in hosts:
        if host.over:
            groups.setdefault(host.likeness, []).append(host)
    return sorted((Alike(tuple(group)) for group in groups.values()), key=lambda each: -len(each.hosts))


def counts(hosts: Iterable[HostRun]) -> str:
    """Say how many hosts are how far, such as `3 done · 1 failed · 10 running · 86 waiting`."""
    found = Counter(host.state for host in hosts)
    return " · ".join(f"{found[state]} {state}" for state in _ORDER if found[state])


_ORDER = (
    HostState.DONE,
    HostState.FAILED,
    HostState.UNKNOWN_OUTCOME,
    HostState.DENIED,
    HostState.CANCELLED,
    HostState.NOT_STARTED,
    HostState.RUNNING,
    HostState.WAITING,
)


def folded(names: Iterable[str]) -> str:
    """Return names in one line, those that differ in one number as ranges: `db,web-[01-03,07]`."""
    groups: dict[tuple[str, str, int], list[int]] = {}
    order: list[str | tuple[str, str, int]] = []
    for name in dict.fromkeys(names):
        found = next(filter(None, (pattern.fullmatch(name) for pattern in _NUMBERED)), None)
        if found is None:
            order.append(name)
            continue
        head, digits, tail = found.groups()
        key = (head, tail, len(digits))  # of one width, so that each name is said exactly
        if key not in groups:
            order.append(key)
        groups.setdefault(key, []).append(int(digits))
    return ",".join(each if isinstance(each, str) else _ranges(*each, groups[each]) for each in order)


def _ranges(head: str, tail: str, width: int, numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = (
        f"{first:0{width}}" if first == last else f"{first:0{width}}-{last:0{width}}" for first, last in runs
    )
    text = ",".join(shown)
    return f"{head}{text}{tail}" if len(numbers) == 1 else f"{head}[{text}]{tail}"
