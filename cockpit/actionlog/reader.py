"""Reads the action log, on a connection of its own that can write nothing."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cockpit.actionlog import search
from cockpit.actionlog.capture import pieces_of
from cockpit.actionlog.database import errors_mapped
from cockpit.actionlog.entry_reader import EntryReader, evidence_of, note_of
from cockpit.actionlog.filters import Filter
from cockpit.actionlog.records import Action, Chunk, Evidence, Note, State
from cockpit.actionlog.sessions import INTERRUPTED, is_alive
from cockpit.errors import UsageError
from cockpit.signals import rfc3339

RARE = 5000
"""Of fewer actions than this, a list begins with the state that is asked for rather than with the newest."""
_HITS = (
    "select coalesce(a.id, o.action, n.action) as action, n.id as note, e.id as evidence, "
    "coalesce(a.started_ns, (select started_ns from actions where id = coalesce(o.action, n.action)), n.at_ns, "
    "e.at_ns) as at from search s "
    "left join actions a on a.position = s.rowid left join output o on o.position = s.rowid "
    "left join notes n on n.position = s.rowid left join evidence e on e.position = s.rowid "
    "where search match :match order by s.rowid desc"
)
_HITS_OF_FEW = (
    "with few (action, position) as (select distinct a.id, a.position from results r "
    "join actions a on a.id = r.action where r.state = :state), "
    "places (action, position) as (select action, position from few "
    "union all select f.action, o.position from few f join output o on o.action = f.action "
    "union all select f.action, n.position from few f join notes n on n.action = f.action) "
    "select action, null as note, null as evidence, (select started_ns from actions where id = action) as at "
    "from places p where exists "
    "(select 1 from search where search match :match and rowid = p.position) order by position desc"
)
"""Where few actions are in a state, each of them is asked whether it holds the words."""
RECORDED = frozenset(State) - {State.RUNNING, State.INTERRUPTED}
"""States that a result says by itself."""


class ActionReader(EntryReader):
    """Answers questions about what was done. A log that nothing has written yet is an empty one."""

    def list(
        self, *, limit: int = 50, session: str = "", incident: str = "", target: str = "", state: str = ""
    ) -> Sequence[Action]:
        """Return at most `limit` actions that fit, newest first; `session` may be the beginning of one.

        Raises:
            ActionLogError: The log can't be read.
        """
        wanted = Filter(session=session.upper(), incident=incident, target=target, state=state)
        return self.find(wanted, limit=limit)

    def find(self, wanted: Filter, *, limit: int = 50) -> Sequence[Action]:
        """Return at most `limit` actions that fit, newest first; the text of the filter is for `search`.

        Raises:
            ActionLogError: The log can't be read.
        """
        state = wanted.state
        found: deque[Action] = deque()
        with self._lock, errors_mapped(self.path):
            alive: dict[str, bool] = {}
            for row in self._query(*self._listing(wanted)):
                if len(found) >= limit:
                    break
                action = self._action(row, alive)
                if not state or action.state == state:
                    found.append(action)
        return tuple(found)

    def _listing(self, wanted: Filter) -> tuple[str, dict[str, Any]]:
        """Return the SQL for a list, newest first, and its values."""
        conditions, values = wanted.conditions()
        if wanted.state in (State.RUNNING, State.INTERRUPTED):
            conditions.append("(state is null or state = :state)")
        elif wanted.state:
            conditions.append("state = :state")
            if self._is_rare(wanted.state):
                conditions.append("id in (select action from results where state = :state)")
        where = f"where {' and '.join(conditions)}" if conditions else ""
        sql = f"select * from action_states {where} order by started_ns desc, place desc"  # noqa: S608  fixed names
        return sql, {**values, "state": wanted.state}

    def _is_rare(self, state: str) -> bool:
        """Return whether so few actions ended in a state that it is best to begin with those."""
        sql = f"select count(*) as count from (select 1 from results where state = :state limit {RARE})"  # noqa: S608
        return any(row["count"] < RARE for row in self._query(sql, {"state": state}))

    def search(self, wanted: Filter, *, limit: int = 50) -> Sequence[Action | Note | Evidence]:
        """Return what holds the filter's words, newest first: actions, and notes and evidence that are about none.

        Words are found in a command and its reason, in one note, or in the beginning of what an action printed; all
        of them have to stand in one of these.

        Raises:
            UsageError: There is no word to look for.
            ActionLogError: The log can't be read.
        """
        with self._lock, errors_mapped(self.path):
            match = search.expression(wanted, *self._ends())
            found: dict[str, tuple[int, Action | Note | Evidence]] = {}
            alive: dict[str, bool] = {}
            few = wanted.state in RECORDED and self._is_rare(wanted.state)
            hits = _HITS_OF_FEW if few else _HITS
            for hit in self._query(hits, {"match": match, "state": wanted.state}):
                if len(found) >= limit:
                    break
                name = hit["action"] or hit["note"] or hit["evidence"]
                if name is not None and name not in found and wanted.holds_at(hit["at"]):
                    record = self._found(hit, alive)
                    if not wanted.state or getattr(record, "state", None) == wanted.state:
                        found[name] = hit["at"], record
        return tuple(record for _, record in sorted(found.values(), key=lambda one: -one[0]))

    def _ends(self) -> tuple[int, int]:
        """Return when the first and the last action began."""
        sql = "select (select min(started_ns) from actions) as least, (select max(started_ns) from actions) as most"
        row = next(self._query(sql, {}), {"least": None, "most": None})
        return row["least"] or 0, row["most"] or time.time_ns()

    def _found(self, hit: Mapping[str, Any], alive: dict[str, bool]) -> Action | Note | Evidence:
        """Return what a hit is about."""
        if hit["action"]:
            row = next(self._query("select * from action_states where id = :id", {"id": hit["action"]}))
            return self._action(row, alive)
        if hit["note"]:
            row = next(self._query("select * from notes where id = :id", {"id": hit["note"]}))
            return note_of(row)
        row = next(
            self._query(
                "select *, body is not null as kept from evidence where id = :id", {"id": hit["evidence"]}
            )
        )
        return evidence_of(row)

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
