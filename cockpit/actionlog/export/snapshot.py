"""One moment of the log, and the records of it that an export is about.

The records are chosen once, into a table of this connection alone; what is read after that is read in one
transaction, so that whatever is written meanwhile changes nothing, and in pieces, so that memory is bounded.
"""

# ruff: noqa: S608  all SQL here is of our own words
from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cockpit.actionlog import search
from cockpit.actionlog.capture import pieces_of
from cockpit.actionlog.chain import CONTENT, RECORDS, Head, head
from cockpit.actionlog.database import errors_mapped
from cockpit.actionlog.entry_reader import evidence_of, note_of, session_end_of, session_of
from cockpit.actionlog.filters import Filter
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action, Approval, Chunk, Evidence, Note, Session, SessionEnd, State
from cockpit.errors import UsageError

Entry = Action | Note | Evidence | Approval | Session | SessionEnd
OnProgress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""

RECORD_WEIGHT = 2000
"""What a record counts for in progress, beside the bytes of output."""
_BATCH = 200
_ENTRIES = ("sessions", "actions", "notes", "evidence", "approvals", "session_ends")
_HELD_BY_NEITHER = (State.RUNNING, State.INTERRUPTED)
_CHOSEN_ACTIONS = "select id from actions where position in (select position from temp.chosen)"


