"""What a test is to a shell that reads it as commands.

`[ a || b ]` is two commands to every shell. Where the form `[[ ]]` isn't known, `[[` is a program that is missing,
and what stands behind `||` another program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cockpit.guard.tree import descendants
from cockpit.guard.words import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_SETS = frozenset({"read", "mapfile", "readarray", "printf", "getopts"})
_OPERATORS = frozenset({"||", "&&", "|", "&", ";"})


def is_cut(test: Node) -> bool:
    """Return whether an operator ends a test before its closing bracket."""
    return any(
        each.type in _OPERATORS or (each.type == "regex" and re.search(r"[|&;<>]", text_of(each)))
        for each in descendants(test)
    )


def as_command(test: Node) -> str:
    """Return a test as a line in which a command that does nothing stands in the bracket's place."""
    return ":" + re.sub(r"=[~=]", "= ", text_of(test).lstrip("["))


def programs_in(test: Node, values: Mapping[str, str]) -> Iterator[Node]:
    """Yield the words within a test that would name a program, where what they name is made by the line itself."""
    operators = [each for each in descendants(test) if each.type in _OPERATORS]
    reached = any(each.type != "&&" for each in operators) or _is_negated(test)
    own = _set_in(test)
    for operator in operators if reached else ():
        first = operator.next_sibling
        while first is not None and first.children and first.type not in {"command_substitution", "string"}:
            first = first.children[0]
        if first is None:
            continue
        inside = [first, *descendants(first)]
        names = {text_of(each) for each in inside if each.type in {"variable_name", "special_variable_name"}}
        names |= {text_of(first.next_sibling)} if first.type in {"$", "${"} and first.next_sibling else set()
        if any(each.type == "command_substitution" for each in inside) or names & own:
            yield operator.next_sibling or first


def _is_negated(test: Node) -> bool:
    return test.parent is not None and test.parent.type == "negated_command"


def _set_in(node: Node) -> set[str]:
    """Return the variables that the whole line gives values."""
    root = node
    while root.parent is not None:
        root = root.parent
    found: set[str] = {"1", "@", "*", "_"}
    for each in descendants(root):
        if each.type in {"variable_assignment", "for_statement"}:
            found.add(
                text_of(each.children[0 if each.type == "variable_assignment" else 1]).partition("[")[0]
            )
        elif each.type == "command" and text_of(each.children[0]) in _SETS:
            found |= {text_of(child) for child in each.children[1:]}
    return found
