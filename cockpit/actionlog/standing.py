"""What the action log says of itself, and records that stand for themselves: none of it has output to wait for.

Notes, evidence, approvals, what was done without a command that runs, checkpoints, and what is removed in the end.
`cockpit.actionlog.log` adds the commands that run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit import secrets
from cockpit.actionlog import checkpoints, entries, prune
from cockpit.actionlog.chain import head
from cockpit.actionlog.files import EvidenceFiles
from cockpit.actionlog.output import OpenAction
from cockpit.actionlog.prune import Plan
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action, Result, State
from cockpit.actionlog.redacting import Cleaner, open_redactor
from cockpit.actionlog.ulid import Ulids
from cockpit.actionlog.writer import Writer
from cockpit.actions.actor import current_actor
from cockpit.actions.command import Command, Kind, Origin, Risk
from cockpit.guard.judge import Decision
from cockpit.guard.redact import Cuts
from cockpit.signals import rfc3339
from cockpit.targets import Target

if TYPE_CHECKING:
    from sqlite_utils import Database


class StandingRecords:
    """One cockpit's hold on the file, and the records in it that are whole once they are written.

    Args:
        path: The file.
        busy_s: Seconds to wait for another process that is writing.
        signing_key: The operator's SSH key, with which checkpoints and tombstones are signed.

    Attributes:
        path: The file.
        session: This session's ULID.
        actor: Who this cockpit's operator is.
    """

    def __init__(self, path: Path, *, busy_s: float, signing_key: Path | None) -> None:
        self.path = path
        self._signing_key = signing_key
        self._ulids = Ulids()
        self.session = self._ulids.new()
        self.actor = current_actor()
        self._reader: ActionReader | None = None
        self._writer = Writer(path, self.session, busy_s=busy_s, signing_key=signing_key)
        self._cleaner = Cleaner(open_redactor(path, secrets.known))

    @property
    def interrupted(self) -> list[str]:
        """Actions that earlier sessions left open, recorded as interrupted when this one began."""
        return self._writer.interrupted

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

    def without_secrets(self, text: str) -> str:
        """Return a text as it would be recorded; for a line, as it takes its time."""
        return self._cleaner.row({"text": text}, Cuts())["text"] or ""

    async def record_action(
        self,
        kind: Kind,
        argv: Sequence[str],
        target: Target,
        *,
        incident: str = "",
        reason: str = "",
        origin: Origin = Origin.OPERATOR,
        risk: Risk = Risk.READ,
        reasons: Sequence[str] = (),
        refused: str = "",
    ) -> str:
        """Record something that was done or refused without a command that runs, and return its id.

        Args:
            kind: What it is: an elevation, an export, an approval.
            argv: What exactly, as words: `("elevate", "15m")`.
            target: What it is about.
            incident: The incident it belongs to.
            reason: Why, in the operator's words.
            origin: Who or what asked.
            risk: What it may do.
            reasons: Why it was let happen, or not.
            refused: What to say of it where it was refused; it was done where this is empty.

        Raises:
            ActionLogError: It could not be recorded, so it must not be done.
        """
        command = Command(
            argv=tuple(argv),
            target=target,
            actor=str(self.actor),
            reason=reason,
            incident=incident,
            origin=origin,
            kind=kind,
        )
        decision = Decision.DENY if refused else Decision.RUN
        result = Result(state=State.DENIED, error=refused) if refused else Result(state=State.DONE)
        intent = entries.Intent(command=command, risk=risk, decision=decision, reasons=tuple(reasons))
        action, now = self._ulids.new(), time.time_ns()
        held = OpenAction(action, self._cleaner, keep=0)

        def write(db: Database) -> None:
            self._writer.insert(
                db,
                ("actions", entries.intent_row(action, self.session, now, intent, self._cleaner)),
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
