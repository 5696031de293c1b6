"""The log as a time line, a page at a time: actions, notes, evidence, approvals, and sessions that begin and end.

What is not filtered is in the order it was written, which is that of positions; what is filtered is in the order of
time, since the indexes by target, risk and incident are. Either way a page costs what is on it, not what came before.
"""

# ruff: noqa: S608  all SQL here is of our own words
from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

from cockpit.actionlog.database import errors_mapped
from cockpit.actionlog.entry_reader import evidence_of, note_of, session_end_of, session_of
from cockpit.actionlog.filters import Filter
from cockpit.actionlog.reader import RECORDED, ActionReader
from cockpit.actionlog.records import Action, Approval, Evidence, Note, Session, SessionEnd, State
from cockpit.moments import moment

Record = Action | Note | Evidence | Approval | Session | SessionEnd
Place = tuple[int, int]
"""A time and a position: where in the time line something stands."""

PAGE = 200
"""Entries that are read at once."""
MOST_HITS = 5_000
"""Entries that a search for words shows at most; its hits are not in the order of time until all are known."""


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the time line.

    Attributes:
        at: When, in nanoseconds.
        position: The record's place in the chain; 0 where a search didn't say.
        record: What it is.
    """

    at: int
    position: int
    record: Record

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.at, self.position

    @property
    def key(self) -> tuple[str, str]:
        """Tell it from all others."""
        record = self.record
        return type(record).__name__, record.session if isinstance(record, SessionEnd) else record.id

    @property
    def is_open(self) -> bool:
        """Whether it may read otherwise when the log goes on."""
        record = self.record
        if isinstance(record, Approval):
            return not record.answers
        return isinstance(record, Action) and record.state in (State.RUNNING, State.INTERRUPTED)


class Part(Struct, frozen=True):
    """One of the tables that a time line is made of.

    Attributes:
        columns: What is read of it.
        table: Its name.
        at: Its column of times.
        filtered: The fields of a filter that it can answer, and its columns for them.
        only: What its rows have to be.
    """

    columns: str
    table: str
    at: str
    filtered: Mapping[str, str]
    only: str = "1"


_OWN = {"session": "session", "incident": "incident"}
_EVIDENCE = (
    "id, session, at_ns, actor, incident, kind, title, query, start_ns, end_ns, media_type, size, content_sha256, "
    "hash, position, body is not null as kept"
)
_OF_ACTIONS = {name: name for name in ("target", "risk", "kind", "state")}
_MAY_BE_OPEN = (
    "id in (select action from results where state = :state union "
    "select id from actions where session in (select session from running_sessions))"
)
"""What runs, or is held to be interrupted: an action without a result is one of a session that has not ended."""
PARTS = (
    Part("*", "action_states", "started_ns", _OWN | _OF_ACTIONS),
    Part("*", "notes", "at_ns", _OWN),
    Part(_EVIDENCE, "evidence", "at_ns", _OWN),
    Part("*", "approvals", "at_ns", _OWN | {"target": "target"}, "kind = 'request'"),
    Part("*", "sessions", "started_ns", {"session": "id"}),
    Part("*", "session_ends", "ended_ns", {"session": "session"}),
)


class Timeline(ActionReader):
    """Reads pages of the time line, newest first."""

    def head(self) -> int:
        """Return the position of the newest record: as long as it stands still, nothing was written.

        Raises:
            ActionLogError: The log can't be read.
        """
        with self._lock, errors_mapped(self.path):
            row = next(self._query("select position from chain_head", {}), None)
        return 0 if row is None else int(row["position"])

    def older(self, wanted: Filter, than: Place | None = None, *, limit: int = PAGE) -> Sequence[Entry]:
        """Return at most `limit` entries that fit, newest first, from the newest one or from a place on.

        Raises:
            ActionLogError: The log can't be read.
        """
        return self._page(wanted, than, limit, back=True)

    def newer(self, wanted: Filter, than: Place | None = None, *, limit: int = PAGE) -> Sequence[Entry]:
        """Return at most `limit` entries that fit and follow a place, or the oldest ones; newest first.

        Raises:
            ActionLogError: The log can't be read.
        """
        return self._page(wanted, than, limit, back=False)[::-1]

    def holding(self, wanted: Filter, *, limit: int = PAGE) -> Sequence[Entry]:
        """Return at most `limit` entries that hold the filter's words, newest first.

        Raises:
            UsageError: There is no word to look for.
            ActionLogError: The log can't be read.
        """
        return tuple(map(_entry_of, self.search(wanted, limit=limit)))

    def again(self, entries: Sequence[Entry]) -> Mapping[tuple[str, str], Entry]:
        """Return actions and requests as they are by now, by their keys.

        Raises:
            ActionLogError: The log can't be read.
        """
        found = {}
        alive: dict[str, bool] = {}
        for entry in entries:
            record: Record = entry.record
            if isinstance(record, Approval):
                record = self.approval(record.id)
            elif isinstance(record, Action):
                with self._lock, errors_mapped(self.path):
                    sql = "select * from action_states where id = :id"
                    row = next(self._query(sql, {"id": record.id}), None)
                    record = record if row is None else self._action(row, alive)
            found[entry.key] = Entry(at=entry.at, position=entry.position, record=record)
        return found

    def _page(self, wanted: Filter, edge: Place | None, limit: int, *, back: bool) -> tuple[Entry, ...]:
        by_time = wanted != Filter()
        alive: dict[str, bool] = {}
        with self._lock, errors_mapped(self.path):
            streams = [
                [(row[part.at] if by_time else 0, row["position"], part.table, row) for row in rows]
                for part in PARTS
                if (rows := self._rows(part, wanted, edge, limit, back=back, alive=alive)) is not None
            ]
        merged = heapq.merge(*streams, key=lambda item: item[:2], reverse=back)
        return tuple(self._entry(table, row, alive) for _, _, table, row in islice(merged, limit))

    def _rows(
        self,
        part: Part,
        wanted: Filter,
        edge: Place | None,
        limit: int,
        *,
        back: bool,
        alive: dict[str, bool],
    ) -> list[dict[str, Any]] | None:
        """Return the rows of one table that belong to a page; None where it has nothing that could fit."""
        by_time = wanted != Filter()
        conditions, values = [part.only], dict[str, Any](limit=limit)
        for name in ("session", "incident", "target", "risk", "kind", "state"):
            if not (value := getattr(wanted, name)):
                continue
            if name not in part.filtered:
                return None
            values[name] = value
            conditions.append(self._condition(name, part.filtered[name], value))
        for name, sign in (("since", ">="), ("until", "<")):
            if (at := getattr(wanted, f"{name}_ns")) is not None:
                values[name] = at
                conditions.append(f"{part.at} {sign} :{name}")
        if edge is not None:
            sign = "<" if back else ">"
            values |= {"at": edge[0], "position": edge[1]}
            conditions.append(
                f"({part.at}, position) {sign} (:at, :position)" if by_time else f"position {sign} :position"
            )
        way = "desc" if back else "asc"
        order = f"{part.at} {way}, position {way}" if by_time else f"position {way}"
        sql = f"select {part.columns} from {part.table} where {' and '.join(conditions)} order by {order}"
        if wanted.state in (State.RUNNING, State.INTERRUPTED):
            fitting = (
                row for row in self._query(sql, values) if self._action(row, alive).state == wanted.state
            )
            return list(islice(fitting, limit))
        return list(self._query(f"{sql} limit :limit", values))

    def _condition(self, name: str, column: str, value: str) -> str:
        if name == "session":
            return f"{column} >= :session and {column} < :session || '~'"
        if name == "state" and value not in RECORDED:
            return _MAY_BE_OPEN
        if name == "state" and self._is_rare(value):
            return "state = :state and id in (select action from results where state = :state)"
        return f"{column} = :{name}"

    def _entry(self, table: str, row: dict[str, Any], alive: dict[str, bool]) -> Entry:
        record: Record
        if table == "action_states":
            with self._lock, errors_mapped(self.path):
                record, at = self._action(row, alive), row["started_ns"]
        elif table == "notes":
            record, at = note_of(row), row["at_ns"]
        elif table == "evidence":
            record, at = evidence_of(row), row["at_ns"]
        elif table == "approvals":
            record, at = self._with_answers(row), row["at_ns"]
        elif table == "sessions":
            record, at = session_of(row), row["started_ns"]
        else:
            record, at = session_end_of(row), row["ended_ns"]
        return Entry(at=at, position=row["position"], record=record)


def _entry_of(record: Action | Note | Evidence) -> Entry:
    """Return what a search found as a line of the time line."""
    if isinstance(record, Action):
        return Entry(at=moment(record.started_at, 0), position=record.position, record=record)
    return Entry(at=moment(record.at, 0), position=0, record=record)
