"""Looks into the tree that a shell line is parsed to."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cockpit.guard.words import text_of

if TYPE_CHECKING:
    from tree_sitter import Language, Node

WORDS = frozenset(
    {
        "word", "number", "string", "raw_string", "ansi_c_string", "translated_string", "concatenation",
        "simple_expansion", "expansion", "command_substitution", "process_substitution", "arithmetic_expansion",
        "brace_expression", "extglob_pattern", "regex", "variable_name", "test_operator",
    }
)  # fmt: skip
"""Nodes that are words of a command, or make them."""
REDIRECTIONS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})


@functools.cache
def _language() -> Language:
    import tree_sitter_bash
    from tree_sitter import Language

    return Language(tree_sitter_bash.language())


def parse(line: str) -> Node:
    """Parse a line; what does not parse is marked in the tree."""
    from tree_sitter import Parser

    return Parser(_language()).parse(line.encode(errors="surrogateescape")).root_node


MOST_NODES = 10_000
"""Nodes of a line that are looked at."""
NESTED = 200
"""Nodes within nodes that are followed."""


def is_too_large(root: Node) -> bool:
    """Return whether a tree has more nodes, or more within each other, than are followed."""
    cursor, depth = root.walk(), 0
    for _ in range(MOST_NODES):
        if cursor.goto_first_child():
            depth += 1
        else:
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return False
                depth -= 1
        if depth > NESTED:
            return True
    return True


def grouped(node: Node, parts: Sequence[Node]) -> list[list[Node]]:
    """Put nodes together that make one word: those with nothing, or the continuation of a line, between them."""
    source, start = node.text or b"", node.start_byte
    groups: list[list[Node]] = []
    for part in parts:
        between = source[groups[-1][-1].end_byte - start : part.start_byte - start] if groups else b" "
        if between.replace(b"\\\n", b""):
            groups.append([part])
        else:
            groups[-1].append(part)
    return groups


def substitutions(node: Node) -> Iterator[Node]:
    """Yield what is evaluated within a node, the outermost of each."""
    if node.type in {"command_substitution", "process_substitution"}:
        yield node
        return
    if node.type in {"expansion", "ansi_c_string", "raw_string"}:
        yield node
    for child in node.children:
        yield from substitutions(child)


def evaluates(node: Node) -> bool:
    """Return whether an expansion runs what a variable holds: `${x@P}`."""
    kinds = [child.type for child in node.children]
    return "@" in kinds and "P" in kinds


def descendants(node: Node) -> Iterator[Node]:
    """Yield all that is in a node."""
    for child in node.children:
        yield child
        yield from descendants(child)


def definitions(root: Node) -> dict[str, set[str]]:
    """Return the functions that a line defines, and the names that each calls."""
    calls: dict[str, set[str]] = {}
    for node in descendants(root):
        if node.type == "function_definition":
            called = {text_of(each) for each in descendants(node) if each.type == "command_name"}
            for child in node.children:
                if child.type == "word":
                    calls.setdefault(text_of(child), set()).update(called)
    return calls


def circular(calls: Mapping[str, set[str]]) -> frozenset[str]:
    """Return the functions that end up at themselves."""
    reached = {name: set(called) for name, called in calls.items()}
    for _ in calls:
        for called in reached.values():
            called.update(*(reached[each] for each in list(called) if each in reached))
    return frozenset(name for name, called in reached.items() if name in called)


def first_error(root: Node) -> str:
    """Return the text that does not parse."""
    wrong = next((node for node in descendants(root) if node.is_error or node.is_missing), root)
    return text_of(wrong) or text_of(root)
