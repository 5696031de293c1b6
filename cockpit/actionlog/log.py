"""The action log as the door uses it: an intent before, output as it comes, a result after.

Every write happens in one thread of its own, so that neither the disk nor another process that holds the file ever
stops the screen. What can't be written is an `ActionLogError`, and the door then starts nothing. Secrets are cut out
of everything before it is written; nothing can be asked to leave them in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.actionlog import entries
from cockpit.actionlog.database import BUSY_S
from cockpit.actionlog.output import CHUNKS_UNDERWAY, KEEP, WAIT_S, OpenAction
from cockpit.actionlog.places import Place, place_columns
from cockpit.actionlog.records import Recorded, Result
from cockpit.actionlog.standing import StandingRecords
from cockpit.actions.command import Command, Kind, Risk
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError
from cockpit.guard.judge import Decision

if TYPE_CHECKING:
    from sqlite_utils import Database

FILE = "actions.db"
"""The log's name in the data directory."""


class ActionLog(StandingRecords):
    """One cockpit's hold on the action log, which other cockpits and commands use at the same time."""

    def __init__(
        self, path: Path, *, keep: int = KEEP, busy_s: float = BUSY_S, signing_key: Path | None = None
    ) -> None:
        super().__init__(path, busy_s=busy_s, signing_key=signing_key)
        self._keep = keep
        self._running: dict[str, OpenAction] = {}
        self._cleaning = ThreadPoolExecutor(max_workers=1, thread_name_prefix="action-log-cleaner")

    @classmethod
    def open(
        cls, path: Path, *, keep: int = KEEP, busy_s: float = BUSY_S, signing_key: Path | None = None
    ) -> ActionLog:
        """Open the log, begin a session in it, and close what dead sessions left open.

        Blocks while it touches the disk: the screen calls it in a thread, after its first paint.

        Args:
            path: The file, made where it is missing: mode 0600, in a folder of mode 0700.
            keep: Bytes of output kept of one action.
            busy_s: Seconds to wait for another process that is writing.
            signing_key: The operator's SSH key, with which the checkpoint at the session's end is signed.

        Raises:
            ActionLogError: It can't be read or written.
        """
        log = cls(path, keep=keep, busy_s=busy_s, signing_key=signing_key)
        log._writer.open(log.actor)
        return log

    async def begin(
        self,
        command: Command,
        risk: Risk,
        decision: Decision,
        reasons: Sequence[str] = (),
        *,
        undo: str = "",
        approvals: Sequence[str] = (),
    ) -> str:
        """Record what is about to run and return its id; it is on the disk when this returns.

        Args:
            command: What is about to run.
            risk: What it may do.
            decision: Whether it may run.
            reasons: Why, each naming a part of the command.
            undo: How it is undone, where that is known.
            approvals: Ids of the requests for approval that were granted for it.

        Raises:
            ActionLogError: It could not be recorded, so it must not run.
        """
        action = self._ulids.new()
        intent = entries.Intent(
            command=command,
            risk=risk,
            decision=decision,
            reasons=tuple(reasons),
            undo=undo,
            approvals=tuple(approvals),
        )
        started = time.time_ns()

        def write(db: Database) -> None:
            row = entries.intent_row(action, self.session, started, intent, self._cleaner)
            self._writer.insert(db, ("actions", row))

        await self._writer.run(write)
        drawn = command.kind is Kind.SHELL
        self._running[action] = OpenAction(action, self._cleaner, keep=self._keep, drawn=drawn)
        return action

    def place(self, action: str) -> Place:
        """Return where in a running shell's recording this is: what was printed until now comes before it.

        Raises:
            ActionLogError: It does not run any more.
        """
        held = self._running.get(action)
        if held is None:
            raise ActionLogError("the recording is over", where=action)
        self._send(held)
        return Place(time.time_ns(), self._cleaning.submit(held.cleaned_size))

    async def record_place(
        self,
        action: str,
        what: Recorded,
        place: Place,
        *,
        command: str = "",
        term: str = "",
        size: tuple[int, int] | None = None,
    ) -> None:
        """Record that something happened at a place in a shell's recording.

        Args:
            action: The shell's.
            what: What happened.
            place: Where.
            command: The action of a line that was typed.
            term: The terminal's name.
            size: The terminal's columns and rows.

        Raises:
            ActionLogError: It could not be written.
        """
        own = {"id": self._ulids.new(), "session": self.session, "action": action, "kind": what.value}
        more = place_columns(command=command, term=term, size=size)

        def write(db: Database) -> None:
            self._writer.insert(db, ("recordings", own | more | place.columns()))

        await self._writer.run(write)

    async def output(self, action: str, stream: Stream, data: bytes) -> None:
        """Take a piece of output, to be written within a tenth of a second; waits while much is on its way.

        Raises:
            ActionLogError: What came before could not be kept. Later pieces of the same action are counted and hashed
                only, so that what is kept has no hole.
        """
        self._writer.must_be_open()
        held = self._running[action]
        gathered = held.gathered
        gathered.add(time.time_ns(), stream, data)
        if gathered.full:
            self._send(held)
            while len(held.underway) > CHUNKS_UNDERWAY:
                await asyncio.wait([asyncio.wrap_future(held.underway[0])])
                held.forget_written()
        elif held.timer is None:
            held.timer = asyncio.get_running_loop().call_later(WAIT_S, self._send, held)
        if (error := held.new_error()) is not None:
            raise error

    async def finish(self, action: str, result: Result) -> None:
        """Record how an action ended.

        Raises:
            ActionLogError: It could not be recorded, or not all of its output. A result is tried again with whatever
                is written next; if this process ends before that, the next start shows the action as interrupted.
        """
        self._writer.must_be_open()
        held = self._running.pop(action)
        held.stop_timer()
        ended, cleaned = time.time_ns(), self._cleaning.submit(held.clean, held.gathered.take(), last=True)

        def write(db: Database) -> None:
            held.write(db, self._writer, cleaned.result())
            self._writer.owe("results", held.result_row(result, ended, self.session))
            self._writer.pay(db)

        await self._writer.run(write)
        if (error := held.new_error()) is not None:
            raise error

    def close(self) -> None:
        """End the session; twice is once. An action still open here is shown as interrupted by the next start.

        Raises:
            ActionLogError: The session's end could not be recorded; everything is let go of all the same.
        """
        for held in self._running.values():
            self._send(held, last=True)
        try:
            self._writer.close(clean=not self._running)
        finally:
            self._cleaning.shutdown()
            if self._reader is not None:
                self._reader.close()

    def _send(self, held: OpenAction, *, last: bool = False) -> None:
        """Have what was gathered written; of the event loop's side."""
        held.stop_timer()
        pieces = held.gathered.take()
        if self._writer.closed or not (pieces or last):
            return

        cleaned = self._cleaning.submit(held.clean, pieces, last=last)

        def write(db: Database) -> None:
            held.write(db, self._writer, cleaned.result())

        underway: Future[None] = self._writer.submit(write, quick=True)
        held.underway.append(underway)
