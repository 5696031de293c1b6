"""Files that a command may write: which take nothing in, and which are a whole disk."""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.call import Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word

NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full"})
"""Devices that keep nothing of what is written to them."""
DEVICE = re.compile(
    r"/dev/(sd|hd|vd|xvd|nvme|mmcblk|md|dm-|mapper/|disk/|loop|sr|mem|kmem|port|nst|st\d|pmem|zvol)"
)
"""Devices that hold data, or the machine's memory."""
DESCRIPTOR = re.compile(r"/dev/fd/\d+|/proc/self/fd/\d+")
"""Descriptors by their paths."""


def writes(call: Call, word: Word | None, why: str = "writes a file", *, stdout: str = "") -> list[Finding]:
    """Judge a file that a call writes.

    Args:
        call: The call.
        word: The file's name; None where it isn't given, and the program makes one up.
        why: What it does, in plain words.
        stdout: The name by which the program means its output, such as `-`.
    """
    text = None if word is None or word.glob else word.text
    if text is None:
        return [call.finding(Risk.CHANGE, why)]
    if text in NOWHERE or DESCRIPTOR.fullmatch(text) or (stdout and text == stdout):
        return []
    if is_device(text):
        return [call.finding(Risk.DESTRUCTIVE, "overwrites a device")]
    return [call.finding(Risk.CHANGE, why)]


def is_device(text: str) -> bool:
    """Return whether a path is a disk's, a partition's or the memory's."""
    return DEVICE.match(re.sub(r"/(\.?/)+", "/", text)) is not None
