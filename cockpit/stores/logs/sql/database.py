"""A database in memory, with tables made of log files, that reaches those files and nothing else."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cockpit.errors import CockpitError, UsageError
from cockpit.formats.format import LineFormat
from cockpit.stores.logs.sql.engine import connect
from cockpit.stores.logs.sql.faults import TooLong, Unfit, mapped, putting
from cockpit.stores.logs.sql.names import LOGS, quoted, table_names, text
from cockpit.stores.logs.sql.statement import check_statement, columns_asked

if TYPE_CHECKING:
    import duckdb

    from cockpit.formats.format import LineFormat
    from cockpit.stores.logs.sql.json_table import JsonLog
    from cockpit.stores.logs.streams import LogStream

T = TypeVar("T")

READ_BY_DUCKDB = {"": "none", "gzip": "gzip", "zstd": "zstd"}
SAMPLE = 4 << 20
"""Bytes of a compressed log by which its fields are told."""


class Limits(NamedTuple):
    """What a statement may take.

    Attributes:
        memory: Bytes.
        disk: Bytes of temporary files, which hold what does not fit into memory.
        seconds: How long it may take; 0 for as long as it does.
    """

    memory: int = 512 << 20
    disk: int = 4 << 30
    seconds: float = 0.0


class Database:
    """A database in memory that can reach the files that are named and nothing else; it starts at once, beside us."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._stack = ExitStack()
        with putting():
            self._folder = Path(tempfile.mkdtemp(prefix="cockpit-sql-"))
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._stack.callback(self._disconnect)
        self._thread = self._stack.enter_context(ThreadPoolExecutor(1, "sql"))
        self._starting = self._thread.submit(connect, self._folder / "spilled", limits.memory, limits.disk)
        self._json: list[tuple[JsonLog, str]] = []
        self._tables: list[str] = []
        self._names: dict[str, str] = {}
        self._careful = False
        self._roomy = False
        self._expired = False
        self.notes: list[str] = []

    def begin(self, sql: str, zone: str) -> None:
        """Wait for duckdb, and look at the statement before any file is opened."""
        with mapped():
            self._connection = self._starting.result()
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
        tell: Callable[[LogStream], LineFormat],
        complain: Callable[[CockpitError], None],
        progress: Callable[[LogStream], None],
        binary: bool,
    ) -> None:
        """Open the files as tables."""
        from cockpit.stores.logs.streams import STDIN, open_log

        names = table_names(files)
        paths = [self._alias(number, file) for number, file in enumerate(files)]
        with mapped():
            self._connection.execute(
                f"SET allowed_paths = [{', '.join(text(path + end) for path in paths for end in ('', '.json'))}]"
            )
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
                source = "(stdin)" if file == STDIN else file
                if fmt.name != "json":
                    self._read(log, name, fmt, asked, progress)
                elif log.size and log.compressed in READ_BY_DUCKDB:
                    self._open_json(log, name, source, path)
                else:
                    self._names[f"{path}.json"] = source
                    self._spool(log, f"{path}.json", progress)
                    log.compressed = ""
                    self._open_json(log, name, source, f"{path}.json")
            except CockpitError as error:
                complain(error)
            finally:
                log.close()
        self._join()

    def _alias(self, number: int, file: str) -> str:
        """Give a file a name of ours, which holds nothing that duckdb would take for a pattern."""
        from cockpit.stores.logs.streams import STDIN

        alias = self._folder / f"{number}.log"
        if file != STDIN and "\0" not in file:
            alias.symlink_to(Path(file).resolve())
            self._names[str(alias)] = file
            self._names[str(Path(file).resolve())] = file
        return str(alias)

    def _open_json(self, log: LogStream, table: str, source: str, path: str) -> None:
        """Let duckdb read the file."""
        from cockpit.stores.logs.sql.json_table import json_log

        if log.compressed:
            sample = self._folder / "sample"
            with putting():
                sample.write_bytes(b"".join(_some(log, SAMPLE)))
            found = json_log(table, str(sample), source)._replace(path=path)
            sample.unlink()
        else:
            found = json_log(table, path, source)
        self._json.append((found, READ_BY_DUCKDB[log.compressed]))
        self._tables.append(table)
        self._view(len(self._json) - 1)

    def _spool(self, log: LogStream, path: str, progress: Callable[[LogStream], None]) -> None:
        """Put what duckdb can't read itself where it can: a pipe's bytes, or decompressed ones.

        Raises:
            CockpitError: It can't be read, or is more than may be put on the disk.
        """
        written = 0
        with putting(), open(path, "wb") as file:  # noqa: PTH123
            while part := log.read():
                progress(log)
                written += file.write(part)
                if written > self._limits.disk:
                    raise CockpitError(
                        f"it has more than {self._limits.disk >> 20:,} MiB of JSON lines, which go to the disk",
                        where=log.path,
                        remedy="give it as a plain file, or one in gzip or zstd",
                    )

    def _view(self, number: int) -> None:
        from cockpit.stores.logs.sql.json_table import LONGEST, USUAL, json_view

        log, compression = self._json[number]
        longest = LONGEST if self._roomy else USUAL
        view = json_view(log, compression, careful=self._careful, longest=longest)
        with self.running() as connection:
            connection.execute(view).fetchall()

    def _read(
        self,
        log: LogStream,
        table: str,
        fmt: LineFormat,
        asked: frozenset[str] | None,
        progress: Callable[[LogStream], None],
    ) -> None:
        """Read a log into a table."""
        from cockpit.stores.logs.sql.record_table import RecordTable
        from cockpit.stores.logs.streams import STDIN

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

    def read_again(self, error: Unfit) -> None:
        """Make the tables of JSON lines anew, so that what stands in them is no mistake.

        Raises:
            CockpitError: It still was one.
        """
        if isinstance(error, TooLong):
            if self._roomy:
                raise UsageError(str(error))
            self._roomy = True
        elif self._careful:
            raise CockpitError(str(error))
        else:
            self._careful = True
            self.notes.append(
                f"{error}: values that don't fit their column are NULL, and lines that are no objects are left out"
            )
        self._connection.abort()
        for number in range(len(self._json)):
            self._view(number)
        self._join()

    def running(self, sql: str = "") -> Running:
        """Return a block in which duckdb may be asked."""
        return Running(self, sql)

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

    def _disconnect(self) -> None:
        if self._starting.exception() is None:
            self._starting.result().close()

    def _expire(self) -> None:
        self._expired = True
        self._connection.interrupt()

    def close(self) -> None:
        """Let go of everything."""
        self._stack.close()


class Running:
    """Maps what duckdb raises, the end of its time included."""

    def __init__(self, database: Database, sql: str) -> None:
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


def _some(log: LogStream, size: int) -> Iterator[bytes]:
    """Yield about so many of the first bytes of a log."""
    while size > 0 and (part := log.read()):
        yield part
        size -= len(part)
