"""Groups of groups of hosts, and which of their variables hold for a host, as Ansible's documentation orders them.

What is nearer to the host counts more: `all`, then its groups from parents to children, those of one depth by
`ansible_group_priority` and name, then the host itself. At each step files in `group_vars` and `host_vars` count more
than the inventory's own lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from cockpit.errors import InventoryError
from cockpit.inventory.limits import MOST_GROUPS, MOST_HOSTS, MOST_LINKS
from cockpit.inventory.reading import some
from cockpit.inventory.variables import (
    BY_SSH,
    CONNECTION,
    HOST,
    PORT,
    PRIORITY,
    USER,
    Variables,
    first,
    is_template,
)
from cockpit.naming import address_fault, name_fault, user_fault
from cockpit.targets import ALL, Host

UNGROUPED = "ungrouped"
"""Ansible's group of those that are in no other; it tells nothing, so no host is said to be in it."""
HIGHEST_PORT = 65_535


class Group:
    """One group: what is directly in it."""

    __slots__ = ("children", "hosts", "variables")

    def __init__(self) -> None:
        self.hosts: dict[str, None] = {}
        self.children: dict[str, None] = {}
        self.variables: Variables = {}


class Tree:
    """An inventory while it is read.

    Attributes:
        groups: Every group, `all` among them.
        hosts: Every host, with the variables that the inventory itself gives it.
    """

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {ALL: Group(), UNGROUPED: Group()}
        self.hosts: dict[str, Variables] = {}
        self._links = 0

    def group(self, name: str) -> Group:
        """Return a group, made where there is none yet.

        Raises:
            InventoryError: There are far too many.
        """
        group = self.groups.get(name)
        if group is None:
            if len(self.groups) >= MOST_GROUPS:
                raise InventoryError(f"has more than {MOST_GROUPS:,} groups")
            group = self.groups[name] = Group()
        return group

    def host(self, name: str, group: str, variables: Variables) -> None:
        """Put a host into a group; what is given of it last counts.

        Raises:
            InventoryError: There are far too many.
        """
        if name not in self.hosts and len(self.hosts) >= MOST_HOSTS:
            raise InventoryError(f"has more than {MOST_HOSTS:,} hosts")
        self._count()
        self.hosts.setdefault(name, {}).update(variables)
        self.group(group).hosts[name] = None

    def child(self, parent: str, name: str) -> None:
        """Put a group into another.

        Raises:
            InventoryError: There are far too many.
        """
        self._count()
        if name in (ALL, parent):
            raise InventoryError(f"puts the group {name!r} into {parent!r}, and so into itself")
        self.group(name)
        self.group(parent).children[name] = None

    def _count(self) -> None:
        self._links += 1
        if self._links > MOST_LINKS:
            raise InventoryError(f"has more than {MOST_LINKS:,} members of groups")


