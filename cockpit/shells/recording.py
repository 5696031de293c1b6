"""What of a shell's output is recorded: all of it, but never what was typed at a prompt as it was typed.

An editor echoes a line a character at a time, with its corrections, completions and what it remembers of earlier
lines: a secret in that is in pieces which no pattern knows, and may have been deleted before Enter. So from the end
of a prompt until the line starts, nothing is recorded but the line itself, in one piece, its secrets cut.
"""

from __future__ import annotations

from collections.abc import Callable

from cockpit.shells.marks import Mark, MarkKind

LONGEST = 256 * 1024
"""Bytes that an editor may print for one line; more is something else's, and is recorded."""


class PromptRecording:
    """Turns bytes and marks into what is recorded.

    Args:
        cleaned: Cuts secrets out of a line.
    """

    def __init__(self, cleaned: Callable[[str], str]) -> None:
        self._cleaned = cleaned
        self._ready = self._editing = False
        self._unrecorded = 0
        self._line = ""

    def printed(self, data: bytes) -> bytes:
        """Return what of some output is recorded."""
        if self._editing:
            self._unrecorded += len(data)
            self._editing = self._unrecorded <= LONGEST
        return b"" if self._editing else data

    def marked(self, mark: Mark) -> bytes:
        """Return what is recorded at a mark."""
        match mark.kind:
            case MarkKind.EDITING if self._ready:  # once a prompt: a program may print one as well
                self._ready, self._editing, self._unrecorded, self._line = False, True, 0, ""
            case MarkKind.LINE:
                self._line = self._cleaned(mark.text)
            case MarkKind.STARTED if self._editing:
                self._editing = False
                return self._line.replace("\n", "\r\n").encode(errors="replace") + b"\r\n"
            case MarkKind.READY:
                given_up, self._ready, self._editing = self._editing, True, False
                return b"\r\n" if given_up else b""
            case _:
                pass
        return b""
