"""The action log as the door uses it: an intent before, output as it comes, a result after.

Every write happens in one thread of its own, so that neither the disk nor another process that holds the file ever
stops the screen. What can't be written is an `ActionLogError`, and the door then starts nothing. Secrets are cut out
of everything before it is written; nothing can be asked to leave them in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit import secrets
from cockpit.actionlog import checkpoints, entries, prune
from cockpit.actionlog.chain import head
from cockpit.actionlog.database import BUSY_S
from cockpit.actionlog.files import EvidenceFiles
from cockpit.actionlog.output import CHUNKS_UNDERWAY, KEEP, WAIT_S, OpenAction
from cockpit.actionlog.places import Place, place_columns
from cockpit.actionlog.prune import Plan
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action, Recorded, Result, State
from cockpit.actionlog.redacting import Cleaner, open_redactor
from cockpit.actionlog.ulid import Ulids
from cockpit.actionlog.writer import Writer
from cockpit.actions.actor import current_actor
from cockpit.actions.command import Command, Kind, Origin, Risk
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError
from cockpit.guard.judge import Decision
from cockpit.guard.redact import Cuts
from cockpit.signals import rfc3339
from cockpit.targets import Target

if TYPE_CHECKING:
    from sqlite_utils import Database

FILE = "actions.db"
"""The log's name in the data directory."""
DONE = Result(state=State.DONE)
"""How what runs nothing ends, unless it fails or is refused."""


