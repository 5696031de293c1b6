"""One statement over log files: opens them as tables, runs it within limits, and hands out what it finds."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from cockpit.errors import CockpitError
from cockpit.formats.detect import detect
from cockpit.formats.format import LogFormat
from cockpit.stores.logs.sql.faults import Unfit, mapped
from cockpit.stores.logs.sql.names import LOGS, quoted, table_names, text
from cockpit.stores.logs.sql.statement import check_statement, columns_asked
from cockpit.stores.logs.sql.tables import JsonLog, RecordTable, json_log, json_view
from cockpit.stores.logs.streams import STDIN, LogStream, open_log

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

ROWS = 1000
"""Rows of a batch."""
READ_BY_DUCKDB = {"": "none", "gzip": "gzip", "zstd": "zstd"}


class Limits(Struct, frozen=True):
    """What a statement may take.

    Attributes:
        memory: Bytes.
        disk: Bytes of temporary files, which hold what does not fit into memory.
        seconds: How long it may take; 0 for as long as it does.
    """

    memory: int = 512 << 20
    disk: int = 4 << 30
    seconds: float = 0.0


class SqlResult:
    """What a statement found. Close it, or use it in a `with` block.

    Attributes:
        columns: The columns' names, as duckdb gives them: they may hold anything that a log names.
        types: Their types, such as `BIGINT`.
        notes: What a person should know of how files were read; complete once all rows are.
    """

    def __init__(self, database: _Database, sql: str) -> None:
        self._database = database
        self._sql = sql
        self.notes = database.notes
        self._first: list[tuple[Any, ...]] = []
        self.columns: list[str] = []
        self.types: list[str] = []
        try:
            self._start()
            self._first = self._fetch()
        except Unfit as error:
            self._again(error)
            self._first = self._fetch()

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows, many at a time.

        Raises:
            CockpitError: It can't go on: memory, disk, time.
        """
        batch, count = self._first, 0
        while batch:
            yield batch
            count += len(batch)
            try:
                batch = self._fetch()
            except Unfit as error:
                self._again(error)
                batch = self._skip(count)

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

    def _again(self, error: Unfit) -> None:
        """Run it over, with files that are read more carefully."""
        self._database.be_careful(error)
        try:
            self._start()
        except Unfit as second:
            raise CockpitError(str(second)) from None

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
    format_of: Callable[[LogStream], LogFormat] | None = None,
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
    database = _Database(limits or Limits())
    try:
        database.begin(sql, zone)
        tell = format_of or (lambda log: detect(log.head, path=log.path, observed=log.modified))
        database.load(sql, files, tell=tell, complain=complain or _raise, progress=progress, binary=binary)
        return SqlResult(database, sql)
    except BaseException:
        database.close()
        raise


def _raise(error: CockpitError) -> None:
    raise error


