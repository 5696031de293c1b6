"""Between the first host and the others: what a change did there, and whether it goes on.

Stop has the focus, so that a key pressed in haste changes nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from cockpit.actions.command import Command
from cockpit.fanout.fold import folded
from cockpit.fanout.host import HostRun
from widgets.buttons import Buttons
from widgets.output_lines import plain
from widgets.text import safe

LINES = 200
"""Lines of the canary's output that are shown."""


class CanaryDialog(ModalScreen[bool]):
    """Shows what came of the first host; dismissed with whether the others follow.

    Args:
        command: What runs.
        canary: The first host.
        others: Those that would follow.
    """

    DEFAULT_CSS = """
    CanaryDialog {
        align: center middle;
        & > Vertical {
            width: 90%; max-width: 110; height: auto; max-height: 90%;
            border: heavy $warning; background: $surface; padding: 0 1;
        }
        & > Vertical.-production, & > Vertical.-disaster-recovery { border: heavy $error; }
        & .canary--place { height: 1; text-style: bold; background: $boost; padding: 0 1; width: 1fr; }
        & VerticalScroll { height: auto; max-height: 16; }
        & VerticalScroll > Static, & #canary-others { height: auto; }
        & #canary-others { color: $text-warning; margin-top: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, command: Command, canary: HostRun, others: tuple[HostRun, ...]) -> None:
        super().__init__()
        self._command = command
        self._canary = canary
        self._others = others

    def compose(self) -> ComposeResult:
        """Lay the output over what would follow."""
        with Vertical(classes=f"-{self._command.target.environment}"):
            heading = f"CANARY · {self._canary.name} · {self._canary.how()}"
            yield Static(Content(safe(heading, 200)), classes="canary--place")
            with VerticalScroll(can_focus=False):
                yield Static(Content("\n".join(self._lines())), id="canary-output")
            yield Static(Content(safe(self._what_follows(), 2_000)), id="canary-others")
            with Buttons():
                yield Button("Stop", id="canary-stop", compact=True)
                yield Button("Go on", id="canary-go-on", variant="error", compact=True)

    def on_mount(self) -> None:
        """Give the focus to Stop."""
        self.query_one("#canary-stop").focus()

    def _lines(self) -> Iterator[str]:
        lines = self._canary.output.split(b"\n")
        for line in lines[:LINES]:
            yield plain(line)
        if len(lines) > LINES or self._canary.cut:
            yield f"… the rest is in the record: {self._canary.action}"

    def _what_follows(self) -> str:
        count = len(self._others)
        hosts = "the other host" if count == 1 else f"the other {count:,} hosts"
        return f"{hosts}: {folded(host.name for host in self._others)}"

    @on(Button.Pressed, "#canary-stop")
    def action_stop(self) -> None:
        """Leave the other hosts alone."""
        self.dismiss(False)

    @on(Button.Pressed, "#canary-go-on")
    def _go_on(self) -> None:
        self.dismiss(True)
