"""Which of a line's variables have a value that is certain wherever they are used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
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


def known_values(root: Node) -> Mapping[str, str]:
    """Return the variables that a line gives one plain value, at its top level and before any use of them."""
    nodes = list(_all(root))
    if any(_mutates(node) for node in nodes):
        return {}
    values = _certain(nodes)
    # A variable may be the name of a command: one that gives variables other values, or isn't known.
    run = {
        text_of(node)[1:] for node in nodes if node.type == "command_name" and text_of(node).startswith("$")
    }
    return {} if any(values.get(name, ".") in MUTATORS for name in run) else values


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


def _mutates(node: Node) -> bool:
    if node.type in {"declaration_command", "unset_command", "function_definition", "compound_statement"}:
        return node.type != "compound_statement" or node.children[0].type == "(("
    if node.type == "command_name":
        words = read(node, {})
        known = words and (words[0].text is not None or node.children[0].type == "simple_expansion")
        return not known or words[0].text in MUTATORS
    return node.type == "arithmetic_expansion" or (
        node.type == "expansion" and any(child.type in {"=", ":="} for child in node.children)
    )


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
