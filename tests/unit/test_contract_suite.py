"""`cockpit.testing.check_source` lets good sources pass, and says what is wrong with each bad one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import threading
import time
from typing import Any, ClassVar

import pytest

from cockpit.errors import CockpitError, Unreachable
from cockpit.signals import Alert, HealthSample, HealthState, LogRecord
from cockpit.source import Emit, LogCounts, Options, PollingSource, Source, TimeRange
from cockpit.testing import ContractBroken, check_source


class ClockOptions(Options, frozen=True, kw_only=True):
    """Options of the clock."""

    interval: float = 0.05
    """Seconds between two looks."""
    timeout: float = 0.1
    """Seconds that one look may take."""
    zone: str = "UTC"
    """The time zone."""


class Clock(PollingSource[ClockOptions]):
    """A good source, which each bad one below spoils in one place."""

    kind = "clock"
    summary = "what time it is"
    options_type: ClassVar[Any] = ClockOptions
    emits: ClassVar[frozenset[type]] = frozenset({HealthSample})

    async def poll(self, emit: Emit) -> None:
        await emit([self.sample()])

    def sample(self, **fields: Any) -> HealthSample:
        given = {"at": time.time_ns(), "subject": "clock", "kind": "check", "state": HealthState.OK}
        return HealthSample(**{**given, "source": self.name, **fields})

    async def check(self) -> str:
        return "it ticks"


async def held(kind: type[Source[Any]], *, reachable: bool = True) -> Any:
    return await check_source(lambda: kind("clock", kind.options_type()), reachable=reachable, seconds=0.1)


async def test_a_good_source_passes_and_its_deeds_are_reported() -> None:
    report = await held(Clock)
    assert report.answer == "it ticks"
    assert report.signals >= 2
    assert 0 <= report.first_word < 1
    assert 0 <= report.stopped_in < 1


class NoSummary(Clock):
    summary = ""


class EmitsNothing(Clock):
    emits: ClassVar[frozenset[type]] = frozenset()


class OddOptions(Options, frozen=True, kw_only=True):
    """Options with a field that says nothing of itself."""

    color: str = "red"


class Undocumented(Clock):
    options_type: ClassVar[Any] = OddOptions


class OffersTooMuch(Clock):
    offers = frozenset({"query_logs"})


class OffersTooLittle(Clock):
    async def query_logs(self, query: str, within: TimeRange, limit: int) -> list[LogRecord]:
        return []


class ReadsWhileMade(Clock):
    def __init__(self, name: str, options: ClockOptions) -> None:
        super().__init__(name, options)
        with tempfile.TemporaryFile() as file:
            file.read()


class ConnectsWhileMade(Clock):
    def __init__(self, name: str, options: ClockOptions) -> None:
        super().__init__(name, options)
        with contextlib.suppress(OSError), socket.socket() as found:
            found.connect(("127.0.0.1", 1))


class Returns(Clock):
    async def run(self, emit: Emit) -> None:
        await emit([])


class Raises(Clock):
    async def poll(self, emit: Emit) -> None:
        raise KeyError("boom")


class Silent(Clock):
    async def poll(self, emit: Emit) -> None:
        await asyncio.sleep(3600)


class EmitsUndeclared(Clock):
    async def poll(self, emit: Emit) -> None:
        await emit([LogRecord(at=time.time_ns(), body="", source=self.name)])


class ReplacesUndeclared(Clock):
    async def poll(self, emit: Emit) -> None:
        await emit.replace(Alert, [])


class Anonymous(Clock):
    async def poll(self, emit: Emit) -> None:
        await emit([self.sample(source="another")])


class WrongTypes(Clock):
    async def poll(self, emit: Emit) -> None:
        await emit([self.sample(at="now")])


class Stubborn(Clock):
    async def run(self, emit: Emit) -> None:
        await emit([])
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.1)


class LeavesTask(Clock):
    async def poll(self, emit: Emit) -> None:
        self.task = asyncio.create_task(asyncio.sleep(3), name="forgotten")
        await super().poll(emit)


class LeavesThread(Clock):
    async def poll(self, emit: Emit) -> None:
        threading.Thread(target=time.sleep, args=(2.5,), name="forgotten").start()
        await super().poll(emit)
        await asyncio.sleep(3600)


class LeavesSocket(Clock):
    async def poll(self, emit: Emit) -> None:
        self.socket = socket.socket()
        await super().poll(emit)
        await asyncio.sleep(3600)


class RunsOnce(Clock):
    ran = False

    async def run(self, emit: Emit) -> None:
        if self.ran:
            raise CockpitError("already ran")
        self.ran = True
        await super().run(emit)


class BadCheck(Clock):
    async def check(self) -> str:
        return ""


class TooManyAnswers(OffersTooLittle):
    offers = frozenset({"query_logs"})

    async def query_logs(self, query: str, within: TimeRange, limit: int) -> list[LogRecord]:
        return [LogRecord(at=within.end, body="one too many")] * (limit + 1)


def counts(level: int, within: TimeRange, length: int = 2) -> LogCounts:
    step = (within.end - within.start) // length + 1
    return LogCounts(level=level, start=within.start, step=step, counts=(1,) * length)


class CountsTwice(Clock):
    offers = frozenset({"count_logs"})

    async def count_logs(self, query: str, within: TimeRange, buckets: int) -> list[LogCounts]:
        return [counts(9, within), counts(9, within)]


class CountsOnTwoGrids(CountsTwice):
    async def count_logs(self, query: str, within: TimeRange, buckets: int) -> list[LogCounts]:
        return [counts(9, within, 2), counts(17, within, 3)]


class CountsTooFinely(CountsTwice):
    async def count_logs(self, query: str, within: TimeRange, buckets: int) -> list[LogCounts]:
        return [counts(9, within, buckets + 1)]


class CountsInPart(CountsTwice):
    async def count_logs(self, query: str, within: TimeRange, buckets: int) -> list[LogCounts]:
        return [counts(9, TimeRange(within.start, within.end - 10))]


class SpeaksUnasked(Clock):
    log_language = "ClockQL"


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (SpeaksUnasked, "log_language must be a text, and goes with query_logs"),
        (CountsTwice, "count_logs must give each level once"),
        (CountsOnTwoGrids, "count_logs must count all levels in the same buckets"),
        (CountsTooFinely, "count_logs was asked for 60 buckets and returned 61"),
        (CountsInPart, "the buckets of count_logs must cover the time asked for"),
        (NoSummary, "summary must be a text"),
        (EmitsNothing, "emits must be a frozenset"),
        (Undocumented, "OddOptions: no docstring under color"),
        (OffersTooMuch, "offers names query_logs, which is not overridden"),
        (OffersTooLittle, "query_logs is overridden, but offers does not name it"),
        (ReadsWhileMade, "must do no I/O, yet it did: opened a file"),
        (ConnectsWhileMade, "connected a socket"),
        (Returns, "but it returned"),
        (Raises, "but it raised KeyError: 'boom'"),
        (Silent, "not a word within its deadline of 0.25 s"),
        (EmitsUndeclared, "it emitted LogRecord, which emits does not name"),
        (ReplacesUndeclared, "emits does not name Alert"),
        (Anonymous, "names its source 'another', not 'clock'"),
        (WrongTypes, "hygiene rejects a HealthSample"),
        (Stubborn, "must stop within 1 s of being cancelled"),
        (LeavesTask, "run left behind: task forgotten"),
        (LeavesThread, "run left behind: thread forgotten"),
        (LeavesSocket, "run left behind: socket"),
        (RunsOnce, "but it raised CockpitError: already ran"),
        (BadCheck, "check must answer with one line of text"),
        (TooManyAnswers, "query_logs was asked for 1 at most and returned 2"),
    ],
)
async def test_each_broken_promise_is_named(kind: type[Source[Any]], complaint: str) -> None:
    with pytest.raises(ContractBroken) as caught:
        await held(kind)
    assert complaint in str(caught.value)


class Lost(Clock):
    async def poll(self, emit: Emit) -> None:
        raise Unreachable("no answer", where="127.0.0.1:1", remedy="start it")

    async def check(self) -> str:
        raise Unreachable("no answer", where="127.0.0.1:1", remedy="start it")


class LostForWords(Lost):
    async def poll(self, emit: Emit) -> None:
        raise Unreachable("no answer")


class LostItsMind(Lost):
    async def poll(self, emit: Emit) -> None:
        raise ConnectionRefusedError("no answer")


async def test_what_reaches_nothing_must_say_so_helpfully() -> None:
    assert "start it" in (await held(Lost, reachable=False)).answer
    assert (await held(Clock, reachable=False)).answer == "it ticks"
    with pytest.raises(ContractBroken, match="does not say where"):
        await held(LostForWords, reachable=False)
    with pytest.raises(ContractBroken, match="it raised ConnectionRefusedError: no answer"):
        await held(LostItsMind, reachable=False)
    with pytest.raises(ContractBroken, match="check failed on what is reachable"):
        await held(Lost)


async def test_what_make_returns_must_be_new_and_a_source() -> None:
    clock = Clock("clock", ClockOptions())
    with pytest.raises(ContractBroken, match="a new source each time"):
        await check_source(lambda: clock)
    with pytest.raises(ContractBroken, match="which is no Source"):
        await check_source(lambda: 7)  # type: ignore[arg-type,return-value]
