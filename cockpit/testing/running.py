"""The part of the contract that can be seen by running a source: what it says, answers, and how it ends."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from cockpit import hygiene
from cockpit.errors import CockpitError
from cockpit.signals import SECOND, Alert, HealthSample, LogRecord, Matcher, Series, Signal, Silence, Span
from cockpit.source import LogCounts, Silencing, Source, TimeRange, TraceSummary
from cockpit.testing.broken import ContractBroken, demand

STOP_WITHIN = 1.0
"""Seconds that a cancelled source may take to stop."""

T = TypeVar("T")


class Listener:
    """The `emit` given to a source under test: holds every signal to the contract as it comes."""

    def __init__(self, source: Source[Any]) -> None:
        self.source = source
        self.heard = asyncio.Event()
        self.broken: ContractBroken | None = None
        self.signals = 0
        self.words = 0
        self.started = time.perf_counter()
        self.first_word = 0.0
        self.stopped_in = 0.0

    async def __call__(self, batch: Sequence[Signal]) -> None:
        """Take a batch."""
        self._take(batch, None)

    async def replace(self, signal_type: type, batch: Sequence[Signal]) -> None:
        """Take all signals of one type."""
        self._take(batch, signal_type)

    def _take(self, batch: Sequence[Signal], replaces: type | None) -> None:
        self.words += 1
        self.signals += len(batch)
        self.first_word = self.first_word or time.perf_counter() - self.started
        try:
            _check_batch(self.source, batch, replaces)
        except ContractBroken as error:
            self.broken = self.broken or error
        self.heard.set()


def _check_batch(source: Source[Any], batch: Sequence[Signal], replaces: type | None) -> None:
    demand(isinstance(batch, Sequence), f"emit takes a list of signals, not {type(batch).__name__}")
    emits = source.emits
    demand(replaces is None or replaces in (Alert, HealthSample), "replace takes Alert or HealthSample")
    demand(replaces is None or replaces in emits, f"emits does not name {getattr(replaces, '__name__', '')}")
    for signal in batch:
        kind = type(signal)
        demand(kind in emits, f"it emitted {kind.__name__}, which emits does not name")
        demand(
            replaces in (None, kind),
            f"replace({getattr(replaces, '__name__', '')}) was given {kind.__name__}",
        )
        demand(
            signal.source == source.name,
            f"a {kind.__name__} names its source {signal.source!r}, not {source.name!r}",
        )
        cleaned, _ = hygiene.clean(signal)
        demand(
            len(cleaned) == 1 and type(cleaned[0]) is kind,
            f"hygiene rejects a {kind.__name__}, for a field has a wrong type or its time is none: {signal!r:.500}",
        )


async def run_and_ask(source: Source[Any], seconds: float, *, ask: bool) -> tuple[Listener, tuple[str, ...]]:
    """Run a source for a while, ask its questions if wanted, and cancel it."""
    listener = Listener(source)
    task = asyncio.create_task(source.run(listener), name=f"run {source.name}")
    asked: tuple[str, ...] = ()
    try:
        await _first_word(source, listener, task)
        if ask:
            asked = await _ask(source)
        await asyncio.wait({task}, timeout=max(0.0, seconds - (time.perf_counter() - listener.started)))
        _demand_alive(task)
    finally:
        listener.stopped_in = await _stop(task)
    if listener.broken is not None:
        raise listener.broken
    return listener, asked


async def _first_word(source: Source[Any], listener: Listener, task: asyncio.Task[None]) -> None:
    heard = asyncio.create_task(listener.heard.wait())
    try:
        await asyncio.wait({heard, task}, timeout=source.deadline, return_when=asyncio.FIRST_COMPLETED)
    finally:
        heard.cancel()
    _demand_alive(task)
    demand(
        listener.heard.is_set(),
        f"not a word within its deadline of {source.deadline:g} s; emit([]) says that nothing is new",
    )


def _demand_alive(task: asyncio.Task[None]) -> None:
    if task.done():
        raise ContractBroken(f"run must live until it is cancelled, but {_ending(task)}")


def _ending(task: asyncio.Task[None]) -> str:
    if task.cancelled():
        return "it cancelled itself"
    error = task.exception()
    return f"it raised {type(error).__name__}: {error}" if error else "it returned"


async def _stop(task: asyncio.Task[None]) -> float:
    """Cancel a run and return the seconds it took to stop."""
    if task.done():
        return 0.0
    started = time.perf_counter()
    task.cancel()
    await asyncio.wait({task}, timeout=STOP_WITHIN)
    demand(task.done(), f"it must stop within {STOP_WITHIN:g} s of being cancelled")
    if (
        not task.cancelled()
        and (error := task.exception()) is not None
        and not isinstance(error, CockpitError)
    ):
        raise ContractBroken(f"on being cancelled it raised {type(error).__name__}: {error}") from error
    return time.perf_counter() - started


async def check_check(source: Source[Any], *, reachable: bool) -> str:
    """Hold `check` to an answer of one line, or to an error that a person can act on."""
    limit = max(source.deadline, source.options.timeout * 2)
    try:
        answer: object = await _within(limit, source.check(), "check")
    except CockpitError as error:
        demand(not reachable, f"check failed on what is reachable: {error}")
        _check_error(error, "check")
        return str(error)
    text = answer if isinstance(answer, str) else ""
    demand(bool(text) and "\n" not in text, "check must answer with one line of text")
    return text


async def run_unreachable(source: Source[Any], seconds: float) -> None:
    """Run a source that reaches nothing: it says so by signals, or by an error that a person can act on."""
    listener = Listener(source)
    task = asyncio.create_task(source.run(listener), name=f"run {source.name}")
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done() and not listener.words:
            await asyncio.wait({task}, timeout=source.deadline)
            demand(
                task.done() or bool(listener.words), "it neither raised nor said a word within its deadline"
            )
        if task.done():
            error = None if task.cancelled() else task.exception()
            if not isinstance(error, CockpitError):
                raise ContractBroken(f"run may end by a CockpitError alone, but {_ending(task)}") from error
            _check_error(error, "run")
    finally:
        await _stop(task)
    if listener.broken is not None:
        raise listener.broken


def _check_error(error: CockpitError, method: str) -> None:
    kind = type(error).__name__
    demand(bool(error.where), f"{method} raised a {kind} that does not say where: {error}")
    demand(bool(error.remedy), f"{method} raised a {kind} without a remedy: {error}")


async def _within(seconds: float, answer: Awaitable[T], what: str) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError:
        raise ContractBroken(f"{what} took longer than {seconds:g} s") from None


def _check_counts(counted: list[LogCounts], within: TimeRange, buckets: int) -> None:
    """Hold counts to one grid of buckets that covers the time asked for, and to a list a level."""
    grids = {(one.start, one.step, len(one.counts)) for one in counted}
    demand(len(grids) <= 1, "count_logs must count all levels in the same buckets")
    demand(len({one.level for one in counted}) == len(counted), "count_logs must give each level once")
    for start, step, length in grids:
        demand(0 < length <= buckets, f"count_logs was asked for {buckets} buckets and returned {length}")
        covers = start <= within.start and start + step * length >= within.end
        demand(covers, "the buckets of count_logs must cover the time asked for")


async def _ask(source: Source[Any]) -> tuple[str, ...]:
    """Ask what the source offers to answer, each time for one item of the last hour."""
    now = time.time_ns()
    hour = TimeRange(now - 3600 * SECOND, now)
    silencing = Silencing(
        matchers=(Matcher("alertname", "Contract"),),
        starts_at=now,
        ends_at=now + SECOND,
        created_by="contract",
        comment="a silence that is never made",
    )
    questions: dict[str, tuple[Callable[[], Awaitable[object]], type, int]] = {
        "query_logs": (lambda: source.query_logs("", hour, 1), LogRecord, 1),
        "count_logs": (lambda: source.count_logs("", hour, 60), LogCounts, 7),
        "find_traces": (lambda: source.find_traces("", hour, 1), TraceSummary, 1),
        "get_trace": (lambda: source.get_trace("0" * 31 + "1"), Span, sys.maxsize),
        "query_metrics": (lambda: source.query_metrics("up", hour, 0.0), Series, sys.maxsize),
        "list_silences": (source.list_silences, Silence, sys.maxsize),
    }
    limit = max(source.deadline, source.options.timeout * 2)
    for method, (ask, kind, most) in questions.items():
        if method in source.offers:
            answer = await _within(limit, ask(), method)
            demand(isinstance(answer, list), f"{method} must return a list")
            items = answer if isinstance(answer, list) else []
            demand(len(items) <= most, f"{method} was asked for {most} at most and returned {len(items)}")
            demand(all(type(item) is kind for item in items), f"{method} must return {kind.__name__}s")
            if method == "count_logs":
                _check_counts(items, hour, 60)
    lines: dict[str, Callable[[], object]] = {
        "silence_argv": lambda: source.silence_argv(silencing),
        "expire_argv": lambda: source.expire_argv("id"),
    }
    for method, line in lines.items():
        if method in source.offers:
            argv = line()
            words = isinstance(argv, tuple) and argv and all(isinstance(word, str) for word in argv)
            demand(bool(words), f"{method} must return a tuple of words")
    return tuple(method for method in (*questions, *lines) if method in source.offers)
