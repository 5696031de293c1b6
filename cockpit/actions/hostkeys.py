"""Records what became of host keys: which were trusted from when on, by whom, and which were refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.actions.command import Kind, Origin, Risk
from cockpit.ssh.asking import OfferedKey, Verdict
from cockpit.targets import Targets

if TYPE_CHECKING:
    from cockpit.actionlog.log import ActionLog

WORDS = {
    Verdict.ACCEPTED: "the operator took an unknown key for the host's",
    Verdict.ACCEPTED_UNASKED: "StrictHostKeyChecking accept-new takes unknown keys",
    Verdict.DECLINED: "its key is not known, and was not accepted",
    Verdict.CHANGED: "it showed another key than the one that is known",
    Verdict.REVOKED: "it showed a key that is revoked",
}
TAKEN = (Verdict.ACCEPTED, Verdict.ACCEPTED_UNASKED)


class HostKeyRecord:
    """Writes to the action log, on the log's own loop.

    Args:
        log: The log.
        targets: Says what environment a host belongs to.
    """

    def __init__(self, log: ActionLog, targets: Targets) -> None:
        self._log = log
        self._targets = targets
        self._refused: set[tuple[str, str, Verdict]] = set()

    async def record(self, key: OfferedKey, verdict: Verdict, *, incident: str = "") -> None:
        """Record what became of a host key; that a host goes on showing a wrong one is said once a session.

        Raises:
            ActionLogError: It can't be recorded.
        """
        taken, once = verdict in TAKEN, (key.address, key.fingerprint, verdict)
        if once in self._refused:
            return
        why = WORDS[verdict]
        await self._log.record_action(
            Kind.HOST_KEY,
            ("known_hosts", "add" if taken else "refuse", key.address, key.fingerprint),
            self._targets.resolve(key.hop),
            incident=incident,
            origin=Origin.AUTOMATION if verdict is Verdict.ACCEPTED_UNASKED else Origin.OPERATOR,
            risk=Risk.CHANGE if taken else Risk.READ,
            reasons=(f"{key.algorithm}: {why}",),
            refused="" if taken else why,
        )
        if not taken:
            self._refused.add(once)
