"""A question with two answers, of which the harmless one has the focus."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from cockpit.targets import Environment
from widgets.buttons import Buttons
from widgets.text import safe

LINES = 200
"""Lines of a text that are shown."""


class Confirm(ModalScreen[bool]):
    """Asks whether something is to be done.

    Args:
        heading: What is asked, on one line.
        text: What it is about, as it is.
        yes: What the button says that does it.
        environment: Where it would be done.
        no: What the button says that does not.
    """

    DEFAULT_CSS = """
    Confirm {
        align: center middle;
        & > Vertical {
            width: 90%; max-width: 110; height: auto; max-height: 90%;
            border: heavy $warning; background: $surface; padding: 0 1;
        }
        & > Vertical.-production, & > Vertical.-disaster-recovery { border: heavy $error; }
        & > Vertical.-development { border: heavy $success; }
        & #confirm-heading { height: auto; text-style: bold; background: $boost; padding: 0 1; width: 1fr; }
        & VerticalScroll { height: auto; max-height: 20; margin: 1 0 0 0; }
        & VerticalScroll > Static { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "refuse", "no", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        heading: str,
        text: str = "",
        *,
        yes: str,
        environment: Environment | None = None,
        no: str = "Cancel",
    ) -> None:
        super().__init__()
        self._heading, self._text = heading, text
        self._yes, self._no = yes, no
        self._environment = environment

    def compose(self) -> ComposeResult:
        """Lay out the question, what it is about, and the two answers."""
        with Vertical(classes=f"-{self._environment}" if self._environment else ""):
            yield Static(Content(safe(self._heading, 300)), id="confirm-heading")
            if self._text:
                with VerticalScroll(can_focus=False):
                    yield Static(Content(shown(self._text)))
            with Buttons():
                yield Button(self._no, id="confirm-no", compact=True)
                yield Button(self._yes, id="confirm-yes", compact=True)

    def on_mount(self) -> None:
        """Give the focus to the harmless answer."""
        self.query_one("#confirm-no").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "confirm-yes")

    def action_refuse(self) -> None:
        """Answer no."""
        self.dismiss(False)


def shown(text: str) -> str:
    """Return a text's lines, each safe to show, with what is left out counted."""
    lines = text.split("\n")
    kept = [safe(line, 1_000) for line in lines[:LINES]]
    if len(lines) > LINES:
        kept.append(f"… and {len(lines) - LINES:,} more lines")
    return "\n".join(kept)
