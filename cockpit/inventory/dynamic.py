"""Reads what a command prints: hosts one a line, or the JSON of Ansible's dynamic inventories.

Source: Ansible's documentation, "Developing dynamic inventory": an object of groups, each a list of hosts or an
object of `hosts`, `children` and `vars`; `_meta.hostvars` has the variables of hosts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from cockpit.errors import InventoryError
from cockpit.inventory.tree import UNGROUPED, Tree
from cockpit.inventory.variables import kept

META = "_meta"


def read_output(text: str, tree: Tree) -> None:
    """Add what a command printed to a tree: JSON where it begins with a brace, else hosts.

    Raises:
        InventoryError: It is neither.
    """
    if text.lstrip()[:1] == "{":
        _read_json(text, tree)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.partition("#")[0].split()
        if len(words) > 1:
            raise InventoryError(f"line {number}: expected one host, found {line.strip()[:60]!r}")
        if words:
            tree.host(words[0], UNGROUPED, {})


def _read_json(text: str, tree: Tree) -> None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InventoryError(f"is no JSON: {error}") from None
    meta = content.pop(META, None) or {}
    for name, data in content.items():
        _group(name, data, tree)
    hostvars = meta.get("hostvars") if isinstance(meta, Mapping) else None
    for name, variables in (hostvars if isinstance(hostvars, Mapping) else {}).items():
        if name in tree.hosts and isinstance(variables, Mapping):
            tree.hosts[name] |= kept(variables)


def _group(name: str, data: object, tree: Tree) -> None:
    if isinstance(data, list):
        data = {"hosts": data}
    if not isinstance(data, Mapping):
        raise InventoryError(f"group {name[:60]!r}: expected a list of hosts, or an object")
    if not {"hosts", "children", "vars"} & data.keys():
        data = {"hosts": [name], "vars": data} if data else {}
    variables = data.get("vars")
    tree.group(name).variables |= kept(variables if isinstance(variables, Mapping) else {})
    for host in _names(name, "hosts", data.get("hosts")):
        tree.host(host, name, {})
    for child in _names(name, "children", data.get("children")):
        tree.child(name, child)


def _names(group: str, what: str, given: object) -> Iterable[str]:
    if given is None:
        return ()
    if not isinstance(given, list | Mapping) or not all(isinstance(each, str) for each in given):
        raise InventoryError(f"group {group[:60]!r}: expected a list of names under {what}")
    return given
