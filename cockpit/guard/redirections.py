"""Where a command's output goes and its input comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, NOTHING, Input
from cockpit.guard.findings import Finding, about
from cockpit.guard.tree import WORDS
from cockpit.guard.words import read, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full"})
_DEVICE = re.compile(r"/dev/(sd|hd|vd|xvd|nvme|mmcblk|md|dm-|mapper/|disk/|loop|sr|mem|kmem|port)")
_DESCRIPTOR = re.compile(r"/dev/fd/\d+|/proc/self/fd/\d+")


def written(node: Node, values: Mapping[str, str]) -> list[Finding]:
    """Judge the file that a redirection opens."""
    operators = {child.type for child in node.children if not child.is_named}
    names = [word for child in node.children if child.type in WORDS for word in read(child, values)]
    part = text_of(node)
    for word in names:
        text = word.text
        if text is not None and text.startswith(("/dev/tcp/", "/dev/udp/")):
            return [about(Risk.UNKNOWN, part, "opens a connection")]
        if not any(">" in operator for operator in operators):
            continue
        if text is not None and (text in _NOWHERE or _DESCRIPTOR.fullmatch(text)):
            continue
        if (
            any(operator in {">&", "<&", ">&-"} for operator in operators)
            and text is not None
            and (re.fullmatch(r"\d*-?", text))
        ):
            continue
        if text is not None and _DEVICE.match(text):
            return [about(Risk.DESTRUCTIVE, part, "overwrites a device")]
        if word.operand:
            continue  # >(…): judged as a command
        return [about(Risk.CHANGE, part, "writes a file")]
    return []


def input_of(node: Node, given: Input, values: Mapping[str, str]) -> Input:
    """Return what is read behind a redirection."""
    if node.type == "herestring_redirect":
        words = [word for child in node.children if child.type in WORDS for word in read(child, values)]
        text = words[0].text if len(words) == 1 else None
        return Input(None if text is None else text + "\n")
    if node.type == "heredoc_redirect":
        return heredoc(node)
    operators = {child.type for child in node.children if not child.is_named}
    if not operators & {"<", "<&", "<>"}:
        return given
    descriptor = next((text_of(child) for child in node.children if child.type == "file_descriptor"), "0")
    if descriptor != "0":
        return given
    names = [word.text for child in node.children if child.type in WORDS for word in read(child, values)]
    return NOTHING if names == ["/dev/null"] else ANYTHING


def heredoc(node: Node) -> Input:
    """Return a heredoc's text, where nothing in it is substituted."""
    body = next((child for child in node.children if child.type == "heredoc_body"), None)
    if body is None:
        return NOTHING
    text = text_of(body)
    if not is_quoted(node) and re.search(r"[$`\\]", text):
        return ANYTHING
    return Input(re.sub(r"(?m)^\t+", "", text) if any(c.type == "<<-" for c in node.children) else text)


def is_quoted(node: Node) -> bool:
    """Return whether a heredoc's delimiter is quoted, so that nothing in it is substituted."""
    start = next((text_of(child) for child in node.children if child.type == "heredoc_start"), "")
    return bool(set(start) & set("'\"\\"))
