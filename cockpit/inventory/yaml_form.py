"""Reads an Ansible inventory, or a file of variables, in YAML; JSON is YAML too.

Source: Ansible's documentation, the `yaml` inventory plugin. Tags such as `!vault` are read as nothing: what is
encrypted stays so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cockpit.errors import InventoryError
from cockpit.inventory.limits import DEEPEST, MOST_LINKS
from cockpit.inventory.ranges import hosts_of
from cockpit.inventory.tree import Tree
from cockpit.inventory.variables import PORT, Variables, kept

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SECTIONS = ("hosts", "children", "vars")
INDENTS = 100
"""Opening brackets in one another, or steps of indentation, from which a text is not even looked at."""


class _Loader(_Base):  # type: ignore[misc]
    """Reads plain values alone."""


def _nothing(_loader: object, _suffix: str, _node: object) -> None:
    return None


_Loader.add_multi_constructor("", _nothing)


def parsed(text: str) -> object:
    """Return what a YAML text holds.

    Raises:
        InventoryError: It is no YAML, or nested far too deeply.
    """
    if _is_deep(text):
        raise InventoryError("is nested too deeply")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  a safe loader of ours
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise InventoryError(f"{line}is no YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise InventoryError(
            f"is no YAML: {str(error).splitlines()[0] if str(error) else 'unreadable'}"
        ) from None


def _is_deep(text: str) -> bool:
    """Whether a text may be nested so deeply that reading it would take the program's stack."""
    flow = max(_depths(text), default=0)
    block = max((len(line) - len(line.lstrip(" -?:")) for line in text.splitlines()), default=0)
    return flow > INDENTS or block > 4 * INDENTS


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for letter in (each for each in text if each in "[]{}"):
        depth += 1 if letter in "[{" else -1
        yield depth


def read_yaml(content: object, tree: Tree) -> None:
    """Add an inventory to a tree.

    Args:
        content: What `parsed` returned.
        tree: What it is added to.

    Raises:
        InventoryError: It is no inventory.
    """
    if content is None:
        return
    if not isinstance(content, Mapping):
        raise InventoryError("expected groups, each a table of hosts, children and vars")
    if "plugin" in content and isinstance(content["plugin"], str):
        raise InventoryError(
            f"is made by the plugin {content['plugin']!r}, which only Ansible can run",
            remedy='use kind = "command" and command = ["ansible-inventory", "-i", "PATH", "--list"]',
        )
    steps = 0
    waiting: list[tuple[str, object, int]] = [(str(name), data, 0) for name, data in content.items()]
    while waiting:
        steps += 1
        name, data, depth = waiting.pop()
        if depth > DEEPEST or steps > MOST_LINKS:
            raise InventoryError("has groups nested too deeply, or within themselves")
        sections = _sections(name, data)
        tree.group(name).variables |= kept(sections["vars"])
        for word, given in sections["hosts"].items():
            _add_hosts(name, str(word), given, tree)
        for child, inner in sections["children"].items():
            tree.child(name, str(child))
            waiting.append((str(child), inner, depth + 1))


def _add_hosts(group: str, word: str, given: object, tree: Tree) -> None:
    try:
        names, port = hosts_of(word)
    except ValueError as error:
        raise InventoryError(f"group {group!r}: {error}") from None
    if given is not None and not isinstance(given, Mapping):
        raise InventoryError(f"host {word[:60]!r}: expected a table of variables")
    variables: Variables = ({PORT[-1]: str(port)} if port else {}) | kept(given or {})
    for name in names:
        tree.host(name, group, variables)


def _sections(group: str, data: object) -> dict[str, Mapping[object, object]]:
    """Return a group's three parts; one name in place of a table is a table of that name."""
    if data is not None and not isinstance(data, Mapping):
        raise InventoryError(f"group {group[:60]!r}: expected a table of hosts, children and vars")
    found: dict[str, Mapping[object, object]] = {}
    for section in SECTIONS:
        value = (data or {}).get(section)
        if isinstance(value, str):
            value = {value: None}
        if value is not None and not isinstance(value, Mapping):
            raise InventoryError(f"group {group[:60]!r}: expected a table under {section}")
        found[section] = value or {}
    return found
