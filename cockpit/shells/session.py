"""An interactive shell on a target: a cable for a terminal, recorded, itemised and guarded.

The executor runs it like any command. What it prints comes by here twice: once to be shown, with the marks taken
out, and once to be recorded, without what was typed at prompts as it was typed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from msgspec.structs import replace

from cockpit.actionlog.records import Recorded, Result, State
from cockpit.actions.command import Command, Kind, Risk
from cockpit.actions.executor import Ended, Executor, Terminal
from cockpit.actions.keeping import Keeper
from cockpit.actions.transport import Interactive, Launch, Outcome, Stream
from cockpit.errors import ActionLogError
from cockpit.guard.judge import Assessment
from cockpit.guard.policy import CAREFUL
from cockpit.shells.gate import Gate
from cockpit.shells.holding import Held, Holding
from cockpit.shells.items import Items, Line
from cockpit.shells.launch import argv_of, new_marks
from cockpit.shells.marks import Mark, MarkKind, MarkParser
from cockpit.shells.nesting import reader
from cockpit.shells.recording import PromptRecording
from cockpit.shells.showing import Shown
from cockpit.targets import LOCAL
from cockpit.term.size import Size

SHELL = "login-shell"
"""What the record calls the program of a shell: which one that is, the account decides."""
TERM = "xterm-256color"
SIGN_S = 8.0
"""Seconds within which a shell says that it marks its lines."""
PAST_ENTER = "it came past Enter, so it was not held; judged after it had started"


class ShellSession:
    """A shell that runs: a `cockpit.term.cable.Cable`, and beside it what the record and the guard have to say.

    Attributes:
        target: Where it runs.
        action: Its id in the action log.
        guarded: Whether lines that destroy are held at Enter, as far as they are itemised.
        itemised: Whether what is typed becomes actions of its own just now.
        why_not: Why it does not; empty where it does.
        running: The line that runs just now; empty at a prompt, and where lines are not itemised.
        unheld: The last line that would have been held, and could not be; empty where there was none.
        ended: What came of it, once it is over.
    """

    def __init__(self, executor: Executor, command: Command, size: Size, *, integrated: bool = True) -> None:
        self.target = command.target
        self.action = ""
        self.itemised = False
        self.why_not = "starting" if integrated else "the shell was opened as it is"
        self.running = ""
        self.unheld = ""
        self.ended: Ended | None = None
        self.guarded = integrated and command.target.environment in CAREFUL
        self._executor = executor
        self._command = command
        self._size = size.within()
        self._integrated = integrated
        self._marks = new_marks()
        self._parser = MarkParser(self._marks.nonce)
        self._recording = PromptRecording(executor.log.without_secrets)
        self._gate = Gate(self._send)
        self._holding = Holding(
            self._gate,
            accept=lambda number: self._send(self._marks.accept + number.encode()),
            assess=self._assess,
            decline=self._decline,
            changed=self._tell,
        )
        if not self.guarded:
            self._holding.give_up()
        self._listener: Callable[[], None] | None = None
        self._shown = Shown()
        self._begun = asyncio.Event()
        self._shell: Interactive | None = None
        self._keeper: Keeper | None = None
        self._items: Items | None = None
        self._sign: asyncio.TimerHandle | None = None
        self._shell_name = self._cwd = self._line = ""
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, executor: Executor, command: Command, size: Size, *, integrated: bool = True
    ) -> ShellSession:
        """Open a shell through the executor's door.

        Args:
            executor: Judges, records and starts it.
            command: As `shell_on` makes it, with what was given to let it run.
            size: The terminal's.
            integrated: Whether the shell is asked to mark its lines; else the account's login shell is started as
                it is, which is for hosts that start nothing else.

        Raises:
            CockpitError: It could not be recorded, was refused, or can't be started.
        """
        session = cls(executor, command, size, integrated=integrated)
        session._task = asyncio.create_task(session._run())
        begun = asyncio.create_task(session._begun.wait())
        try:
            await asyncio.wait([session._task, begun], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            session._task.cancel()
            raise
        finally:
            begun.cancel()
        if not session._begun.is_set():
            await session._task
        return session

    @property
    def held(self) -> Held | None:
        """The line that waits at Enter for `answer`; None where none does."""
        return self._holding.held

    @property
    def recorded(self) -> bool:
        """Whether the record is whole so far."""
        failed = (self._keeper and self._keeper.error) or (self._items and self._items.error)
        return not failed and (self.ended is None or self.ended.log_error is None)

    def listen(self, changed: Callable[[], None]) -> None:
        """Have a function called, on this loop, whenever an attribute above changed."""
        self._listener = changed

    def output(self) -> AsyncIterator[bytes]:
        """Yield what is to be shown, at most 16 KiB at once; the shell waits while nobody asks for more."""
        return self._shown.pieces()

    def write(self, data: bytes) -> None:
        """Send what was typed; while a line is held, ctrl+c refuses it and all else waits."""
        if self.held is not None and b"\x03" in data:
            self.answer(False)
            data = data[data.rindex(b"\x03") :]
        if not self._shown.closed:
            self._gate.typed(data)

    def resize(self, size: Size) -> None:
        """Tell the shell another size; recorded."""
        size = size.within()
        if self._shell is not None and size != self._size and not self._shown.closed:
            self._size = size
            self._shell.resize(size)
            self._note_size(Recorded.RESIZE)

    def answer(self, run: bool) -> None:
        """Let the held line run, or leave it in the shell's editor; nothing where none is held."""
        self._holding.answer(run)

    async def wait(self) -> Outcome:
        """Wait for the end, recorded."""
        assert self._task is not None
        await asyncio.wait([self._task])
        ended = self.ended
        if ended is None:
            return Outcome(unknown="it could not be followed to its end")
        unknown = (ended.error or "nobody knows how it ended") if ended.state is State.UNKNOWN_OUTCOME else ""
        return Outcome(exit_status=ended.exit_status, signal=ended.signal, unknown=unknown)

    def close(self) -> None:
        """Hang up: the shell and what it runs get SIGHUP."""
        if self._task is not None and not self._shown.closed:
            self._shown.close()
            self._task.cancel()

    # The shell, as the executor runs it.

    async def _run(self) -> None:
        argv = (
            argv_of(self._marks, guarded=self.guarded, login=self.target.name != LOCAL)
            if self._integrated
            else ()
        )
        terminal = Terminal(launch=Launch(argv=argv, size=self._size, term=TERM), through=self._through)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._executor.run(self._command, on_end=self._on_end, terminal=terminal)
        finally:
            await self._over()

    def _through(self, keeper: Keeper, shell: Interactive) -> _Tap:
        self.action = keeper.action
        self._keeper, self._shell = keeper, shell
        self._items = Items(self._executor.log, keeper.action)
        self._note_size(Recorded.TERMINAL)
        if self._integrated:
            self._sign = asyncio.get_running_loop().call_later(SIGN_S, self._give_no_sign)
        self._begun.set()
        return _Tap(self, shell)

    def _on_end(self, ended: Ended) -> None:
        self.ended = ended

    async def _over(self) -> None:
        """Close the book: what runs here has ended, and all that is known of it gets written."""
        if self._sign is not None:
            self._sign.cancel()
        await self._holding.close()
        if self._items is not None:
            self._items.ended(_last_result(self.ended))
            await self._items.written()
        self.running, self.itemised, self.why_not = "", False, "it has ended"
        self._shown.end()
        self._tell()

    async def recorded_output(self, shell: Interactive) -> AsyncIterator[tuple[Stream, bytes]]:
        """Yield what is to be recorded of what the shell prints, and have the rest of it shown."""
        async for stream, data in shell.output():
            for part in self._parser.feed(data):
                if isinstance(part, bytes):
                    await self._shown.put(part)
                    kept = self._recording.printed(part)
                else:
                    kept = self._recording.marked(part)
                if kept:
                    yield stream, kept
                if isinstance(part, Mark):
                    self._marked(part)  # by now, what comes before is in the record
        if rest := self._parser.finish():
            await self._shown.put(rest)
            yield Stream.STDOUT, self._recording.printed(rest)

    # What the shell says of itself.

    def _marked(self, mark: Mark) -> None:
        match mark.kind:
            case MarkKind.PROPERTY:
                self._told(mark.text)
            case MarkKind.LINE:
                self._line = mark.text
            case MarkKind.STARTED:
                self._start(self._line)
                self._line = ""
            case MarkKind.READY:
                self._ready(mark.text)
            case _:
                pass
        if self.guarded:
            self._holding.marked(mark)

    def _told(self, text: str) -> None:
        name, _, value = text.partition("=")
        if name == "Cwd":
            self._cwd = value
        elif name == "Shell":
            self._shell_name = value
            self._set_itemised("")
        elif name == "None":
            self._holding.give_up()
            self._set_itemised(value)

    def _give_no_sign(self) -> None:
        if not self._shell_name and self.why_not == "starting":
            self._holding.give_up()
            self._set_itemised("its shell did not take up the integration")

    def _set_itemised(self, why_not: str) -> None:
        if (self.itemised, self.why_not) != (not why_not, why_not):
            self.itemised, self.why_not = not why_not, why_not
            self._tell()

    def _start(self, line: str) -> None:
        assert self._items is not None and self._keeper is not None
        place = self._executor.log.place(self._keeper.action)
        judged = self._holding.take(line)
        remarks = ("confirmed at Enter",) if judged is not None and judged.confirmed else ()
        task = self._assess(line) if judged is None else judged.assessment
        if self.guarded and judged is None:
            remarks = (PAST_ENTER,)
            task.add_done_callback(lambda done: self._missed(line, done))
        self._items.started(Line(command=self._typed(line), place=place, remarks=remarks), task)
        self.running = line
        self._tell()
        if inside := reader(line):
            self._set_itemised(f"inside {inside}")

    def _missed(self, line: str, done: asyncio.Task[Assessment]) -> None:
        if not done.cancelled() and done.exception() is None and done.result().risk is Risk.DESTRUCTIVE:
            self.unheld = line
            self._tell()

    def _ready(self, status: str) -> None:
        assert self._items is not None
        code = int(status) if status.isdigit() else None
        self._items.ended(Result(state=State.FAILED if code else State.DONE, exit_status=code))
        if self.running:
            self.running = ""
            self._tell()
        self._set_itemised("")

    def _typed(self, line: str) -> Command:
        return replace(
            self._command,
            argv=(self._shell_name or "sh", "-c", line),
            shell=line,
            cwd=self._cwd,
            kind=Kind.COMMAND,
            confirmed=False,
            typed="",
        )

    def _assess(self, line: str) -> asyncio.Task[Assessment]:
        return asyncio.create_task(self._executor.assess(self._typed(line)))

    def _decline(self, line: str, why: str) -> None:
        assert self._items is not None
        self._items.do(self._executor.decline(self._typed(line), why))

    def _tell(self) -> None:
        if self._listener is not None:
            self._listener()

    def _send(self, data: bytes) -> None:
        if self._shell is not None:
            self._shell.write(data)

    def _note_size(self, what: Recorded) -> None:
        assert self._items is not None and self._keeper is not None
        with contextlib.suppress(ActionLogError):  # it has just ended
            place = self._executor.log.place(self._keeper.action)
            self._items.place(what, place, term=TERM, size=(self._size.columns, self._size.rows))


