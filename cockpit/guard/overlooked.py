"""Finds what a shell may run in a line although the grammar takes it for text.

The grammar is not the shell's own reader, and two shells read some forms differently. So the beginnings of
substitutions are looked for once more, in the line itself, and the end of each heredoc as a shell looks for it.

Source: POSIX.1-2017, Shell Command Language, 2.2 (quoting), 2.6 (expansions) and 2.7.4 (here-documents).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.guard.redirections import is_quoted
from cockpit.guard.tree import descendants
from cockpit.guard.words import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_BEGINNING = re.compile(rb"\$(?:\\\n)*[(\[]|`|[<>](?:\\\n)*\(")
_SUBSTITUTES = frozenset({"command_substitution", "process_substitution", "arithmetic_expansion"})
_NUMBERS = frozenset({"arithmetic_expansion", "c_style_for_statement", "test_command", "compound_statement"})
"""Where a `<` before a parenthesis compares."""


def overlooked(root: Node) -> list[tuple[str, str]]:
    """Return the parts of a line that may be run, or read on as text, though the tree has it otherwise, and why."""
    source = root.text or b""
    places = (
        match.start() for match in _BEGINNING.finditer(source) if not _is_escaped(source, match.start())
    )
    found = [
        (source[at : at + 40].decode(errors="surrogateescape"), "may be run where it seems to be text")
        for at in places
        if not _accounted(root, source, at)
    ]
    return found + [
        (text_of(node), "is a here-document that ends elsewhere to a shell")
        for node in descendants(root)
        if node.type == "heredoc_redirect" and not _ends_there(source, node)
    ]


def _is_escaped(source: bytes, at: int) -> bool:
    before = source[:at]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _accounted(root: Node, source: bytes, at: int) -> bool:
    """Return whether the tree has a substitution here, or quotes in which no shell looks for one."""
    node = root.descendant_for_byte_range(at, at + 1)
    if node is None:
        return False
    if not node.is_named and node.parent is not None and node.parent.type in _SUBSTITUTES:
        return True
    above = list(_above(node))
    kinds = [each.type for each in above]
    if "comment" in kinds:
        return True
    body = next((each for each in above if each.type == "heredoc_body"), None)
    if body is not None and (
        source[at : at + 1] == b"`" or (body.parent is not None and is_quoted(body.parent))
    ):
        return True  # backticks in a heredoc are judged with it
    quoted = "string" in kinds or body is not None
    if source[at : at + 1] in b"<>":
        return quoted or "raw_string" in kinds or any(each in _NUMBERS for each in kinds)
    return not quoted and bool({"raw_string", "ansi_c_string"} & set(kinds))


def _above(node: Node) -> Iterator[Node]:
    """Yield a node and those around it, up to the substitution that it stands in."""
    above: Node | None = node
    while above is not None and above.type not in _SUBSTITUTES - {"arithmetic_expansion"}:
        yield above
        above = above.parent


def _ends_there(source: bytes, node: Node) -> bool:
    """Return whether a heredoc ends where a shell ends it: at the first line that is nothing but the delimiter."""
    parts = {child.type: child for child in node.children}
    start, end = parts.get("heredoc_start"), parts.get("heredoc_end")
    if start is None or end is None or end.start_byte == end.end_byte:
        return False
    begin = source.find(b"\n", start.end_byte) + 1
    if not begin or "heredoc_redirect" in parts:
        return False
    delimiter = re.sub(rb"""['"\\]""", b"", start.text or b"")
    tabs = rb"\t*" if "<<-" in parts else b""
    first = re.compile(rb"^" + tabs + re.escape(delimiter) + rb"$", re.MULTILINE).search(source, begin)
    return first is not None and first.end() == end.end_byte
