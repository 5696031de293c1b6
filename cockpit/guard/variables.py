"""Which of a line's variables have a value that is certain wherever they are used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cockpit.guard.words import read, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

MUTATORS = frozenset(
    {
        "eval", ".", "source", "read", "printf", "mapfile", "readarray", "getopts", "let", "declare", "typeset",
        "local", "export", "readonly", "unset", "set", "shift", "trap", "alias", "builtin", "command", "exec",
        "coproc", "wait",
    }
)  # fmt: skip
"""Commands that may give a variable another value; with any of them in a line, no value is certain."""
MOST_TURNS = 12
"""Turns of a loop that are judged one by one."""


def known_values(root: Node) -> Mapping[str, str]:
    """Return the variables that a line gives one plain value, at its top level and before any use of them."""
    nodes = list(_all(root))
    values = _certain(nodes)
    return values if _stays(nodes, {name: [value] for name, value in values.items()}) else {}


def known_loops(root: Node) -> Mapping[int, tuple[str, list[str]]]:
    """Return the loops over plain words: by the id of the loop's node its variable, and the values it takes."""
    nodes = list(_all(root))
    assigned = Counter(_name(node) for node in nodes if node.type == "variable_assignment")
    loops = [node for node in nodes if node.type == "for_statement" and node.children[0].type == "for"]
    names = Counter(text_of(node.children[1]) for node in loops)
    found: dict[int, tuple[str, list[str]]] = {}
    for node in loops:
        name = text_of(node.children[1])
        words = [word for child in node.children[3:-1] if child.is_named for word in read(child, {})]
        plain = [
            word.text for word in words if word.text is not None and not word.glob and "~" not in word.text
        ]
        if (
            names[name] == 1
            and not assigned[name]
            and len(plain) == len(words)
            and 0 < len(plain) <= MOST_TURNS
        ):
            found[node.id] = (name, plain)
    return found if _stays(nodes, dict(found.values())) else {}


def _stays(nodes: Sequence[Node], values: Mapping[str, Sequence[str]]) -> bool:
    """Return whether nothing in a line gives variables other values: no command that may, none that isn't known."""
    for node in nodes:
        if node.type == "command" and _sets(node, values):
            return False
        if node.type in {
            "declaration_command",
            "unset_command",
            "function_definition",
            "arithmetic_expansion",
        }:
            return False
        if node.type == "compound_statement" and node.children[0].type == "((":
            return False
        if node.type == "expansion" and any(child.type in {"=", ":="} for child in node.children):
            return False
    return True


def _sets(command: Node, values: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a command may give variables values."""
    name = next((child for child in command.children if child.type == "command_name"), None)
    if name is None:
        return False
    words = read(name, {})
    if len(words) == 1 and words[0].text is not None:
        return words[0].text in MUTATORS and not (words[0].text == "printf" and _prints(command))
    plain = re.fullmatch(r"\$(\w+)|\$\{(\w+)(:?-[^}]*)?\}", text_of(name))
    wanted = (plain[1] or plain[2]) if plain else ""
    return any(value in MUTATORS for value in values.get(wanted, ["."]))


def _prints(command: Node) -> bool:
    """Return whether a `printf` prints: it has no option that makes it set a variable instead."""
    after = [child for child in command.children if child.type not in {"command_name", "variable_assignment"}]
    first = read(after[0], {}) if after else []
    return bool(first) and first[0].text is not None and not first[0].text.startswith("-")


def _certain(nodes: list[Node]) -> dict[str, str]:
    assignments = [node for node in nodes if node.type == "variable_assignment"]
    counts = Counter(_name(node) for node in assignments)
    taken = {
        text_of(node.children[1]) for node in nodes if node.type == "for_statement" and len(node.children) > 1
    }
    values: dict[str, str] = {}
    for node in assignments:
        name = _name(node)
        if (
            counts[name] != 1
            or name in taken
            or not _is_certain(node)
            or _used_before(nodes, name, node.end_byte)
        ):
            continue
        words = read(node.children[-1], {}) if node.children[-1].type != "=" else []
        value = "" if not words else words[0].text
        if len(words) <= 1 and value is not None and "~" not in value:
            values[name] = value
    return values


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _all(child)


def _name(node: Node) -> str:
    return text_of(node.children[0])


def _is_certain(node: Node) -> bool:
    """Return whether an assignment is sure to be made, by the shell that runs the rest."""
    plain = [child.type for child in node.children][1:2] == ["="] and node.children[0].type == "variable_name"
    above = node.parent
    if above is not None and above.type == "variable_assignments":
        above = above.parent
    return plain and above is not None and above.type == "program" and _ends_plainly(node)


def _ends_plainly(node: Node) -> bool:
    """Return whether nothing but `;` or a new line follows: `x=1 &` is another shell's."""
    following = node.next_sibling
    return following is None or following.type in {";", "\n"} or following.is_named


def _used_before(nodes: list[Node], name: str, end: int) -> bool:
    return any(
        node.type == "variable_name" and text_of(node) == name and node.start_byte < end
        for node in nodes
        if node.parent is None or node.parent.type != "variable_assignment"
    )
