"""One statement over log files: opens them as tables, runs it within limits, and hands out what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cockpit.stores.logs.sql.database import Database, Limits
from cockpit.stores.logs.sql.faults import Unfit

if TYPE_CHECKING:
    from cockpit.errors import CockpitError
    from cockpit.formats.format import LineFormat
    from cockpit.stores.logs.streams import LogStream

ROWS = 2048
"""Rows of a batch."""


class SqlResult:
    """What a statement found. Close it, or use it in a `with` block.

    Attributes:
        columns: The columns' names, as duckdb gives them: they may hold anything that a log names.
        types: Their types, such as `BIGINT`.
        notes: What a person should know of how files were read; complete once all rows are.
    """

    def __init__(self, database: Database, sql: str) -> None:
        self._database = database
        self._sql = sql
        self.notes = database.notes
        self._first: list[tuple[Any, ...]] = []
        self.columns: list[str] = []
        self.types: list[str] = []
        self._first = self._rows_after(None)

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows, many at a time.

        Raises:
            CockpitError: It can't go on: memory, disk, time.
        """
        batch, count = self._first, 0
        while batch:
            yield batch
            count += len(batch)
            batch = self._rows_after(count)

    def close(self) -> None:
        """Let go of the tables and of what was put on the disk."""
        self._database.close()

    def __enter__(self) -> SqlResult:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        with self._database.running(self._sql) as connection:
            self._database.wait_for(lambda: connection.execute(self._sql))
            described = connection.description or []
        self.columns = [name for name, *_ in described]
        self.types = [str(kind) for _, kind, *_ in described]

    def _fetch(self) -> list[tuple[Any, ...]]:
        with self._database.running(self._sql) as connection:
            return self._database.wait_for(lambda: connection.fetchmany(ROWS))

    def _rows_after(self, count: int | None) -> list[tuple[Any, ...]]:
        """Return the rows that come next.

        It is run over, with files that are read more carefully, where they turn out not to be what they seemed.

        Args:
            count: How many were handed out before; None where it was not started.
        """
        begun = count is not None
        while True:
            try:
                if begun:
                    return self._fetch()
                self._start()
                return self._skip(count or 0)
            except Unfit as error:
                self._database.read_again(error)
                begun = False

    def _skip(self, count: int) -> list[tuple[Any, ...]]:
        """Leave out the rows that were handed out before."""
        while count > 0:
            batch = self._fetch()
            if len(batch) > count:
                return batch[count:]
            count -= len(batch)
            if not batch:
                return []
        return self._fetch()


def query_sql(
    sql: str,
    files: Sequence[str],
    *,
    limits: Limits | None = None,
    format_of: Callable[[LogStream], LineFormat] | None = None,
    complain: Callable[[CockpitError], None] | None = None,
    progress: Callable[[LogStream], None] = lambda log: None,
    binary: bool = False,
    zone: str = "",
) -> SqlResult:
    """Run one reading statement over logs.

    All of them are the table `logs`; each is also a table of its own, named as its file without what follows the
    first dot. JSON lines are read by duckdb itself, their fields are columns; others are read by their formats.

    Args:
        sql: The statement.
        files: The logs; `-` is stdin.
        limits: What it may take.
        format_of: Tells a log's format; it is detected where not given.
        complain: Is told what is wrong with a file that is left out; where not given it is raised.
        progress: Called while files are read; what it raises ends that.
        binary: Whether files are read that look like no text.
        zone: The zone of times that tell none; this machine's where empty.

    Raises:
        UsageError: The statement is wrong.
        Refused: It does more than reading the logs.
        CockpitError: It can't be done, or a file can't be read.
    """
    database = Database(limits or Limits())
    try:
        from cockpit.formats.detect import detect  # while the database starts
        from cockpit.stores.logs.sql import json_table  # noqa: F401

        database.begin(sql, zone)
        tell = format_of or (lambda log: detect(log.head, path=log.path, observed=log.modified))
        database.load(sql, files, tell=tell, complain=complain or _raise, progress=progress, binary=binary)
        return SqlResult(database, sql)
    except BaseException:
        database.close()
        raise


def _raise(error: CockpitError) -> None:
    raise error