class Resolved:
    """Makes hosts of a tree and the files of variables beside it.

    Args:
        tree: The inventory.
        group_vars: What files say of groups.
        host_vars: What files say of hosts.
    """

    def __init__(
        self,
        tree: Tree,
        group_vars: Mapping[str, Variables] | None = None,
        host_vars: Mapping[str, Variables] | None = None,
    ) -> None:
        self._tree = tree
        self._group_vars = group_vars or {}
        self._host_vars = host_vars or {}
        self._shared: dict[frozenset[str], tuple[tuple[str, ...], Variables]] = {}
        self._work = 0

    def hosts(self) -> tuple[list[Host], tuple[str, ...]]:
        """Return the hosts that SSH reaches, and what is to be said of the rest.

        Raises:
            InventoryError: A group is within itself.
        """
        self._depths  # noqa: B018  finds a circle even where no host is in it
        within: dict[str, list[str]] = {name: [] for name in self._tree.hosts}
        for name, group in self._tree.groups.items():
            for host in group.hosts:
                within[host].append(name)
        found, odd = [], _Odd()
        for name in sorted(self._tree.hosts):
            if name_fault(name):
                odd.names.append(name)
                continue
            groups, variables = self._of_groups(frozenset(within[name]))
            variables = variables | self._tree.hosts[name] | self._host_vars.get(name, {})
            if variables.get(CONNECTION, "") not in BY_SSH:
                odd.unreached.append(name)
                continue
            shown = tuple(group for group in groups if group not in self._unnamable)
            found.append(_host(name, shown, variables, odd))
        odd.groups += sorted(self._unnamable - {ALL, UNGROUPED})
        return found, odd.remarks()

    @cached_property
    def _unnamable(self) -> frozenset[str]:
        return frozenset(name for name in self._tree.groups if name in (ALL, UNGROUPED) or name_fault(name))

    @cached_property
    def _parents(self) -> dict[str, list[str]]:
        parents: dict[str, list[str]] = {name: [] for name in self._tree.groups}
        for name, group in self._tree.groups.items():
            for child in group.children:
                parents[child].append(name)
        return parents

    @cached_property
    def _depths(self) -> dict[str, int]:
        """How far each group is from `all`, by the longest way; found from the top down, so that a circle shows."""
        waiting = {name: len(parents) for name, parents in self._parents.items()}
        depths = {name: 0 if name == ALL else 1 for name in waiting}
        ready = [name for name, count in waiting.items() if not count]
        while ready:
            name = ready.pop()
            del waiting[name]
            for child in self._tree.groups[name].children:
                depths[child] = max(depths[child], depths[name] + 1)
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        if waiting:
            raise InventoryError(f"has groups within themselves: {' -> '.join(self._circle(waiting))}")
        return depths

    def _circle(self, left: Mapping[str, int]) -> list[str]:
        """Return a circle among the groups that are left, from a group back to itself."""
        way = [min(left)]
        while True:
            before = next(parent for parent in self._parents[way[-1]] if parent in left)
            if before in way:
                return [before, *reversed(way[way.index(before) :])][:8]
            way.append(before)

    def _of_groups(self, direct: frozenset[str]) -> tuple[tuple[str, ...], Variables]:
        """Return all groups that hosts in these are in, and the variables that come of them."""
        if direct not in self._shared:
            every, ready = {ALL}, list(direct)
            while ready:
                self._work += 1
                if self._work > MOST_LINKS:
                    raise InventoryError(
                        f"needs more than {MOST_LINKS:,} steps from hosts up to their groups"
                    )
                name = ready.pop()
                if name not in every:
                    every.add(name)
                    ready += self._parents[name]
            self._shared[direct] = self._in_order(every)
        return self._shared[direct]

    def _in_order(self, every: set[str]) -> tuple[tuple[str, ...], Variables]:
        depths, groups = self._depths, self._tree.groups
        order = sorted(every, key=lambda name: (depths[name], _priority(groups[name]), name))
        variables: Variables = {}
        for name in order:
            variables |= groups[name].variables
        for name in order:
            variables |= self._group_vars.get(name, {})
        return tuple(sorted(every)), variables


class _Odd:
    """What is to be said of hosts and groups that can't be taken as they are."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.groups: list[str] = []
        self.unreached: list[str] = []
        self.templates: list[str] = []
        self.values: list[str] = []

    def remarks(self) -> tuple[str, ...]:
        """Return a line for each kind."""
        return (
            *some(self.names, "left out: no name of a host may be so"),
            *some(self.groups, "not shown: no name of a group may be so"),
            *some(self.unreached, "left out: ansible_connection says that SSH does not reach them"),
            *some(
                self.templates,
                "has a template for its address, user or port, which only Ansible can work out",
            ),
            *some(self.values, "has an address, user or port that can't be one; left to ssh_config"),
        )


def _host(name: str, groups: tuple[str, ...], variables: Variables, odd: _Odd) -> Host:
    host, user, port = first(variables, HOST), first(variables, USER), first(variables, PORT)
    given = [host, user, port]
    if any(map(is_template, given)):
        odd.templates.append(name)
        host, user, port = ("" if is_template(value) else value for value in given)
    number = int(port) if port.isascii() and port.isdecimal() and len(port) <= len(str(HIGHEST_PORT)) else 0
    good = (
        host if not address_fault(host) else "",
        user if not user_fault(user) else "",
        number if number <= HIGHEST_PORT else 0,
    )
    if good != (host, user, number) or (port and not good[2]):
        odd.values.append(name)
    return Host(name=name, host=good[0] if good[0] != name else "", user=good[1], port=good[2], groups=groups)


def _priority(group: Group) -> int:
    text = group.variables.get(PRIORITY, "1")
    return int(text) if text.lstrip("-").isdecimal() and text.isascii() and len(text) < LONG_NUMBER else 1


LONG_NUMBER = 12
"""Characters from which a priority is none."""
