"""Joins what several inventories say into one list of hosts; the first that says a thing decides it."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.inventory.reading import Reading
from cockpit.inventory.settings import InventoryTable
from cockpit.targets import Environment, Host


def merged(answers: Iterable[tuple[InventoryTable, Reading | None]]) -> tuple[list[Host], bool]:
    """Return every host once, and whether all inventories have answered.

    While an inventory that tells environments has not answered, those after it tell none: a host that it would call
    production is not taken for less because another is quicker.

    Args:
        answers: The inventories in the order of cockpit.toml, each with its last answer; None without any.
    """
    found: dict[str, Host] = {}
    complete = trusted = True
    for table, reading in answers:
        if reading is None:
            complete = False
            trusted = trusted and table.environment is None and not table.environments
            continue
        for host in reading.hosts:
            said = _said(table, host, trusted=trusted)
            before = found.get(host.name)
            found[host.name] = said if before is None else _joined(before, said)
    return list(found.values()), complete


def _said(table: InventoryTable, host: Host, *, trusted: bool) -> Host:
    """Return a host with what its inventory's table adds to it."""
    groups = (*host.groups, *(group for group in table.groups if group not in host.groups))
    return Host(
        name=host.name,
        host=host.host,
        user=host.user,
        port=host.port,
        via=table.via,
        groups=groups,
        environment=_environment(table, groups) if trusted else None,
        known_from=(table.called,),
    )


def _environment(table: InventoryTable, groups: tuple[str, ...]) -> Environment | None:
    if table.environments:
        told = [table.environments[group] for group in groups if group in table.environments]
        if told:
            return max(told, key=lambda each: each.rank)
    return table.environment


def _joined(first: Host, second: Host) -> Host:
    return Host(
        name=first.name,
        host=first.host or second.host,
        user=first.user or second.user,
        port=first.port or second.port,
        via=first.via or second.via,
        groups=tuple(dict.fromkeys((*first.groups, *second.groups))),
        environment=first.environment or second.environment,
        known_from=(*first.known_from, *second.known_from),
    )
