"""The screen's side of the processes that mine templates and answer SQL: started for one question, ended with it."""

from __future__ import annotations

import asyncio
import codecs
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import msgspec
from msgspec import Struct

from cockpit.errors import CockpitError
from cockpit.ours import argv_of, env_of
from cockpit.process import Process, running
from cockpit.stores.logs.mining import LENGTH, Batch, Mine, Patterns, framed

MINER = argv_of("cockpit.stores.logs.mining")
SQL = argv_of("cockpit", "logs", "sql", "--csv")
PASSED_ON = ("HOME", "XDG_CONFIG_HOME", "COCKPIT_CONFIG", "PATH", "TMPDIR")
"""Variables that they get besides: they tell where formats of one's own are declared."""
LONGEST = 64 << 20
ROWS = 10_000
"""Rows of an answer that are kept."""
CELL = 4_000
"""Characters of a cell that are kept."""


async def mine(wanted: Mine, batches: Iterable[Batch], take: Callable[[Patterns], None]) -> None:
    """Mine templates, and hand on what was found so far about every second.

    Args:
        wanted: What is to be mined.
        batches: Records, where no files are named.
        take: Told what was found.

    Raises:
        CockpitError: The process can't be started, or fails.
    """
    async with running(MINER, stdin=True, env=env_of(*PASSED_ON)) as process:
        feeding = asyncio.create_task(_feed(process, wanted, batches))
        try:
            while True:
                (size,) = LENGTH.unpack(await _exactly(process, LENGTH.size))
                if size > LONGEST:
                    raise CockpitError("the process that mines patterns says too much")
                patterns = msgspec.msgpack.decode(await _exactly(process, size), type=Patterns)
                take(patterns)
                if patterns.ended:
                    return
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])


async def _feed(process: Process, wanted: Mine, batches: Iterable[Batch]) -> None:
    pipe = process.stdin
    if pipe is None:
        return
    pipe.write(framed(wanted))
    if wanted.paths:
        return
    for batch in batches:
        pipe.write(framed(batch))
        await pipe.drain()
        await asyncio.sleep(0)
    pipe.write(framed(Batch([], [], [])))


async def _exactly(process: Process, size: int) -> bytes:
    assert process.stdout is not None
    try:
        return await process.stdout.readexactly(size)
    except (asyncio.IncompleteReadError, OSError):
        raise CockpitError("the process that mines patterns has ended", remedy="ask again") from None


class Answer(Struct):
    """What a statement found.

    Attributes:
        columns: The columns' names.
        rows: The first `ROWS` rows, as text.
        count: All rows so far.
        notes: What there is to say of how it was read.
    """

    columns: list[str]
    rows: list[list[str]]
    count: int = 0
    notes: str = ""


async def ask_sql(
    statement: str, paths: Sequence[str], counted: Callable[[int], None], *, zone: str = ""
) -> Answer:
    """Ask log files in SQL.

    Args:
        statement: One statement that reads.
        paths: The files.
        counted: Told how many rows have come.
        zone: Of times that tell none; empty for what the configuration says, else this machine's.

    Raises:
        CockpitError: It is wrong, or can't be done; the message is what the command line says.
    """
    answer = Answer([], [])
    files = [path if not path.startswith("-") else f"./{path}" for path in paths]
    async with running((*SQL, f"--zone={zone}", "--", statement, *files), env=env_of(*PASSED_ON)) as process:
        assert process.stderr is not None
        said = asyncio.create_task(process.stderr.read(1 << 16))
        async for row in _csv(process):
            if not answer.columns:
                answer.columns = row
                continue
            answer.count += 1
            if len(answer.rows) < ROWS:
                answer.rows.append([cell[:CELL] for cell in row])
            if answer.count % 1_000 == 0:
                counted(answer.count)
        answer.notes = (await said).decode("utf-8", "replace").strip()
        if await process.wait() and not answer.columns:
            raise CockpitError(answer.notes.removeprefix("cockpit: ") or "the statement failed")
    return answer


async def _csv(process: Process) -> AsyncIterator[list[str]]:
    """Read CSV as it comes."""
    assert process.stdout is not None
    rows, decoder = CsvRows(), codecs.getincrementaldecoder("utf-8")("replace")
    while data := await process.stdout.read(1 << 16):
        for row in rows.feed(decoder.decode(data)):
            yield row
        await asyncio.sleep(0)
    for row in rows.feed(decoder.decode(b"", final=True), ended=True):
        yield row


class CsvRows:
    """Cuts CSV (RFC 4180), whose cells may hold line breaks, into rows as it comes."""

    def __init__(self) -> None:
        self._waiting = ""

    def feed(self, text: str, *, ended: bool = False) -> list[list[str]]:
        """Take more of the text, and return the rows that are whole."""
        self._waiting += text
        end = len(self._waiting) if ended else _whole(self._waiting)
        whole, self._waiting = self._waiting[:end], self._waiting[end:]
        return list(csv.reader(io.StringIO(whole, newline="")))


def _whole(text: str) -> int:
    """Return where the last whole row ends: a line feed before which quotes are even."""
    end = text.rfind("\n") + 1
    while end and text.count('"', 0, end) % 2:
        end = text.rfind("\n", 0, end - 1) + 1
    return end