class Snapshot(ActionReader):
    """Reads the chosen records of the log as it is when this is opened.

    Attributes:
        filters: What was chosen.
        counts: How many records of each table were chosen.
        on_progress: Told how far reading has come.
    """

    def __init__(self, path: Path, filters: Filter) -> None:
        super().__init__(path)
        self.filters = filters
        self.counts: dict[str, int] = {}
        self.on_progress: OnProgress = lambda done, total: None
        self._done = 0
        self._total = 0

    def choose(self) -> None:
        """Begin the transaction and choose the records.

        Raises:
            UsageError: The filter's text holds no word.
            ActionLogError: The log can't be read.
        """
        with self._lock, errors_mapped(self.path):
            self._db = self._opened()
            self._db.execute("create temp table chosen (position integer primary key)")
            self._db.execute("create temp table asked (request text primary key)")
            self._db.execute("begin")
            self._choose_actions()
            self._choose_entries()
            self._choose_around()
            for table in RECORDS:
                self.counts[table] = self._one_value(
                    f"select count(*) from {table} where position in (select position from temp.chosen)"
                )
            size = self._one_value(
                f"select coalesce(sum(size), 0) from output where action in ({_CHOSEN_ACTIONS})"
            )
            self._total = sum(self.counts.values()) * RECORD_WEIGHT + size

    def _run(self, sql: str, values: dict[str, Any] | None = None) -> None:
        assert self._db is not None
        self._db.execute(sql, values or {})

    def _one_value(self, sql: str, values: dict[str, Any] | None = None) -> Any:
        assert self._db is not None
        row = self._db.execute(sql, values or {}).fetchone()
        return None if row is None else row[0]

    def _choose_actions(self) -> None:
        conditions, values = self.filters.conditions()
        state = self.filters.state
        if state in _HELD_BY_NEITHER:
            alive: dict[str, bool] = {}
            rows = self._query(
                "select * from action_states where state is null or state = :state", {"state": state}
            )
            fit = [row["position"] for row in rows if self._action(row, alive).state == state]
            self._run("create temp table fit (position integer primary key)")
            for position in fit:
                self._run("insert into temp.fit values (:position)", {"position": position})
            conditions.append("position in (select position from temp.fit)")
        elif state:
            conditions.append("state = :state")
            values["state"] = state
        if self.filters.text:
            values["match"] = search.expression(self.filters, *self._ends())
            self._run("create temp table hits (position integer primary key)")
            self._run("insert into temp.hits select rowid from search where search match :match", values)
            conditions.append(
                "(position in (select position from temp.hits) or id in (select action from output where position in "
                "(select position from temp.hits)) or id in (select action from notes where position in "
                "(select position from temp.hits)))"
            )
        where = f"where {' and '.join(conditions)}" if conditions else ""
        self._run(f"insert into temp.chosen select position from action_states {where}", values)

    def _choose_entries(self) -> None:
        """Choose notes, evidence and approvals: those about chosen actions, and those that the filter asks for."""
        values: dict[str, Any] = {}
        asked = "0"
        if not self.filters.of_actions_alone:
            conditions, values = self.filters.conditions()
            asked = " and ".join(conditions).replace("started_ns", "at_ns") or "1"
        self._choose("notes", f"({asked}) or action in ({_CHOSEN_ACTIONS})", values)
        self._choose("evidence", asked, values)
        self._run(
            f"insert into temp.asked select id from approvals where kind = 'request' and ({asked}) union "
            "select value from actions, json_each(coalesce(approvals, '[]')) "
            f"where actions.id in ({_CHOSEN_ACTIONS})",
            values,
        )
        requests = "select request from temp.asked"
        self._choose("approvals", f"id in ({requests}) or request in ({requests})", {})

    def _choose_around(self) -> None:
        """Choose what belongs to what is chosen: results, output, sessions, and what was pruned in between."""
        for table in ("results", "output", "recordings"):
            self._choose(table, f"action in ({_CHOSEN_ACTIONS})", {})
        sessions = " union ".join(
            f"select session from {table} where position in (select position from temp.chosen)"
            for table in ("actions", "notes", "evidence", "approvals")
        )
        self._choose("sessions", f"id in ({sessions})", {})
        for table in ("session_ends", "checkpoints"):
            self._choose(table, f"session in ({sessions})", {})
        first, last = (self._one_value(f"select {end}(position) from temp.chosen") for end in ("min", "max"))
        self._choose("tombstones", "position between :first and :last", {"first": first, "last": last})

    def _choose(self, table: str, which: str, values: dict[str, Any]) -> None:
        self._run(f"insert or ignore into temp.chosen select position from {table} where {which}", values)

    def extend_to(self, position: int) -> None:
        """Choose one more record, by its position."""
        with self._lock, errors_mapped(self.path):
            self._run("insert or ignore into temp.chosen values (:position)", {"position": position})

    def is_chosen(self, position: int) -> bool:
        """Return whether the record at a position is chosen."""
        sql = "select 1 from temp.chosen where position = :position"
        return self._one_value(sql, {"position": position}) is not None

    def ends(self) -> tuple[int, int]:
        """Return the first and the last chosen position.

        Raises:
            UsageError: Nothing was chosen.
        """
        first = self._one_value("select min(position) from temp.chosen")
        if first is None:
            raise UsageError("nothing is recorded that fits", remedy="`cockpit log list` shows what there is")
        return first, self._one_value("select max(position) from temp.chosen")

    def head(self) -> Head:
        """Return where the chain ended."""
        assert self._db is not None
        return head(self._db)

    def value(self, sql: str, **values: Any) -> Any:
        """Return the first value that a query finds."""
        return self._one_value(sql, values)

    def select(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Return all rows of a query that finds few."""
        with self._lock, errors_mapped(self.path):
            return list(self._query(sql, values))

    def more(self, weight: int) -> None:
        """Say that there is more to read than the records and their output."""
        self._total += weight

    def step(self, weight: int = RECORD_WEIGHT) -> None:
        """Say that something more was read."""
        self._done += weight
        self.on_progress(min(self._done, self._total), self._total)

    def rows(
        self,
        tables: tuple[str, ...] = RECORDS,
        *,
        content: bool = True,
        between: tuple[int, int] | None = None,
    ) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """Yield (position, table, row) in the order of the chain.

        Args:
            tables: Of these tables.
            content: Whether with the bytes of output and evidence.
            between: All from a position to another; without it, the chosen ones.
        """
        streams = [self._rows(rank, table, content, between) for rank, table in enumerate(tables)]
        for position, _, table, row in heapq.merge(*streams, key=lambda item: item[:2]):
            yield position, table, row

    def _rows(
        self, rank: int, table: str, content: bool, between: tuple[int, int] | None
    ) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
        """Yield the rows of one table, some at a time."""
        columns = "*" if content or table not in CONTENT else ", ".join(self._columns(table, CONTENT[table]))
        chosen = "" if between else "and position in (select position from temp.chosen)"
        first, last = between or (0, 1 << 62)
        batch = 8 if table in CONTENT and content else _BATCH
        sql = (
            f"select {columns} from {table} where position >= :first and position <= :last {chosen} "
            "order by position limit :batch"
        )
        while True:
            with self._lock, errors_mapped(self.path):
                found = list(self._query(sql, {"first": first, "last": last, "batch": batch}))
            for row in found:
                yield row["position"], rank, table, row
            if len(found) < batch:
                return
            first = found[-1]["position"] + 1

    def _columns(self, table: str, left_out: str) -> list[str]:
        assert self._db is not None
        names = [row[1] for row in self._db.execute(f"pragma table_info({table})")]
        return [name for name in names if name != left_out]

    def entries(self, *tables: str) -> Iterator[Entry]:
        """Yield what happened, in the order it was written down: no rows of tables, but what people speak of."""
        alive: dict[str, bool] = {}
        for position, table, row in self.rows(tables or _ENTRIES, content=False):
            entry = self._entry(position, table, row, alive)
            if entry is not None:
                yield entry
            self.step()

    def actions(self) -> Iterator[Action]:
        """Yield the chosen actions, in the order they were begun."""
        alive: dict[str, bool] = {}
        for position, _, _ in self.rows(("actions",)):
            yield self._action_at(position, alive)
            self.step()

    def _action_at(self, position: int, alive: dict[str, bool]) -> Action:
        with self._lock, errors_mapped(self.path):
            row = next(
                self._query("select * from action_states where position = :position", {"position": position})
            )
            return self._action(row, alive)

    def _entry(self, position: int, table: str, row: dict[str, Any], alive: dict[str, bool]) -> Entry | None:
        if table == "actions":
            return self._action_at(position, alive)
        if table == "notes":
            return note_of(row)
        if table == "evidence":
            kept = "select body is not null from evidence where position = :position"
            return evidence_of({**row, "kept": self._one_value(kept, {"position": position})})
        if table == "approvals":
            return self.approval(row["id"]) if row["kind"] == "request" else None
        if table == "sessions":
            return session_of(row)
        return session_end_of(row)

    def output(self, action: str) -> Iterator[Chunk]:
        """Yield the kept output of an action, saying how far that has come."""
        for chunk in super().output(action):
            yield chunk
            self.step(len(chunk.data))

    def kept(self, action: str) -> int:
        """Return how many bytes of an action's output are in the log, also where it has not ended."""
        sql = "select coalesce(sum(size), 0) from output where action = :action and data is not null"
        return int(self._one_value(sql, {"action": action}))

    def excerpt(self, action: str, first: int, last: int) -> Iterator[Chunk | int]:
        """Yield the first and the last bytes of an action's output, and in between the number of those left out."""
        sizes = self.select("select seq, size from output where action = :action order by seq", action=action)
        total = sum(row["size"] for row in sizes)
        begin_again = max(first, total - last)
        start, told = 0, begin_again <= first
        for row in sizes:
            end = start + row["size"]
            if start < first or end > begin_again:
                if start >= first and not told:
                    yield begin_again - first
                    told = True
                for at, stream, data, offset in self._placed(action, row["seq"], start):
                    if head := data[: max(0, first - offset)]:
                        yield Chunk(at=at, stream=stream, data=head)
                    if tail := data[max(0, begin_again - offset) :]:
                        if not told:
                            yield begin_again - first
                            told = True
                        yield Chunk(at=at, stream=stream, data=tail)
            start = end
        self.step(total)

    def _placed(self, action: str, seq: int, start: int) -> Iterator[tuple[int, Any, bytes, int]]:
        """Yield the pieces of one chunk, each with its offset in all of the output."""
        [row] = self.select(
            "select * from output where action = :action and seq = :seq", action=action, seq=seq
        )
        if row["data"] is None:
            return
        try:
            pieces = pieces_of(row)
        except ValueError as error:
            raise self._damaged(f"output of {action}", error) from None
        for at, stream, data in pieces:
            yield at, stream, data, start
            start += len(data)
