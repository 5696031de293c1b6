"""Reads an Ansible inventory in INI form.

Source: Ansible's documentation, "How to build your inventory" and the `ini` inventory plugin.
"""

from __future__ import annotations

import ast
import re
import shlex

from cockpit.errors import InventoryError
from cockpit.inventory.ranges import hosts_of
from cockpit.inventory.tree import UNGROUPED, Tree
from cockpit.inventory.variables import PORT, Variables, kept

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_KINDS = ("hosts", "children", "vars")
LONGEST_LITERAL = 1024
"""Characters of a value that may be a Python literal; of the few values that are wanted none is longer."""


def read_ini(text: str, tree: Tree) -> None:
    """Add an inventory to a tree.

    Raises:
        InventoryError: It makes no sense; with the line.
    """
    reader = _Ini(tree)
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if line and line[0] not in "#;":
            try:
                reader.take(line, number)
            except (ValueError, InventoryError) as error:
                raise InventoryError(f"line {number}: {error}") from None
    reader.finish()


class _Ini:
    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._group = UNGROUPED
        self._kind = "hosts"
        self._awaited: dict[str, int] = {}
        """Groups that were used and not declared yet, and where."""
        self._declared = set(tree.groups)

    def take(self, line: str, number: int) -> None:
        section = _SECTION.fullmatch(line)
        if section:
            self._group, self._kind = section[1], section[2] or "hosts"
            if self._kind not in _KINDS:
                raise ValueError(f"a section is of hosts, :children or :vars, not :{self._kind}")
            if self._kind != "vars":
                self._declared.add(self._group)
                self._tree.group(self._group)
            else:
                self._awaited.setdefault(self._group, number)
        elif line.startswith("[") and line.endswith("]") and ":" not in line:
            raise ValueError("a section's name holds no spaces")
        elif line.startswith("[") and "]" not in line:
            raise ValueError("a section's name ends with a bracket")
        elif self._kind == "hosts":
            self._hosts(line)
        elif self._kind == "vars":
            name, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"expected name=value, found {line[:60]!r}")
            self._tree.group(self._group).variables |= kept({name.strip(): _value(value.strip())})
        else:
            child = line.partition("#")[0].strip()
            self._awaited.setdefault(child, number)
            self._tree.child(self._group, child)

    def finish(self) -> None:
        for group, number in self._awaited.items():
            if group not in self._declared:
                raise InventoryError(f"line {number}: no section declares the group {group[:60]!r}")

    def _hosts(self, line: str) -> None:
        words = shlex.split(line, comments=True)
        if not words:
            return
        raw: dict[object, object] = {}
        for word in words[1:]:
            name, equals, value = word.partition("=")
            if not equals:
                raise ValueError(f"expected name=value after the host, found {word[:60]!r}")
            raw[name] = _value(value)
        names, port = hosts_of(words[0])
        variables: Variables = ({PORT[-1]: str(port)} if port else {}) | kept(raw)
        for name in names:
            self._tree.host(name, self._group, variables)


def _value(text: str) -> object:
    """Return a value as Ansible takes it: as a Python literal where it is one, else as it stands."""
    if len(text) > LONGEST_LITERAL:
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
