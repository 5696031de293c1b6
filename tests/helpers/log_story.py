"""A night's work in a real action log: commands, a note, evidence and a second person's approval, at given times."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from cockpit.actionlog.log import FILE, ActionLog
from cockpit.actionlog.records import Result, State
from cockpit.actions.actor import Actor
from cockpit.actions.command import Command, Risk
from cockpit.actions.transport import Stream
from cockpit.guard.judge import Decision
from cockpit.signals import SECOND
from cockpit.targets import Environment, Target

INCIDENT = "INC-42"
ANA = Actor(user="ana", host="desk-4")
DB = Target(name="db-1", environment=Environment.PRODUCTION)
WEB = Target(name="web-2", environment=Environment.STAGING)


class Moments:
    """A clock that stands until it is put on."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1
        return self.now

    def on(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@contextmanager
def standing(moments: Moments) -> Iterator[None]:
    """Let the log read its times from a clock of ours."""
    with patch.object(time, "time_ns", moments):
        yield


async def story(folder: Path, start: int) -> list[str]:
    """Write what was done into a log, from a moment on; return the ids of its actions."""
    moments = Moments(start)
    with standing(moments):
        log = ActionLog.open(folder / FILE)
        log.actor = ANA
        actions = [await _act(log, moments, *what) for what in _FIRST]
        await log.note(
            "pool exhausted since 02:59; ana raises it, bob watches the replicas", incident=INCIDENT
        )
        moments.on(20)
        series = [{"name": "orders-db pool", "points": [[start + n * SECOND, n / 40] for n in range(40)]}]
        await log.evidence(
            "plot",
            "orders-db pool degraded: 98 of 100 connections in use",
            json.dumps({"series": series, "unit": "1"}).encode(),
            query="service:orders-db",
            start_ns=start,
            end_ns=start + 40 * SECOND,
            media_type="application/json",
            incident=INCIDENT,
        )
        moments.on(15)
        asked = {
            "command": "psql -c 'DROP INDEX orders_old_idx'",
            "environment": "production",
            "risk": "destructive",
        }
        request = await log.request_approval(
            asked, target="db-1", incident=INCIDENT, expires_ns=moments.now + 900 * SECOND
        )
        moments.on(40)
        await log.answer_approval(
            request, granted=True, approver="bob@example.com", signature="…", fingerprint="SHA256:…"
        )
        actions += [await _act(log, moments, *what) for what in _THEN]
        log.close()
    return actions


_LINES = b"".join(b"%5d  idle in transaction  orders  00:0%d:12\n" % (4_000 + n, n % 10) for n in range(30))
_FIRST = (
    ("psql -c 'select pid, state from pg_stat_activity'", DB, Risk.READ, State.DONE, 0, 1.4, _LINES),
    (
        "systemctl status pgbouncer",
        DB,
        Risk.READ,
        State.FAILED,
        3,
        0.2,
        b"\x1b[31mpgbouncer.service - failed\x1b[0m\n",
    ),
    ("kubectl rollout restart deploy/checkout", WEB, Risk.CHANGE, State.DONE, 0, 3.1, b"restarted\n"),
    ("rm -rf /var/lib/postgresql/old", DB, Risk.DESTRUCTIVE, State.DENIED, None, 0.0, b""),
    ("systemctl restart pgbouncer", DB, Risk.CHANGE, State.CANCELLED, None, 0.0, b""),
)
_THEN = (
    ("psql -c 'DROP INDEX orders_old_idx'", DB, Risk.DESTRUCTIVE, State.DONE, 0, 12.5, b"DROP INDEX\n"),
    ("curl -s https://shop.example/health", WEB, Risk.READ, State.UNKNOWN_OUTCOME, None, 30.0, b""),
)


async def _act(
    log: ActionLog,
    moments: Moments,
    line: str,
    target: Target,
    risk: Risk,
    state: State,
    status: int | None,
    seconds: float,
    output: bytes,
) -> str:
    words = ("/bin/sh", "-c", line)
    command = Command(argv=words, shell=line, target=target, actor=str(ANA), incident=INCIDENT)
    decision = Decision.DENY if state is State.DENIED else Decision.RUN
    action = await log.begin(command, risk, decision, ("it is on the list",))
    lines = output.splitlines(keepends=True)
    for piece in lines:
        moments.on(seconds / len(lines))
        await log.output(action, Stream.STDOUT, piece)
    if not lines:
        moments.on(seconds)
    await log.finish(action, Result(state=state, exit_status=status))
    moments.on(25)
    return action
