"""What a command prints, while it prints it: a drawer above the command bar."""

from __future__ import annotations

import codecs
import re
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Log, Static

from cockpit.keymap import Action
from widgets.keys import bindings
from widgets.text import safe

ACTIONS = (
    Action(
        "output.stop",
        ("x", "ctrl+c"),
        "stop",
        "Stop the running command: SIGTERM, then SIGKILL.",
        footer=True,
    ),
    Action(
        "output.close", ("escape", "q"), "close", "Close the output; a running command goes on.", footer=True
    ),
)
LINES = 5_000
"""Lines kept on the screen; the action log keeps more."""
LONGEST = 2_000
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
"""Control sequences of ECMA-48: a command's colours say nothing here, and its cursor moves would."""


class OutputDrawer(Vertical):
    """The output of the last command, and how it stands."""

    DEFAULT_CSS = """
    OutputDrawer {
        display: none;
        height: 40%;
        border-top: heavy $accent;
        border-title-color: $text;
        background: $surface;
        &.-open { display: block; }
        & > Static { height: 1; background: $boost; padding: 0 1; }
        & > Log { height: 1fr; scrollbar-size-vertical: 1; background: $surface; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)

    class Stopped(Message):
        """The operator asked to stop the command."""

    class Closed(Message):
        """The drawer was closed."""

    def __init__(self) -> None:
        super().__init__(id="output")
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._partial = ""

    def compose(self) -> ComposeResult:
        """Lay the state over the output."""
        yield Static(id="output-state")
        yield Log(max_lines=LINES, auto_scroll=True, id="output-log")

    @property
    def is_open(self) -> bool:
        """True while it is shown."""
        return self.has_class("-open")

    def begin(self, heading: str) -> None:
        """Open for a new command."""
        self._decoder.reset()
        self._partial = ""
        self.query_one(Log).clear()
        self.say(heading)
        self.add_class("-open")
        self.screen.set_focus(self.query_one(Log))

    def say(self, text: str) -> None:
        """Show how the command stands."""
        self.query_one("#output-state", Static).update(Content(safe(text, 500)))

    def feed(self, data: bytes) -> None:
        """Show a piece of output, made safe; whole lines at once, since a line a call is slow."""
        text = self._partial + self._decoder.decode(data)
        *lines, self._partial = text.split("\n")
        if len(self._partial) > LONGEST:
            lines.append(self._partial)
            self._partial = ""
        if lines:
            self.query_one(Log).write_lines([_plain(line) for line in lines[-LINES:]])

    def finish(self, text: str) -> None:
        """Show the last words and how it ended."""
        if self._partial:
            self.query_one(Log).write_lines([_plain(self._partial)])
            self._partial = ""
        self.say(text)

    def action_stop(self) -> None:
        """Ask for the command to be stopped."""
        self.post_message(self.Stopped())

    def action_close(self) -> None:
        """Close the drawer."""
        self.remove_class("-open")
        self.post_message(self.Closed())


def _plain(line: str) -> str:
    """Return a line as a terminal would leave it: escapes gone, the last carriage return's text kept."""
    bare = _ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2])
    return safe(bare.expandtabs(), LONGEST)
