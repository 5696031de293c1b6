"""What a source touches while it is made, and what it leaves behind when it stopped."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from cockpit.testing.broken import demand

SETTLE_WITHIN = 1.0
"""Seconds that what a stopped source held may take to be gone."""


@contextmanager
def nothing_left() -> Iterator[Callable[[str], Awaitable[None]]]:
    """Remember tasks, threads, sockets and processes; the function it gives demands that no new ones are left."""
    before = _belongings()

    async def settle(after: str) -> None:
        until = time.perf_counter() + SETTLE_WITHIN
        while (left := _belongings() - before) and time.perf_counter() < until:
            await asyncio.sleep(0.02)
        demand(not left, f"{after} left behind: {', '.join(sorted(left))}")

    yield settle


def _belongings() -> set[str]:
    """Name what this process holds; threads of the loop's own executor are the loop's."""
    tasks = {f"task {task.get_name()}" for task in asyncio.all_tasks() if not task.done()}
    threads = {f"thread {t.name}" for t in threading.enumerate() if not t.name.startswith("asyncio_")}
    return tasks | threads | _sockets() | _children()


def _sockets() -> set[str]:
    found = set()
    for entry in Path("/dev/fd").iterdir() if Path("/dev/fd").is_dir() else ():
        try:
            status = os.fstat(int(entry.name))
        except OSError:
            continue  # the descriptor by which the folder was listed
        if stat.S_ISSOCK(status.st_mode):
            found.add(f"socket {entry.name} ({status.st_ino})")
    return found


def _children() -> set[str]:
    import psutil

    return {f"process {child.pid}" for child in psutil.Process().children() if child.is_running()}


_DEEDS = {
    "open": "opened a file",
    "socket.connect": "connected a socket",
    "socket.bind": "bound a socket",
    "socket.getaddrinfo": "resolved a name",
    "socket.gethostbyname": "resolved a name",
    "subprocess.Popen": "started a process",
    "os.posix_spawn": "started a process",
    "os.fork": "started a process",
    "os.system": "started a process",
    "os.listdir": "listed a folder",
    "os.scandir": "listed a folder",
    "os.mkdir": "made a folder",
    "os.remove": "removed a file",
    "os.rename": "renamed a file",
    "_thread.start_new_thread": "started a thread",
    "sqlite3.connect": "opened a database",
}
_CODE = (".py", ".pyc", ".so", ".pyd", ".dylib")


class _Auditor:
    """Notes what one thread does while it is watched."""

    def __init__(self) -> None:
        self.thread = 0
        self.deeds: set[str] = set()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.thread or event not in _DEEDS or threading.get_ident() != self.thread:
            return
        subject = str(arguments[0]) if arguments else ""
        if event in ("open", "os.listdir", "os.scandir") and (
            subject.endswith(_CODE) or subject in sys.path or _is_importing()
        ):
            return  # an import inside a constructor is no I/O of the source's own
        self.deeds.add(f"{_DEEDS[event]} ({subject:.80})" if subject else _DEEDS[event])


def _is_importing() -> bool:
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


@cache
def _auditor() -> _Auditor:
    """Return the process's one auditor, made when first wanted: an audit hook can't be taken away again."""
    auditor = _Auditor()
    sys.addaudithook(auditor)
    return auditor


@contextmanager
def audited() -> Iterator[set[str]]:
    """Watch what this thread does outside the process; the set it gives names it."""
    auditor = _auditor()
    auditor.deeds = set()
    auditor.thread = threading.get_ident()
    try:
        yield auditor.deeds
    finally:
        auditor.thread = 0
