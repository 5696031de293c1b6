"""A second person's approval: a request that names everything, signed with an SSH key, without a server.

The operator's cockpit writes the request into the action log; another person signs its text with `ssh-keygen -Y sign`
(`cockpit approve ID` does that), and the answer goes into the log as well. Before the command runs the signature is
checked once more, and that the request is about this very command, has not expired, was not used, and was not signed
by whoever asked.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from cockpit.actions.command import Command, on_member
from cockpit.errors import Refused
from cockpit.guard import signing
from cockpit.guard.judge import Assessment
from cockpit.signals import SECOND, rfc3339

if TYPE_CHECKING:
    from cockpit.actionlog.records import Answer, Approval


class Grant(Struct, frozen=True, kw_only=True):
    """An approval that was checked.

    Attributes:
        request: The request's id.
        approver: Who gave it.
        digest: Of the command that it is about.
        expires_ns: Until when it holds.
        beforehand: Whether it was given beforehand, for as often as the command is run.
        members: Digests of what the command is on each of several hosts.
    """

    request: str
    approver: str
    digest: str
    expires_ns: int
    beforehand: bool = False
    members: frozenset[str] = frozenset()

    def covers(self, command: Command, now: int) -> bool:
        """Return whether it lets this command run now."""
        wanted = digest(command)
        return (wanted == self.digest or wanted in self.members) and now < self.expires_ns


def digest(command: Command) -> str:
    """Return a digest of what runs and where: SHA-256 over JSON of argv, line, folder, target and its environment.

    For a command on several hosts their names and environments follow, as a list of pairs.
    """
    parts: list[object] = [
        list(command.argv),
        command.shell,
        command.cwd,
        command.target.name,
        command.target.environment.value,
    ]
    if command.members:
        parts.append([[member.name, member.environment.value] for member in command.members])
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


def request_of(
    command: Command,
    assessment: Assessment,
    *,
    fingerprint: str,
    expires_ns: int,
    beforehand: bool = False,
) -> dict[str, Any]:
    """Return what a second person is shown and signs.

    Args:
        command: What is to run.
        assessment: What the guard thinks of it.
        fingerprint: Of the operator's own signing key; empty where there is none.
        expires_ns: Until when the approval would hold.
        beforehand: Whether it would hold for as often as the command is run.
    """
    return {
        "form": "cockpit-approval/1",
        "beforehand": beforehand,
        "command": command.shell or list(command.argv),
        "command_digest": digest(command),
        "directory": command.cwd,
        "target": command.target.name,
        "environment": assessment.environment.value,
        "lands_on": assessment.place,
        "risk": assessment.risk.value,
        "blast_radius": list(assessment.reasons),
        "undo": assessment.undo,
        "reason": command.reason,
        "incident": command.incident,
        "ticket": command.ticket,
        "asked_by": command.actor,
        "asked_by_key": fingerprint,
        "expires": rfc3339(expires_ns),
    }


async def sign(asked: str, *, key: Path, operator: str, allowed_signers: Path) -> tuple[str, str]:
    """Sign a request as a second person; return who that is by the allowed signers, and the signature.

    Args:
        asked: The request's text.
        key: The second person's key.
        operator: The account that asks, as `user@host`, from the request's own row.
        allowed_signers: Whose signatures count.

    Raises:
        Refused: It is the operator's own.
        SignatureError: It can't be signed, or that key may not.
    """
    signature = await signing.sign(asked.encode(), key, signing.APPROVAL)
    return await check(asked, signature, operator=operator, allowed_signers=allowed_signers), signature


async def check(asked: str, signature: str, *, operator: str, allowed_signers: Path) -> str:
    """Check a signature over a request, and return whose it is.

    Raises:
        Refused: It is the operator's own.
        SignatureError: It does not hold.
    """
    approver = await signing.signer(signature, allowed_signers)
    await signing.verify(asked.encode(), signature, approver, allowed_signers, signing.APPROVAL)
    own_key = json.loads(asked).get("asked_by_key")
    own_name = operator.partition("@")[0]
    if signing.fingerprint_of(signature) == own_key or approver.partition("@")[0] == own_name:
        raise Refused(
            f"{approver} asked for this, and nobody approves their own",
            remedy="a second person has to sign it",
        )
    if own_key and approver in await signing.names_of(own_key, allowed_signers):
        raise Refused(
            f"the operator's own key is one of {approver}'s as well", remedy="a second person has to sign it"
        )
    return approver


async def granted(
    approval: Approval, command: Command, *, allowed_signers: Path, used: bool, now: int | None = None
) -> Grant:
    """Return the approval of a command, checked anew.

    Args:
        approval: The request and the answers to it, as the log has them.
        command: What is to run.
        allowed_signers: Whose signatures count.
        used: Whether a command has run under it already.
        now: Nanoseconds since the epoch; None takes the clock.

    Raises:
        Refused: Nobody has approved it, or what was approved does not cover this.
        SignatureError: The signature does not hold.
    """
    grant = _answer(approval.answers)
    if grant is None:
        raise Refused(
            f"nobody has approved {approval.id}",
            remedy=f"a second person runs: cockpit approve {approval.id}",
        )
    asked: Mapping[str, Any] = json.loads(approval.asked)
    beforehand = asked.get("beforehand") is True
    if used and not beforehand:
        raise Refused(f"{approval.id} was used already", remedy="ask for approval again")
    approver = await check(
        approval.asked, grant.signature, operator=approval.actor, allowed_signers=allowed_signers
    )
    made = Grant(
        request=approval.id,
        approver=approver,
        digest=str(asked.get("command_digest")),
        expires_ns=approval.expires_ns,
        beforehand=beforehand,
        members=frozenset(digest(on_member(command, member)) for member in command.members),
    )
    moment = time.time_ns() if now is None else now
    if moment >= approval.expires_ns or asked.get("expires") != rfc3339(approval.expires_ns):
        raise Refused(f"the approval {approval.id} has expired", remedy="ask for approval again")
    if not made.covers(command, moment):
        raise Refused(
            f"the approval {approval.id} is about another command", remedy="ask for approval of this one"
        )
    return made


def _answer(answers: Sequence[Answer]) -> Answer | None:
    """Return the grant among answers; a refusal that came later takes it back."""
    last = answers[-1] if answers else None
    return last if last is not None and last.granted else None


def expiry(minutes: int, now: int | None = None) -> int:
    """Return the moment some minutes from now, in nanoseconds, whole seconds."""
    moment = time.time_ns() if now is None else now
    return (moment // SECOND + minutes * 60) * SECOND
