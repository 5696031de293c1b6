"""Loads chunks off the screen's loop, what was asked for last first; what hangs is left to itself and told."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from cockpit.errors import CockpitError
from cockpit.ours import argv_of, env_of
from cockpit.process import Process, kill, spawn
from cockpit.stores.logs.files.chunk import Summary
from cockpit.stores.logs.files.loading import Loaded, lost
from cockpit.stores.logs.files.loads import Answer, Begin, Load, Waiting, framed, loaded_of, told_of
from cockpit.stores.logs.files.wire import LENGTH

log = logging.getLogger(__name__)

WANTED = 64
"""Chunks that are waited for; of more, those asked for first are forgotten."""
PATIENCE = 3.0
"""Seconds after which one is told that a disk does not answer."""
LEFT = 2
"""Processes left to disks that do not answer."""
IDLE = 60.0
"""Seconds after which a process that has nothing to do ends: it takes some 30 MB."""

Take = Callable[[int, Summary, Loaded], None]


class Worker:
    """A process that loads a chunk at a time.

    Attributes:
        job: The chunk it was given, by number; None while it has nothing to do.
        reading: The log that it reads, as far as is known: one that takes long is told.
    """

    def __init__(self, begin: Begin, done: Callable[[Worker, Loaded], None]) -> None:
        self.job: tuple[int, Summary] | None = None
        self.reading = ""
        self._begin = begin
        self._done = done
        self._given = asyncio.Event()
        self._process: Process | None = None
        self._task = asyncio.get_running_loop().create_task(self._serve(), name="log chunks")

    def give(self, number: int, chunk: Summary) -> None:
        """Let it load a chunk; it has none now."""
        self.job = number, chunk
        self.reading = self._begin.sources[chunk.spans[0].log].path if chunk.spans else ""
        self._given.set()

    async def end(self) -> None:
        """Kill it."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _serve(self) -> None:
        try:
            while True:
                await self._has_job()
                if self.job is not None:
                    chunk = self.job[1]
                    try:
                        loaded = loaded_of(await self._asked(chunk), chunk)
                    except (CockpitError, OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
                        log.error("the process that loads log lines failed: %s", error)
                        await self._stop()
                        loaded = lost(chunk, "this record can't be read: the process that reads it has ended")
                    self._done(self, loaded)
        finally:
            await self._stop()

    async def _has_job(self) -> None:
        """Wait for something to do; the process ends if that takes long."""
        while self.job is None:
            self._given.clear()
            try:
                async with asyncio.timeout(IDLE if self._process is not None else None):
                    await self._given.wait()
            except TimeoutError:
                await self._stop()

    async def _asked(self, chunk: Summary) -> Answer:
        if self._process is None:
            self._process = await spawn(argv_of("cockpit.stores.logs.files.loads"), stdin=True, env=env_of())
            self._send(framed(self._begin))
        self._send(framed(Load(chunk)))
        output = self._process.stdout
        if output is None:
            raise EOFError
        while True:
            (size,) = LENGTH.unpack(await output.readexactly(LENGTH.size))
            told = told_of(await output.readexactly(size))
            if not isinstance(told, Waiting):
                return told
            self.reading = told.path

    def _send(self, data: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(data)

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await kill(process)


class Loader:
    """Loads chunks in a process, and goes on with another one where that hangs.

    Attributes:
        silent: By chunk, the file that is waited for longer than `PATIENCE`.
    """

    def __init__(self, begin: Callable[[], Begin], take: Take, tell: Callable[[], None]) -> None:
        """Begin without a process: the first chunk that is asked for begins one.

        Args:
            begin: Says what a process is to open.
            take: Told a chunk's number, what it was when it was asked for, and what was loaded.
            tell: Told that `silent` is another.
        """
        self.silent: dict[int, str] = {}
        self._begin = begin
        self._take = take
        self._tell = tell
        self._wanted: OrderedDict[int, Summary] = OrderedDict()
        self._worker: Worker | None = None
        self._left: list[Worker] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False

    def ask(self, number: int, chunk: Summary, *, soon: bool = True) -> None:
        """Ask for a chunk, before or after all others."""
        if self._ended or any(worker.job == (number, chunk) for worker in self._workers()):
            return
        self._wanted[number] = chunk
        self._wanted.move_to_end(number, last=soon)
        while len(self._wanted) > WANTED:
            self._wanted.popitem(last=False)
        self._go_on()

    def forget(self, number: int) -> None:
        """Ask for a chunk no more."""
        self._wanted.pop(number, None)

    def renew(self) -> None:
        """Let another process open the logs, as they are others now."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.job is not None:
            self._wanted[worker.job[0]] = worker.job[1]
            worker.job = None
        self._end(worker)
        self._go_on()

    def close(self) -> None:
        """Begin to end the processes; `closed` waits for that."""
        self._ended = True
        self._wanted.clear()
        if self._timer is not None:
            self._timer.cancel()
        for worker in self._workers():
            self._end(worker)
        self._worker, self._left = None, []

    async def closed(self) -> None:
        """Wait until the processes have ended."""
        if self._ending:
            await asyncio.wait(list(self._ending))

    def _end(self, worker: Worker) -> None:
        task = asyncio.get_running_loop().create_task(worker.end(), name="log chunks end")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _workers(self) -> list[Worker]:
        return [*self._left, self._worker] if self._worker is not None else self._left

    def _go_on(self) -> None:
        if self._ended or (self._worker is not None and self._worker.job is not None):
            return
        waited_for = {span.log for worker in self._left if worker.job for span in worker.job[1].spans}
        for number, chunk in reversed(list(self._wanted.items())):
            if waited_for.isdisjoint(span.log for span in chunk.spans):
                self._give(number, chunk)
                break  # for what is left, another process would wait as well

    def _give(self, number: int, chunk: Summary) -> None:
        del self._wanted[number]
        if self._worker is None:
            self._worker = Worker(self._begin(), self._done)
        self._worker.give(number, chunk)
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._leave, self._worker)

    def _leave(self, worker: Worker) -> None:
        """Leave a process to what it waits for, and go on with another."""
        if worker.job is None:
            return
        self.silent[worker.job[0]] = worker.reading
        if len(self._left) < LEFT:
            self._left.append(worker)
            self._worker = None
            self._go_on()
        self._tell()

    def _done(self, worker: Worker, loaded: Loaded) -> None:
        job, worker.job = worker.job, None
        if self._ended or job is None:
            return
        if worker is self._worker and self._timer is not None:
            self._timer.cancel()
        elif worker in self._left:
            self._left.remove(worker)
            self._end(worker)
        if self.silent.pop(job[0], None) is not None:
            self._tell()
        self._take(*job, loaded)
        self._go_on()