class _Database:
    """A database in memory that can reach the files that are named and nothing else."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._stack = ExitStack()
        self._folder = Path(tempfile.mkdtemp(prefix="cockpit-sql-"))
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._json: list[tuple[JsonLog, str]] = []
        self._tables: list[str] = []
        self._names: dict[str, str] = {}
        self._careful = False
        self._expired = False
        self.notes: list[str] = []

    def begin(self, sql: str, zone: str) -> None:
        """Start, and look at the statement before any file is opened."""
        import duckdb

        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{self._limits.memory}B",
            "temp_directory": str(self._folder / "spilled"),
            "max_temp_directory_size": f"{self._limits.disk}B",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
            "threads": str(os.cpu_count() or 1),
        }
        with mapped():
            self._connection: duckdb.DuckDBPyConnection = duckdb.connect(":memory:", config=config)
        self._stack.callback(self._connection.close)
        self._thread = self._stack.enter_context(ThreadPoolExecutor(1, "sql"))
        check_statement(self._connection, sql)
        with mapped():
            if zone:
                self._connection.execute(f"SET timezone = {text(zone)}")
        if self._limits.seconds:
            timer = threading.Timer(self._limits.seconds, self._expire)
            timer.daemon = True
            timer.start()
            self._stack.callback(timer.cancel)

    def load(
        self,
        sql: str,
        files: Sequence[str],
        *,
        tell: Callable[[LogStream], LogFormat],
        complain: Callable[[CockpitError], None],
        progress: Callable[[LogStream], None],
        binary: bool,
    ) -> None:
        """Open the files as tables."""
        names = table_names(files)
        paths = [self._alias(number, file) for number, file in enumerate(files)]
        with mapped():
            self._connection.execute(f"SET allowed_paths = [{', '.join(map(text, paths))}]")
            self._connection.execute("SET enable_external_access = false")
            self._connection.execute("SET lock_configuration = true")
        asked = columns_asked(sql, frozenset((*names, LOGS)))
        for name, file, path in zip(names, files, paths, strict=True):
            try:
                log = open_log(file, binary=binary)
            except CockpitError as error:
                complain(error)
                continue
            try:
                fmt = tell(log)
                if fmt.name == "json" and file != STDIN and log.size and log.compressed in READ_BY_DUCKDB:
                    self._open_json(log, name, file, path)
                else:
                    self._read(log, name, fmt, asked, progress)
            except CockpitError as error:
                complain(error)
            finally:
                log.close()
        self._join()

    def _alias(self, number: int, file: str) -> str:
        """Give a file a name of ours, which holds nothing that duckdb would take for a pattern."""
        alias = self._folder / f"{number}.log"
        if file != STDIN and "\0" not in file:
            alias.symlink_to(Path(file).resolve())
            self._names[str(alias)] = file
            self._names[str(Path(file).resolve())] = file
        return str(alias)

    def _open_json(self, log: LogStream, table: str, file: str, path: str) -> None:
        """Let duckdb read the file."""
        if log.compressed:
            sampled = self._folder / f"{table and len(self._tables)}.sample"
            sampled.write_bytes(
                b"".join(iter(log.read, b"")) if log.size < 1 << 20 else log.read() + log.read(4 << 20)
            )
            found = json_log(table, str(sampled), file)._replace(path=path)
            sampled.unlink()
        else:
            found = json_log(table, path, file)
        self._json.append((found, READ_BY_DUCKDB[log.compressed]))
        self._tables.append(table)
        self._view(len(self._json) - 1)

    def _view(self, number: int) -> None:
        log, compression = self._json[number]
        with self.running() as connection:
            connection.execute(json_view(log, compression, careful=self._careful)).fetchall()

    def _read(
        self,
        log: LogStream,
        table: str,
        fmt: LogFormat,
        asked: frozenset[str] | None,
        progress: Callable[[LogStream], None],
    ) -> None:
        """Read a log into a table."""
        with self.running() as connection:
            self._tables.append(table)
            source = "(stdin)" if log.path == STDIN else log.path
            RecordTable(connection, table, fmt).fill(log, source, asked=asked, progress=progress)

    def _join(self) -> None:
        """Make one table of all."""
        if not self._tables:
            raise CockpitError("no log is left to ask")
        parts = " UNION ALL BY NAME ".join(f"SELECT * FROM {quoted(table)}" for table in self._tables)  # noqa: S608
        with self.running() as connection:
            connection.execute(f"CREATE OR REPLACE VIEW {LOGS} AS {parts}").fetchall()

    def be_careful(self, error: Unfit) -> None:
        """Read JSON lines so that whatever stands in them is no mistake."""
        if self._careful:
            raise CockpitError(str(error))
        self._careful = True
        self.notes.append(
            f"{error}: values that don't fit their column are NULL, and lines that are no objects are left out"
        )
        self._connection.abort()
        for number in range(len(self._json)):
            self._view(number)
        self._join()

    def running(self, sql: str = "") -> _Running:
        """Return a block in which duckdb may be asked."""
        return _Running(self, sql)

    def wait_for(self, work: Callable[[], T]) -> T:
        """Do something that may take long on a thread of its own, so that Ctrl-C reaches it here and stops it."""
        doing = self._thread.submit(work)
        try:
            return doing.result()
        except BaseException:
            if not doing.done():
                self._connection.interrupt()
                wait((doing,))
            raise

    def _expire(self) -> None:
        self._expired = True
        self._connection.interrupt()

    def close(self) -> None:
        """Let go of everything."""
        self._stack.close()


class _Running:
    """Maps what duckdb raises, the end of its time included."""

    def __init__(self, database: _Database, sql: str) -> None:
        self._database = database
        self._seam = mapped(sql, database._names)

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        self._check()
        self._seam.__enter__()
        return self._database._connection

    def __exit__(self, *raised: Any) -> bool | None:
        try:
            return self._seam.__exit__(*raised)
        except CockpitError:
            self._check()
            raise

    def _check(self) -> None:
        if self._database._expired:
            raise CockpitError(
                f"the statement took longer than {self._database._limits.seconds:g} s",
                remedy="give it more with --timeout",
            ) from None
