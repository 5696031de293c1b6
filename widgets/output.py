"""What a command prints, while it prints it: a drawer above the command bar."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from cockpit.errors import CockpitError
from cockpit.keymap import Action
from cockpit.signals import HealthState
from widgets.keys import bindings
from widgets.messages import Noticed, TextCopied
from widgets.output_lines import OutputLines
from widgets.text import HEALTH_MARK, safe

if TYPE_CHECKING:
    from cockpit.actions.executor import Ended

Shell = Callable[..., Awaitable[object]]
"""Runs a command through the executor's door; takes `on_output`, `on_begin` and `on_end`."""

ACTIONS = (
    Action(
        "output.stop",
        ("x", "ctrl+c"),
        "stop",
        "Stop the running command: SIGTERM, then SIGKILL.",
        footer=True,
    ),
    Action(
        "output.copy",
        ("y",),
        "copy",
        "Copy the output that is shown to the terminal's clipboard.",
        footer=True,
    ),
    Action("output.close", ("escape",), "close", "Close the output; a running command goes on.", footer=True),
)


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
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)

    class Closed(Message):
        """The drawer was closed."""

    def __init__(self) -> None:
        super().__init__(id="output")
        self.running = False
        """Whether a command runs that could be stopped."""
        self._worker: Worker[None] | None = None
        self._state = Static(id="output-state")
        self.lines = OutputLines(id="output-log")
        """The lines of output."""

    @property
    def is_open(self) -> bool:
        """True while it is shown."""
        return self.has_class("-open")

    def open(self) -> None:
        """Show it, and take the focus; the state over the output comes with the first time."""
        if not self._state.is_attached:
            self.mount(self._state, self.lines)
        self.add_class("-open")
        self.screen.set_focus(self.lines)

    def run(self, shell: Shell, place: str) -> bool:
        """Run a command, showing what it prints; False where one still runs.

        Args:
            shell: Runs it through the executor's door, given whom to tell.
            place: What it is and where it lands.
        """
        if self._worker is not None and self._worker.is_running:
            return False
        # The app's worker: one of this widget's would be cancelled, and not waited for, when the screen goes.
        self._worker = self.app.run_worker(
            self._follow(shell, place), name="command", group="command", exit_on_error=False
        )
        return True

    async def _follow(self, shell: Shell, place: str) -> None:
        self.begin(f"starting · {place}")

        async def show(_stream: object, data: bytes) -> None:
            self.feed(data)

        def begun(action: str) -> None:
            self.say(f"running · {place} · {action}")

        def ended(end: Ended) -> None:
            self.finish(how_it_ended(end), f"{place} · {end.action}")

        try:
            await shell(on_output=show, on_begin=begun, on_end=ended)
        except CockpitError as error:
            self.finish(f"{HEALTH_MARK[HealthState.DOWN]} did not run · {error}", place)
        finally:
            if self.running:
                self.finish("stopped before it started", place)

    async def ended(self) -> None:
        """Wait until the command that was running has ended and is recorded; it is stopped with the drawer."""
        if self._worker is not None and not self._worker.is_finished:
            if not self._worker.is_cancelled:  # a second time would kill it at once
                self._worker.cancel()
            with contextlib.suppress(WorkerCancelled, WorkerFailed):
                await self._worker.wait()

    def begin(self, heading: str) -> None:
        """Open for a new command."""
        self.running = True
        self.open()
        self.lines.clear()
        self.say(heading)

    def say(self, text: str) -> None:
        """Show how the command stands."""
        self._state.update(Content(safe(text, 500)))

    def feed(self, data: bytes) -> None:
        """Take a piece of output in; the next tick shows it."""
        self.lines.feed(data)

    def finish(self, how: str, what: str = "") -> None:
        """Show the last words, how it ended, and what it was."""
        self.running = False
        self.lines.end()
        gone = f"{self.lines.gone:,} earlier lines are in the record alone" if self.lines.gone else ""
        self.say(" · ".join(filter(None, (how, gone, what))))

    def tick(self) -> None:
        """Draw what came in."""
        if self.is_open:
            self.lines.tick()

    def action_copy(self) -> None:
        """Copy the output that is shown."""
        if text := self.lines.text():
            self.post_message(TextCopied(text, "output"))

    def action_stop(self) -> None:
        """Ask for the command to be stopped."""
        if self._worker is not None and self._worker.is_running:
            self.say("stopping…")
            self._worker.cancel()
        else:
            self.post_message(Noticed("nothing is running"))

    def action_close(self) -> None:
        """Close the drawer."""
        self.remove_class("-open")
        self.post_message(self.Closed())


def how_it_ended(end: Ended) -> str:
    """Say how a command ended."""
    mark = HEALTH_MARK[HealthState.OK if end.exit_status == 0 else HealthState.DOWN]
    how = f"signal {end.signal}" if end.signal else f"exit {end.exit_status}"
    lost = f" · THE RECORD IS NOT WHOLE: {end.log_error}" if end.log_error else ""
    return f"{mark} {end.state} · {how}{lost}"
