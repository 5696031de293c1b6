"""Where a command's output goes and its input comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, NOTHING, Input
from cockpit.guard.findings import Finding, about
from cockpit.guard.places import DESCRIPTOR, NOWHERE, is_device
from cockpit.guard.tree import REDIRECTIONS, WORDS, grouped
from cockpit.guard.words import Word, read_joined, text_of

if TYPE_CHECKING:
    from tree_sitter import Node


def written(node: Node, values: Mapping[str, str], *, silent: bool = False) -> list[Finding]:
    """Judge the file that a redirection opens.

    Args:
        node: The redirection.
        values: The variables whose values are known.
        silent: Whether nothing is printed that could do anything where a connection is opened.
    """
    operators = {child.type for child in node.children if not child.is_named}
    named = [child for child in node.children if child.type in WORDS]
    part = text_of(node)
    for word in _aim(node, values):
        text = word.text
        if word.start.startswith(("/dev/tcp/", "/dev/udp/")):
            if silent or operators == {"<"}:
                continue
            return [about(Risk.UNKNOWN, part, "opens a connection")]
        if not any(">" in operator for operator in operators):
            continue
        if text is not None and (text in NOWHERE or DESCRIPTOR.fullmatch(text)):
            continue
        if (
            any(operator in {">&", "<&", ">&-"} for operator in operators)
            and text is not None
            and (re.fullmatch(r"\d*-?", text))
        ):
            continue
        if text is not None and is_device(text):
            return [about(Risk.DESTRUCTIVE, part, "overwrites a device")]
        if word.operand and (named[0].type == "process_substitution" or operators & {">&", "<&"}):
            continue  # >(…): judged as a command; >&$((2)): a descriptor
        return [about(Risk.CHANGE, part, "writes a file")]
    return []


def is_silent(node: Node) -> bool:
    """Return whether a statement with redirections prints nothing but the end of a line: it tries a connection."""
    redirections = [child for child in node.children if child.type in REDIRECTIONS]
    if any(words_behind(child) for child in redirections):
        return False
    body = [text_of(child).strip() for child in node.children if child.type not in REDIRECTIONS]
    read_from = [text_of(child).replace(" ", "") for child in redirections if "<" in text_of(child)]
    empty = bool(read_from) and set(read_from) <= {"</dev/null", "0</dev/null"}
    return body in ([":"], ["true"], ["echo"], []) or (body == ["cat"] and empty)


def input_of(node: Node, given: Input, values: Mapping[str, str]) -> Input:
    """Return what is read behind a redirection."""
    if node.type == "herestring_redirect":
        words = _aim(node, values)
        text = words[0].text if len(words) == 1 else None
        return Input(None if text is None else text + "\n")
    if node.type == "heredoc_redirect":
        numbers = [text_of(child) for child in node.children if child.type == "file_descriptor"]
        return heredoc(node) if numbers in ([], ["0"]) else given
    operators = {child.type for child in node.children if not child.is_named}
    if not operators & {"<", "<&", "<>"}:
        return given
    descriptor = next((text_of(child) for child in node.children if child.type == "file_descriptor"), "0")
    if descriptor != "0":
        return given
    return NOTHING if [word.text for word in _aim(node, values)] == ["/dev/null"] else ANYTHING


def _aim(node: Node, values: Mapping[str, str]) -> list[Word]:
    """Return what a redirection opens: its first word, and no other that the grammar puts there."""
    groups = grouped(node, [child for child in node.children if child.type in WORDS])
    return read_joined(groups[0], values) if groups else []


def heredoc(node: Node) -> Input:
    """Return a heredoc's text, where nothing in it is substituted.

    It is cut out of the line itself, from the end of the operator's line to the delimiter: the grammar takes the
    first words of some bodies for words of the command.
    """
    end = next((child.start_byte for child in node.children if child.type == "heredoc_end"), None)
    begin = body_begin(node)
    if end is None or begin is None:
        return ANYTHING
    text = (node.text or b"")[begin - node.start_byte : end - node.start_byte].decode(
        errors="surrogateescape"
    )
    if any(child.type == "<<-" for child in node.children):
        text = re.sub(r"(?m)^\t+", "", text)
    if is_quoted(node):
        return Input(text)
    if re.search(r"[$`]", re.sub(r"\\.", "", text, flags=re.DOTALL)):
        return ANYTHING
    return Input(re.sub(r"\\([$`\\\n])", lambda match: "" if match[1] == "\n" else match[1], text))


def body_begin(node: Node) -> int | None:
    """Return where a heredoc's body begins; None where a word of the operator's line goes over its end."""
    start = next((child for child in node.children if child.type == "heredoc_start"), None)
    if start is None:
        return None
    source = node.text or b""
    line_end = source.find(b"\n", start.end_byte - node.start_byte)
    if line_end < 0:
        return None
    begin = node.start_byte + line_end + 1
    across = any(
        child.start_byte < begin - 1 < child.end_byte
        for child in node.children
        if child.type != "heredoc_body"
    )
    return None if across else begin


def words_behind(node: Node) -> list[list[Node]]:
    """Return the words of the command that stand behind a redirection, each as the nodes that make it.

    The grammar puts them into the redirection: `find / 2>/dev/null -delete`, `cat <<EOF -n`.
    """
    if node.type == "file_redirect":
        return grouped(node, [child for child in node.children if child.type in WORDS])[1:]
    begin = body_begin(node) if node.type == "heredoc_redirect" else None
    if begin is None:
        return []
    here = [child for child in node.children if child.type in WORDS and child.start_byte < begin - 1]
    inner = [words for child in node.children if child.type in REDIRECTIONS for words in words_behind(child)]
    return sorted([*grouped(node, here), *inner], key=lambda words: words[0].start_byte)


def is_quoted(node: Node) -> bool:
    """Return whether a heredoc's delimiter is quoted, so that nothing in it is substituted."""
    start = next((text_of(child) for child in node.children if child.type == "heredoc_start"), "")
    return bool(set(start) & set("'\"\\"))
