"""Judges each line at Enter, and holds what destroys until the operator has confirmed it.

The shell's own editor asks: at Enter it says which line it has, and accepts that only when it is told to, by keys
that this session alone knows, with the number of the question. A line that nobody answers for stays in the editor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from cockpit.actions.command import Risk
from cockpit.guard.judge import Assessment
from cockpit.shells.gate import Gate
from cockpit.shells.items import judgement
from cockpit.shells.marks import Mark, MarkKind

HELD_S = 120.0
"""Seconds that a line is held for an answer."""
LONGEST = 65_536
"""Characters of a line that are judged; the integration sends no more."""


class Held(Struct, frozen=True, kw_only=True):
    """A line that waits for the operator at Enter.

    Attributes:
        line: What was typed.
        assessment: What the guard thinks of it.
    """

    line: str
    assessment: Assessment


class Judged(Struct, frozen=True, kw_only=True):
    """A line that the shell was told to accept."""

    line: str
    assessment: asyncio.Task[Assessment]
    confirmed: bool


class Holding:
    """What happens at Enter.

    Attributes:
        held: The line that waits for the operator; None where none does.

    Args:
        gate: Passes on what is typed.
        accept: Has the shell accept the line of the question with that number.
        assess: Asks the guard about a line.
        decline: Records that a line was held and not run, and why.
        changed: Called when `held` changed.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        accept: Callable[[str], None],
        assess: Callable[[str], asyncio.Task[Assessment]],
        decline: Callable[[str, str], None],
        changed: Callable[[], None],
    ) -> None:
        self.held: Held | None = None
        self._gate = gate
        self._accept = accept
        self._assess = assess
        self._decline = decline
        self._changed = changed
        self._answered: asyncio.Future[bool] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._judged: Judged | None = None
        self._fresh = False
        gate.guarded = True  # what is typed before the first prompt is for that

    def marked(self, mark: Mark) -> None:
        """Hear what the shell says."""
        if mark.kind is MarkKind.ASKED:
            self._begin(self._ask(mark.text))
        elif mark.kind is MarkKind.STARTED:
            self._gate.started()
        elif mark.kind is MarkKind.READY:
            self._fresh = True
            self._gate.ready()
        elif mark.kind is MarkKind.EDITING and self._fresh:
            self._fresh = (
                False  # what follows is the editor drawing its prompt anew, perhaps just before it asks
            )
            self._gate.prompt()
        elif mark.text == "More=" and self._asking is None:
            self._gate.open()

    def give_up(self) -> None:
        """Pass everything on: the shell does not ask."""
        self._gate.guarded = False
        self._gate.open()

    def take(self, line: str) -> Judged | None:
        """Return what was thought of the line that starts, if it is the one that was let through."""
        judged, self._judged = self._judged, None
        return judged if judged is not None and judged.line.strip() == line.strip() else None

    def answer(self, run: bool) -> None:
        """Let the held line run, or leave it in the editor."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(run)

    async def close(self) -> None:
        """Hold nothing any more."""
        self._gate.cancel()
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _begin(self, ask: Coroutine[Any, Any, None]) -> None:
        """Ask; a question that an earlier one is still open beside takes its place, as the line has changed since."""
        if self._asking is not None:
            self._asking.cancel()
        self._asking = asyncio.create_task(ask)

    async def _ask(self, text: str) -> None:
        number, _, line = text.partition(";")
        self._gate.close(for_good=True)
        this = asyncio.current_task()
        refusal: str | None = "the question was dropped"
        try:
            task = self._assess(line)
            judged = await judgement(task)
            if len(line) >= LONGEST:
                judged = replace(judged, risk=Risk.DESTRUCTIVE, reasons=("it is too long to be judged",))
            holds = judged.risk is Risk.DESTRUCTIVE and not _goes_on(line)
            refusal = await self._hold(line, judged) if holds else ""
            if refusal:
                self._decline(line, refusal)
            else:
                self._judged = Judged(line=line, assessment=task, confirmed=holds)
                self._accept(number)
        finally:
            if self._asking is this:
                self._asking = None
                if refusal:
                    self._gate.open()
                else:
                    self._gate.close()

    async def _hold(self, line: str, judged: Assessment) -> str:
        """Wait for the operator; return why the line does not run, empty where it does."""
        self._answered = asyncio.get_running_loop().create_future()
        self.held = Held(line=line, assessment=judged)
        self._changed()
        try:
            async with asyncio.timeout(HELD_S):
                return "" if await self._answered else "refused at Enter"
        except TimeoutError:
            return f"held at Enter, and not answered within {HELD_S:g} s"
        finally:
            self.held = self._answered = None
            self._changed()


def _goes_on(line: str) -> bool:
    """Return whether a line only asks for a further one, with which it will be judged again."""
    backslashes = len(line) - len(line.rstrip("\\"))
    return backslashes % 2 == 1 and "#" not in line  # which begins a comment, where a backslash is none
