"""What a command prints, while it prints it: a drawer above the command bar.

Of a command on several hosts it shows how that stands on each, and the output of one of them when that is chosen.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
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
from widgets.rows import RowList
from widgets.text import HEALTH_MARK, safe

if TYPE_CHECKING:
    from cockpit.actions.executor import Ended
    from cockpit.fanout.fanout import FanOut
    from cockpit.fanout.host import HostRun
    from widgets.fanout import HostTable

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
    Action(
        "output.fold",
        ("f",),
        "fold",
        "Show hosts that printed the same as one, or each by itself.",
        footer=True,
    ),
    Action(
        "output.close",
        ("escape",),
        "close",
        "Leave a host's output for the list of hosts, else close the output; a running command goes on.",
        footer=True,
    ),
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
        self.hosts: HostTable | None = None
        """The hosts of the command on several that was run last; None after one on a single target."""
        self._host: HostRun | None = None
        """The host whose output is shown in place of all of them."""
        self._shown = 0
        """Bytes of its output that are shown; -1 once that is all of it."""
        self._place = ""

    @property
    def is_open(self) -> bool:
        """True while it is shown."""
        return self.has_class("-open")

    def open(self) -> None:
        """Show it, and take the focus; the state over the output comes with the first time."""
        if not self._state.is_attached:
            self.mount(self._state, self.lines)
        self.add_class("-open")
        self._show()

    def _show(self) -> None:
        """Show the output, or the hosts, and give that the focus."""
        listed = self.hosts is not None and self._host is None
        self.lines.display = not listed
        if self.hosts is not None:
            self.hosts.display = listed
        self.screen.set_focus(self.hosts if listed else self.lines)

    def run(self, shell: Shell, place: str, *, fan: FanOut | None = None) -> bool:
        """Run a command, showing what it prints; False where one still runs.

        Args:
            shell: Runs it through the executor's door, given whom to tell.
            place: What it is and where it lands.
            fan: The hosts that it runs on, where it is one on several.
        """
        if self._worker is not None and self._worker.is_running:
            return False
        self._follow_hosts(fan)
        # The app's worker: one of this widget's would be cancelled, and not waited for, when the screen goes.
        self._worker = self.app.run_worker(
            self._follow(shell, place), name="command", group="command", exit_on_error=False
        )
        return True

    def _follow_hosts(self, fan: FanOut | None) -> None:
        """Have a list of the hosts where there are several, and none where not."""
        if self.hosts is not None:
            self.hosts.remove()
        self.hosts = self._host = None
        if fan is not None:
            from widgets.fanout import HostTable

            self.hosts = HostTable()
            self.hosts.follow(fan)
            self.mount(self.hosts)

    async def _follow(self, shell: Shell, place: str) -> None:
        self.begin(f"starting · {place}")

        async def show(_stream: object, data: bytes) -> None:
            if self.hosts is None:
                self.feed(data)

        def begun(action: str) -> None:
            self._place = f"{place} · {action}"
            self.say(f"running · {self._place}")

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
        if self._host is None:
            self.lines.end()
        hosts = self.hosts.summary() if self.hosts is not None else ""
        gone = f"{self.lines.gone:,} earlier lines are in the record alone" if self.lines.gone else ""
        self.say(" · ".join(filter(None, (how, hosts, gone, what))))

    def tick(self) -> None:
        """Draw what came in."""
        if not self.is_open:
            return
        if self.hosts is not None and self._host is None:
            if self.hosts.tick() and self.running:
                self.say(f"running · {self.hosts.summary()} · {self._place}")
            return
        if self._host is not None:
            self._feed_host(self._host)
        self.lines.tick()

    @on(RowList.Chosen)
    def _host_chosen(self, event: RowList.Chosen) -> None:
        """Show a host's output in place of the list."""
        event.stop()
        self._host, self._shown = event.item.one, 0
        self.lines.clear()
        self._show()

    def _feed_host(self, host: HostRun) -> None:
        """Show what a host has printed since the last time."""
        if self._shown < 0:
            return
        came = host.output[self._shown :]
        self._shown += len(came)
        self.lines.feed(came)
        if host.over:
            self._shown = -1
            self.lines.end()
            cut = f"{host.cut:,} bytes more are in the record alone" if host.cut else ""
            last = " · ".join(filter(None, (host.name, host.how(), host.error, cut, host.action)))
            self.lines.feed(f"── {last}\n".encode(errors="replace"))

    def action_fold(self) -> None:
        """Show hosts that printed the same as one, or each by itself."""
        if self.hosts is None:
            self.post_message(Noticed("only a command on several hosts has something to fold"))
        elif self._host is None:
            self.hosts.fold()

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
        """Leave a host's output, else close the drawer."""
        if self._host is not None:
            self._host = None
            self._show()
            return
        self.remove_class("-open")
        self.post_message(self.Closed())


def how_it_ended(end: Ended) -> str:
    """Say how a command ended."""
    mark = HEALTH_MARK[HealthState.OK if end.exit_status == 0 else HealthState.DOWN]
    how = f"signal {end.signal}" if end.signal else f"exit {end.exit_status}"
    lost = f" · THE RECORD IS NOT WHOLE: {end.log_error}" if end.log_error else ""
    return f"{mark} {end.state} · {how}{lost}"
