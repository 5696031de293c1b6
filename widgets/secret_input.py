"""A line for what nobody may see: it holds what is typed until it is taken, and nothing else ever does.

Textual's own Input keeps its value in messages, in what it draws and in caches of text widths; this one draws dots.
"""

from __future__ import annotations

import time
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key, Paste
from textual.message import Message
from textual.widget import Widget

LONGEST = 64 * 1024
"""Characters at most."""
CALM_S = 0.3
"""Seconds without a key before keys count: a dialog that comes up while one types elsewhere must not take that."""


class SecretInput(Widget, can_focus=True):
    """Takes a secret, or with `echo` an answer that may be seen.

    Args:
        echo: Whether to show what is typed.
    """

    DEFAULT_CSS = """
    SecretInput {
        height: 1; width: 1fr; background: $boost; padding: 0 1;
        &:focus { background: $panel; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", show=False),
        Binding("backspace", "rub_out", show=False),
        Binding("ctrl+u", "clear", show=False),
    ]

    class Submitted(Message):
        """What was typed is complete; it is not in here."""

    def __init__(self, *, echo: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._echo = echo
        self._typed: list[str] = []
        self._deaf_until = time.monotonic() + CALM_S

    def take(self) -> str:
        """Return what was typed, and forget it."""
        text = "".join(self._typed)
        self.action_clear()
        return text

    def render(self) -> Content:
        """Draw a dot for each character."""
        room = max(0, self.content_size.width - 1)
        shown = "".join(self._typed[-room:]) if self._echo else "•" * min(len(self._typed), room)
        return Content(f"{shown}▏")

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Tell that letters are taken here."""
        return character is not None and character.isprintable()

    def on_key(self, event: Key) -> None:
        """Take a letter."""
        if event.key in {"escape", "tab", "shift+tab"}:
            return
        if self._deaf():
            event.stop()
            event.prevent_default()
        elif event.is_printable and event.character:
            event.stop()
            event.prevent_default()
            self._add(event.character)

    def on_paste(self, event: Paste) -> None:
        """Take what is pasted, up to its first line's end."""
        event.stop()
        event.prevent_default()
        if not self._deaf():
            self._add(event.text.split("\n", 1)[0].rstrip("\r"))

    def action_submit(self) -> None:
        """Say that it is complete."""
        if not self._deaf():
            self.post_message(self.Submitted())

    def action_rub_out(self) -> None:
        """Take back the last character."""
        del self._typed[-1:]
        self.refresh()

    def action_clear(self) -> None:
        """Forget what was typed."""
        self._typed = []
        self.refresh()

    def _add(self, text: str) -> None:
        self._typed.extend(text[: LONGEST - len(self._typed)])
        self.refresh()

    def _deaf(self) -> bool:
        """Whether keys may have been meant for something else; each such key starts the calm anew."""
        now = time.monotonic()
        deaf = now < self._deaf_until
        if deaf:
            self._deaf_until = now + CALM_S
        return deaf
