"""Second persons' approvals as a session uses them: asked for in the action log, and checked before they count."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.actions.command import Command
from cockpit.errors import Refused, SignatureError
from cockpit.guard import approval, signing
from cockpit.guard.approval import Grant
from cockpit.guard.judge import Assessment

if TYPE_CHECKING:
    from cockpit.actionlog.log import ActionLog
    from cockpit.actionlog.reader import ActionReader
    from cockpit.config import Settings

BEFOREHAND_MOST = 366
"""Days that an approval given beforehand may hold."""

LOOK_S = 1.0
"""Seconds between two looks for an answer."""


class Approvals:
    """Asks second persons, and remembers the approvals that were checked.

    Args:
        log: Where requests and answers are kept.
        settings: Say whose signatures count, and how long a request is open.
    """

    def __init__(self, log: ActionLog, settings: Settings) -> None:
        self._log = log
        self._settings = settings
        self._grants: dict[str, Grant] = {}

    def of(self, command: Command) -> Grant | None:
        """Return the approval that a command names, if it was checked and covers the command now."""
        grant = self._grants.get(command.approval)
        return grant if grant is not None and grant.covers(command, time.time_ns()) else None

    async def ask(self, command: Command, assessment: Assessment) -> str:
        """Record that a second person is asked, and return the request's id.

        Raises:
            ActionLogError: It can't be recorded.
            SignatureError: Nobody's signature would count.
        """
        self.signers()
        expires = approval.expiry(self._settings.guard.approval_minutes)
        asked = approval.request_of(
            command, assessment, fingerprint=await self._own_key(), expires_ns=expires
        )
        return await self._log.request_approval(
            asked, target=command.target.name, incident=command.incident, expires_ns=expires
        )

    async def take(self, request: str, command: Command) -> Command:
        """Return the command under an approval, once that is checked.

        Raises:
            Refused: Nobody has approved it, or what was approved does not cover this.
            SignatureError: The signature does not hold.
            UsageError: There is no such request.
            ActionLogError: The log can't be read.
        """
        from msgspec.structs import replace

        reading = self._log.reading()
        found = reading.approval(request)
        grant = await approval.granted(
            found, command, allowed_signers=self.signers(), used=reading.ran_under(found.id)
        )
        self._grants[grant.request] = grant
        return replace(command, approval=grant.request)

    async def wait(self, request: str, command: Command) -> Command:
        """Wait for a second person's answer, and return the command under the approval.

        Raises:
            Refused: The answer was no, or none came in time.
            SignatureError: The signature does not hold.
            ActionLogError: The log can't be read.
        """
        while True:
            found = await asyncio.to_thread(self._log.reading().approval, request)
            if found.answers and found.answers[-1].granted:
                return await self.take(request, command)
            if found.answers:
                last = found.answers[-1]
                raise Refused(f"{last.approver} said no", where=request, remedy=last.remark or "")
            if time.time_ns() >= found.expires_ns:
                raise Refused("nobody answered in time", where=request, remedy="ask for approval again")
            await asyncio.sleep(LOOK_S)

    async def beforehand(self, command: Command) -> Command:
        """Return the command under an approval that was given for it beforehand, else as it is."""
        if not self._settings.log.allowed_signers:
            return command
        wanted = approval.digest(command)
        for found in self._log.reading().approvals(limit=1000):
            if f'"{wanted}"' in found.asked and '"beforehand": true' in found.asked and found.answers:
                try:
                    return await self.take(found.id, command)
                except (Refused, SignatureError):
                    continue
        return command

    def reading(self) -> ActionReader:
        """Return the reader of the log."""
        return self._log.reading()

    def signers(self) -> Path:
        """Return the list of those whose signatures count.

        Raises:
            SignatureError: The configuration names none.
        """
        if not self._settings.log.allowed_signers:
            raise SignatureError(
                "nobody's signature counts here",
                where="[log] allowed_signers",
                remedy="name a file of allowed signers in cockpit.toml, see docs/guard.md",
            )
        return Path(self._settings.log.allowed_signers)

    async def _own_key(self) -> str:
        key = self._settings.log.signing_key
        return await signing.fingerprint(Path(key)) if key else ""
