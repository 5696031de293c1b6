"""Finds what a shell may run in a line although the grammar takes it for text.

The grammar is not the shell's own reader, and two shells read some forms differently. So the beginnings of
substitutions are looked for once more, in the line itself, and the end of each heredoc as a shell looks for it.

Source: POSIX.1-2017, Shell Command Language, 2.2 (quoting), 2.6 (expansions) and 2.7.4 (here-documents).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.guard.redirections import body_begin, is_quoted
from cockpit.guard.tree import descendants
from cockpit.guard.words import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_BEGINNING = re.compile(rb"\$(?:\\\n)*[(\[]|`|[<>](?:\\\n)*\(")
_ENDS_WORD = frozenset(bytes([each]) for each in b" \t\n;&|()<>`")
_QUOTED = re.compile(rb"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_ONE_LINE = frozenset(
    {
        "command", "declaration_command", "unset_command", "test_command", "redirected_statement", "file_redirect",
        "herestring_redirect", "concatenation", "variable_assignment",
    }
)  # fmt: skip
"""Nodes between whose parts no line ends."""
_SUBSTITUTES = frozenset({"command_substitution", "process_substitution", "arithmetic_expansion"})
_NUMBERS = frozenset({"arithmetic_expansion", "c_style_for_statement", "test_command", "compound_statement"})
"""Where a `<` before a parenthesis compares."""


def overlooked(root: Node, source: bytes) -> list[tuple[str, str]]:
    """Return the parts of a line that may be run, or read on as text, though the tree has it otherwise, and why."""
    places = (
        match.start() for match in _BEGINNING.finditer(source) if not _is_escaped(source, match.start())
    )
    found = [
        (source[at : at + 40].decode(errors="surrogateescape"), "may be run where it seems to be text")
        for at in places
        if not _accounted(root, source, at)
    ]
    return found + [(text_of(node), why) for node in descendants(root) if (why := _misread(source, node))]


def _misread(source: bytes, node: Node) -> str:
    """Return what is wrong with a node, as a shell sees it; empty where nothing is."""
    match node.type:
        case "heredoc_redirect" if not _ends_there(source, node):
            return "is a here-document that ends elsewhere to a shell"
        case "comment" if _goes_on(source, node.start_byte):
            return "is no comment to a shell"
        case "word" | "heredoc_start" if _parts_words(node.text or b"") and not _is_inside(node):
            return "holds what ends a word"
        case "command_substitution" | "arithmetic_expansion" | "expansion" if _is_number(
            source, node.start_byte
        ):
            return "begins with $$, which is a number to a shell"
        case "expansion" if _closes_early(node):
            return "ends elsewhere to a shell"
        case kind if kind in _ONE_LINE and not (kind == "test_command" and node.children[0].type == "[["):
            gaps = itertools.pairwise(node.children)
            if any(_breaks(source, one, other) for one, other in gaps):
                return "goes on over the end of a line"
    return ""


def _is_number(source: bytes, at: int) -> bool:
    """Return whether the dollar here is the second one of `$$`."""
    begin = at
    while begin and source[begin - 1 : begin] == b"$":
        begin -= 1
    return source[at : at + 1] == b"$" and (at - begin - _is_escaped(source, begin)) % 2 == 1


def _goes_on(source: bytes, at: int) -> bool:
    """Return whether a word goes on here; the continuation of a line is nothing."""
    while source[max(at - 2, 0) : at] == b"\\\n" and _is_escaped(source, at - 1):
        at -= 2
    return at > 0 and (_is_escaped(source, at - 1) or source[at - 1 : at] not in _ENDS_WORD)


def _is_inside(node: Node) -> bool:
    """Return whether a word belongs to an expansion or to the text of a heredoc."""
    if any(each.type in {"expansion", "heredoc_body"} for each in _above(node)):
        return True
    above = node.parent
    begin = body_begin(above) if above is not None and above.type == "heredoc_redirect" else None
    return begin is not None and node.start_byte >= begin - 1


def _parts_words(text: bytes) -> bool:
    """Return whether characters that end a word stand in it without quotes."""
    return bool(re.search(rb"[\s;&|<>()]", _QUOTED.sub(b"", text)))


def _closes_early(node: Node) -> bool:
    """Return whether a brace stands in an expansion that closes it before the tree does."""
    own = {"string", "expansion", "ansi_c_string", *_SUBSTITUTES}
    if not any(each.type in {"string", "heredoc_body"} for each in _above(node)):
        own.add("raw_string")
    waiting = list(node.children[1:-1])
    while waiting:
        each = waiting.pop()
        if each.type not in own:
            if not each.children and re.search(rb"(?<!\\)\}", each.text or b""):
                return True
            waiting += each.children
    return False


def _breaks(source: bytes, one: Node, other: Node) -> bool:
    """Return whether a line ends between two parts of a command."""
    if one.type == "heredoc_redirect":
        return False
    return b"\n" in source[one.end_byte : other.start_byte].replace(b"\\\n", b"")


def _is_escaped(source: bytes, at: int) -> bool:
    begin = at
    while begin and source[begin - 1 : begin] == b"\\":
        begin -= 1
    return (at - begin) % 2 == 1


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
    name = start.text or b""
    if not begin or "heredoc_redirect" in parts or re.search(rb"""['"\\]""", _QUOTED.sub(b"", name)):
        return False
    delimiter = re.sub(rb"""['"\\]""", b"", name)
    tabs = rb"\t*" if "<<-" in parts else b""
    first = re.compile(rb"^" + tabs + re.escape(delimiter) + rb"$", re.MULTILINE).search(source, begin)
    return first is not None and first.end() == end.end_byte