class ActionLog:
    """One cockpit's hold on the action log, which other cockpits and commands use at the same time.

    Attributes:
        path: The file.
        session: This session's ULID.
        actor: Who this cockpit's operator is.
    """

    def __init__(
        self, path: Path, *, keep: int = KEEP, busy_s: float = BUSY_S, signing_key: Path | None = None
    ) -> None:
        self.path = path
        self._keep = keep
        self._signing_key = signing_key
        self._ulids = Ulids()
        self.session = self._ulids.new()
        self.actor = current_actor()
        self._running: dict[str, OpenAction] = {}
        self._reader: ActionReader | None = None
        self._writer = Writer(path, self.session, busy_s=busy_s, signing_key=signing_key)
        self._cleaner = Cleaner(open_redactor(path, secrets.known))
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

    @property
    def interrupted(self) -> list[str]:
        """Actions that earlier sessions left open, recorded as interrupted when this one began."""
        return self._writer.interrupted

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
            self._writer.insert(db, ("actions", self._intent(action, started, intent)))

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

    def without_secrets(self, text: str) -> str:
        """Return a text as it would be recorded; for a line, as it takes its time."""
        return self._cleaner.row({"text": text}, Cuts())["text"] or ""

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

    async def record_action(
        self,
        kind: Kind,
        argv: Sequence[str],
        target: Target,
        *,
        incident: str = "",
        reason: str = "",
        ticket: str = "",
        origin: Origin = Origin.OPERATOR,
        risk: Risk = Risk.READ,
        decision: Decision = Decision.RUN,
        reasons: Sequence[str] = (),
        approvals: Sequence[str] = (),
        result: Result = DONE,
    ) -> str:
        """Record something that was done or refused without a command that runs, and return its id.

        Args:
            kind: What it is: an elevation, an export, an approval.
            argv: What exactly, as words: `("elevate", "15m")`.
            target: What it is about.
            incident: The incident it belongs to.
            reason: Why, in the operator's words.
            ticket: A change ticket.
            origin: Who or what asked.
            risk: What it may do.
            decision: Whether it was let happen.
            reasons: Why that was decided.
            approvals: Ids of the requests for approval that were granted for it.
            result: How it ended.

        Raises:
            ActionLogError: It could not be recorded, so it must not be done.
        """
        command = Command(
            argv=tuple(argv),
            target=target,
            actor=str(self.actor),
            reason=reason,
            ticket=ticket,
            incident=incident,
            origin=origin,
            kind=kind,
        )
        intent = entries.Intent(
            command=command,
            risk=risk,
            decision=decision,
            reasons=tuple(reasons),
            approvals=tuple(approvals),
        )
        action, now = self._ulids.new(), time.time_ns()
        held = OpenAction(action, self._cleaner, keep=0)

        def write(db: Database) -> None:
            self._writer.insert(
                db,
                ("actions", self._intent(action, now, intent)),
                ("results", held.result_row(result, now, self.session)),
            )

        await self._writer.run(write)
        return action

    async def note(self, text: str, *, incident: str = "", action: str = "") -> str:
        """Pin a note, about an action where one is given, and return its id.

        Raises:
            ActionLogError: It could not be written.
        """
        row = {"actor": str(self.actor), "incident": incident or None, "action": action or None}
        return await self._add("notes", row, {"text": text})

    async def evidence(
        self,
        kind: str,
        title: str,
        body: bytes,
        *,
        query: str = "",
        start_ns: int | None = None,
        end_ns: int | None = None,
        media_type: str = "text/plain",
        incident: str = "",
    ) -> str:
        """Pin evidence as it is now, and return its id.

        Args:
            kind: What it is: `alert`, `logs`, `trace`, `plot`.
            title: What to call it.
            body: Its content. Of text (UTF-8) the secrets are cut; the hash kept is of what is kept.
            query: What found it.
            start_ns: The beginning of the time it speaks of, in nanoseconds since the epoch.
            end_ns: Its end.
            media_type: What its content is.
            incident: The incident it belongs to.

        Raises:
            ActionLogError: It could not be written.
        """
        row: dict[str, Any] = {"actor": str(self.actor), "incident": incident or None, "kind": kind}
        row |= {"media_type": media_type, "start_ns": start_ns, "end_ns": end_ns}
        return await self._add("evidence", row, {"title": title, "query": query}, body)

    async def request_approval(
        self, asked: Mapping[str, Any], *, target: str = "", incident: str = "", expires_ns: int
    ) -> str:
        """Record that a second person is asked, and return the request's id.

        What is to be signed is the text in `Approval.asked`, which holds `asked` as JSON without its secrets.

        Raises:
            ActionLogError: It could not be written.
        """
        row: dict[str, Any] = {"kind": "request", "actor": str(self.actor), "incident": incident or None}
        row |= {"target": target or None, "expires_ns": expires_ns}
        return await self._add("approvals", row, {"asked": entries.as_text(asked)})

    async def answer_approval(
        self,
        request: str,
        *,
        granted: bool,
        approver: str,
        signature: str,
        fingerprint: str,
        remark: str = "",
    ) -> str:
        """Record what a second person said to a request, and return the answer's id.

        Whether the signature holds, and who may give one, is the guard's to say before this.

        Raises:
            ActionLogError: It could not be written.
        """
        row = {"kind": "grant" if granted else "refusal", "actor": str(self.actor), "request": request}
        row |= {"approver": approver, "key_fingerprint": fingerprint, "signature": signature}
        return await self._add("approvals", row, {"remark": remark})

    async def checkpoint(self) -> checkpoints.Checkpoint:
        """State where the chain stands, sign that where there is a key, and record it.

        Raises:
            ActionLogError: It could not be written.
        """
        unsigned = await self._writer.run(
            lambda db: checkpoints.state(head(db), self.session, self.actor.host)
        )
        made = await checkpoints.signed(unsigned, self._signing_key)
        await self._writer.run(lambda db: checkpoints.keep(db, self.path, made))
        return made

    async def prune(
        self, before_ns: int, *, reason: str, output_only: bool = False, dry_run: bool = False
    ) -> Plan:
        """Remove old sessions, or the bytes of old output, and leave a tombstone that says so.

        Args:
            before_ns: What ended, or of output what came, before this moment goes.
            reason: Why; it is kept.
            output_only: Whether to drop the bytes of output and keep every record.
            dry_run: Whether to say only what would go.

        Raises:
            ActionLogError: It could not be done, and nothing is gone.
            SignatureError: The tombstone can't be signed, and nothing is gone.
        """
        planned = prune.plan_output if output_only else prune.plan_sessions
        plan = await self._writer.run(lambda db: planned(db, before_ns))
        if dry_run or plan.empty:
            return plan
        why = self._cleaner.row({"reason": reason}, Cuts())["reason"] or ""
        tombstone = await prune.tombstone_of(
            plan,
            reason=why,
            actor=str(self.actor),
            session=self.session,
            before_ns=before_ns,
            key=self._signing_key,
        )
        place = Target(name=str(self.path), transport="log")
        words = ("prune", plan.kind, "--before", rfc3339(before_ns))
        await self.record_action(Kind.PRUNE, words, place, reason=reason, risk=Risk.DESTRUCTIVE)
        await self._writer.run(lambda db: prune.carry_out(db, plan, tombstone))
        named = [manifest.kept_sha256 for _, manifest in self.reading().manifests()]
        await asyncio.to_thread(self.files.drop_unnamed, named)
        return plan

    async def list(
        self, *, limit: int = 50, session: str = "", incident: str = "", target: str = "", state: str = ""
    ) -> Sequence[Action]:
        """Return the newest actions that fit, newest first.

        Raises:
            ActionLogError: The log can't be read.
        """
        reader = self.reading()
        return await asyncio.to_thread(
            reader.list, limit=limit, session=session, incident=incident, target=target, state=state
        )

    async def show(self, action: str) -> Action:
        """Return one action by its id or the beginning of it.

        Raises:
            UsageError: No action, or more than one, has an id that begins so.
            ActionLogError: The log can't be read.
        """
        return await asyncio.to_thread(self.reading().show, action)

    @property
    def files(self) -> EvidenceFiles:
        """The files of evidence beside this log."""
        return EvidenceFiles(self.path)

    def cleaner(self) -> Cleaner:
        """Return what cuts secrets out of a file on its way in; for one thread."""
        return self._cleaner

    def reading(self) -> ActionReader:
        """Return the reader of this log; it lives as long as the log is open."""
        if self._reader is None:
            self._reader = ActionReader(self.path)
        return self._reader

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

    async def _add(
        self, table: str, row: dict[str, Any], texts: dict[str, str], body: bytes | None = None
    ) -> str:
        """Write one row that stands for itself, its texts and its body cleaned."""
        new = self._ulids.new()
        own = {"id": new, "session": self.session, "at_ns": time.time_ns(), **row}

        def write(db: Database) -> None:
            self._writer.insert(db, (table, entries.entry(own, texts, body, self._cleaner)))

        await self._writer.run(write)
        return new

    def _intent(self, action: str, started: int, intent: entries.Intent) -> dict[str, Any]:
        return entries.intent_row(action, self.session, started, intent, self._cleaner)
