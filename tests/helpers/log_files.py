"""Records of log files, waited for where they have to be read first."""

from __future__ import annotations

from cockpit.signals import LogRecord
from cockpit.stores.logs.files.store import FileStore


async def record_of(store: FileStore, number: int) -> LogRecord:
    """Return one record."""
    await store.wait(number)
    return store[number]


async def records_of(store: FileStore) -> list[LogRecord]:
    """Return all records, a chunk after the other."""
    found: list[LogRecord] = []
    number = store.first
    while number < store.end:
        await store.wait(number)
        entry = store.chunks.holding(number)
        until = entry.first + entry.chunk.count
        found += store.records(number, until)
        number = until
    return found