class _Tap:
    """The shell as the executor follows it: its output is what is recorded."""

    def __init__(self, session: ShellSession, shell: Interactive) -> None:
        self._session = session
        self._shell = shell

    def output(self) -> AsyncIterator[tuple[Stream, bytes]]:
        return self._session.recorded_output(self._shell)

    async def wait(self) -> Outcome:
        return await self._shell.wait()

    def stop(self, *, kill: bool = False) -> None:
        self._shell.stop(kill=kill)

    def close(self) -> None:
        self._shell.close()


def _last_result(ended: Ended | None) -> Result:
    """Return how the line ended that ran when the shell did, such as `exit`."""
    if ended is None or ended.state is State.UNKNOWN_OUTCOME:
        why = ended.error if ended is not None and ended.error else "the shell was lost"
        return Result(state=State.UNKNOWN_OUTCOME, error=why)
    if ended.state is State.CANCELLED:
        return Result(state=State.CANCELLED, error="its terminal was closed", signal=ended.signal)
    done = not ended.exit_status and ended.signal is None
    return Result(
        state=State.DONE if done else State.FAILED, exit_status=ended.exit_status, signal=ended.signal
    )


def shell_on(command: Command) -> Command:
    """Return a command as that of an interactive shell on its target."""
    return replace(command, argv=(SHELL,), shell="", kind=Kind.SHELL)
