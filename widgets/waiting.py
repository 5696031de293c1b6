"""While a second person is asked: what to tell them, how long the request is open, and a way out."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from cockpit.actions.command import Command
from cockpit.errors import CockpitError
from cockpit.signals import SECOND
from widgets.buttons import Buttons
from widgets.text import safe


class WaitingDialog(ModalScreen[Command | CockpitError | None]):
    """Waits for an approval; dismissed with the command under it, with why there is none, or None if given up.

    Args:
        request: The request's id.
        answer: Ends with the command under the approval; raises CockpitError.
        expires_ns: Until when the request is open.
    """

    DEFAULT_CSS = """
    WaitingDialog {
        align: center middle;
        & > Vertical {
            width: 80%; max-width: 90; height: auto; border: heavy $error; background: $surface; padding: 0 1;
        }
        & Static { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "give up", show=False)]

    def __init__(self, request: str, answer: Awaitable[Command], *, expires_ns: int) -> None:
        super().__init__()
        self._request = request
        self._answer = answer
        self._expires_ns = expires_ns

    def compose(self) -> ComposeResult:
        """Say what the second person types, and how long there is."""
        with Vertical():
            yield Static(Content(safe(f"a second person runs:  cockpit approve {self._request}", 200)))
            yield Static(id="waiting-left")
            with Buttons():
                yield Button("Give up", id="waiting-give-up", compact=True)

    def on_mount(self) -> None:
        """Begin to wait."""
        self.query_one(Button).focus()
        self._count_down()
        self.set_interval(1.0, self._count_down)
        self._wait()

    @work(exit_on_error=False)
    async def _wait(self) -> None:
        try:
            self.dismiss(await self._answer)
        except CockpitError as error:
            self.dismiss(error)

    def _count_down(self) -> None:
        minutes, seconds = divmod(max(0, (self._expires_ns - time.time_ns()) // SECOND), 60)
        self.query_one("#waiting-left", Static).update(Content(f"waiting · open for {minutes}:{seconds:02}"))

    @on(Button.Pressed)
    def action_give_up(self) -> None:
        """Wait no longer; nothing runs."""
        self.dismiss(None)
