"""Reads the action log, on a connection of its own that can write nothing."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cockpit.actionlog.capture import pieces_of
from cockpit.actionlog.database import errors_mapped
from cockpit.actionlog.entry_reader import EntryReader
from cockpit.actionlog.records import Action, Chunk, State
from cockpit.actionlog.sessions import INTERRUPTED, is_alive
from cockpit.errors import UsageError
from cockpit.signals import rfc3339


class ActionReader(EntryReader):
    """Answers questions about what was done. A log that nothing has written yet is an empty one."""

    def list(
        self, *, limit: int = 50, session: str = "", incident: str = "", target: str = "", state: str = ""
    ) -> Sequence[Action]:
        """Return at most `limit` actions that fit, newest first; `session` may be the beginning of one.

        Raises:
            ActionLogError: The log can't be read.
        """
        wanted = {"session": session.upper(), "incident": incident, "target": target}
        conditions = [f"{name} = :{name}" for name in ("incident", "target") if wanted[name]]
        if session:
            conditions.append("session >= :session and session < :session || '~'")
        if state in (State.RUNNING, State.INTERRUPTED):
            conditions.append("(state is null or state = :state)")
        elif state:
            conditions.append("state = :state")
        where = f"where {' and '.join(conditions)}" if conditions else ""
        found: deque[Action] = deque()
        with self._lock, errors_mapped(self.path):
            rows = self._query(
                f"select * from action_states {where} order by started_ns desc, place desc",  # noqa: S608  fixed names
                {**wanted, "state": state},
            )
            alive: dict[str, bool] = {}
            for row in rows:
                if len(found) >= limit:
                    break
                action = self._action(row, alive)
                if not state or action.state == state:
                    found.append(action)
        return tuple(found)

    def show(self, action: str) -> Action:
        """Return one action by its id or the beginning of it.

        Raises:
            UsageError: No action, or more than one, has an id that begins so.
            ActionLogError: The log can't be read.
        """
        beginning = action.strip().upper()
        with self._lock, errors_mapped(self.path):
            rows = list(
                self._query(
                    "select * from action_states where id >= :first and id < :first || '~' order by id limit 2",
                    {"first": beginning},
                )
            )
            if len(rows) != 1 or not beginning:
                what = "more than one action begins" if rows else "no action begins"
                raise UsageError(f"{what} with {action!r}", remedy="`cockpit log list` shows the ids")
            return self._action(rows[0], {})

    def output(self, action: str) -> Iterator[Chunk]:
        """Yield the kept output of the action with that full id, in the order it came.

        Raises:
            ActionLogError: The log can't be read.
        """
        after = -1
        while True:
            with self._lock, errors_mapped(self.path):
                rows = list(
                    self._query(
                        "select * from output where action = :action and seq > :after order by seq limit 8",
                        {"action": action, "after": after},
                    )
                )
            if not rows:
                return
            for row in rows:
                yield from self._chunks(row)
            after = rows[-1]["seq"]

    def _chunks(self, row: dict[str, Any]) -> Iterator[Chunk]:
        if row["data"] is None:
            return  # pruned
        try:
            pieces = pieces_of(row)
        except ValueError as error:
            raise self._damaged(f"output of {row['action']}", error) from None
        for at, stream, data in pieces:
            yield Chunk(at=at, stream=stream, data=data)

    def _action(self, row: Mapping[str, Any], alive: dict[str, bool]) -> Action:
        """Build an action; one without a result is running, or interrupted where its session is dead."""
        session = row["session"]
        if row["state"] is None and session not in alive:
            alive[session] = is_alive(self.path, session)
        if row["state"] is None and not alive[session]:
            # The session may have recorded the result and ended since this row was read.
            row = next(self._query("select * from action_states where id = :id", {"id": row["id"]}))
        state, error = row["state"], row["error"]
        if state is None:
            state, error = (State.RUNNING, None) if alive[session] else (State.INTERRUPTED, INTERRUPTED)
        ended = row["ended_ns"]
        size, kept = row["output_bytes"] or 0, row["output_kept"] or 0
        return Action(
            id=row["id"],
            session=session,
            incident=row["incident"],
            actor=row["actor"],
            target=row["target"],
            environment=row["environment"],
            argv=tuple(json.loads(row["argv"])),
            shell=row["shell"],
            risk=row["risk"],
            decision=row["decision"],
            approvals=tuple(json.loads(row["approvals"] or "[]")),
            started_at=rfc3339(row["started_ns"]),
            ended_at=None if ended is None else rfc3339(ended),
            exit_status=row["exit_status"],
            signal=row["signal"],
            state=State(state),
            output_sha256=row["output_sha256"],
            output_bytes=size,
            hash=row["hash"],
            position=row["position"],
            kind=row["kind"],
            user=row["user"],
            host=row["host"],
            tty=row["tty"] or None,
            sudo_user=row["sudo_user"] or None,
            key_fingerprint=row["key_fingerprint"],
            undo=row["undo"],
            stdout_sha256=row["stdout_sha256"],
            stdout_bytes=row["stdout_bytes"] or 0,
            stderr_sha256=row["stderr_sha256"],
            stderr_bytes=row["stderr_bytes"] or 0,
            redacted=(row["cut"] or 0) + (row["output_cuts"] or 0),
            reasons=tuple(json.loads(row["reasons"] or "[]")),
            reason=row["reason"],
            ticket=row["ticket"],
            origin=row["origin"],
            cwd=row["cwd"],
            transport=row["transport"],
            error=error,
            output_kept=kept,
            output_cut=size - kept,
            duration_s=None if ended is None else (ended - row["started_ns"]) / 1e9,
        )
