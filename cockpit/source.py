"""The contract between the cockpit and whatever feeds it.

A plugin imports this module and `cockpit.signals`, and nothing else of the cockpit. It subclasses `Source`, or
`PollingSource` when it looks at something every few seconds, and is found by an entry point in the group
`cockpit.sources`. What it raises, and how slow it is, harms only itself: the supervisor runs it on an event loop
that is not the screen's, restarts it with back-off and says so on the panes it feeds.

Questions (`query_logs`, `count_logs`, `query_metrics`, `find_traces`, `get_trace`) and actions are optional:
implement the methods and name them in `offers`. They run on the same loop as `run`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from msgspec import Struct

from cockpit.errors import CockpitError
from cockpit.options import FilePath as FilePath  # noqa: PLC0414  plugins import these from here
from cockpit.options import Secret as Secret  # noqa: PLC0414
from cockpit.signals import Alert, HealthSample, LogRecord, Matcher, Series, Signal, Silence, Span

if TYPE_CHECKING:
    from socket import socket


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a source's typed options. The string under each field is its documentation."""

    interval: float = 10.0
    """Seconds between two looks."""
    timeout: float = 5.0
    """Seconds that one look may take."""


class TimeRange(Struct, frozen=True):
    """A closed span of time in nanoseconds since the epoch, UTC."""

    start: int
    end: int


class Emit(Protocol):
    """How a source hands over what it found."""

    async def __call__(self, batch: Sequence[Signal]) -> None:
        """Hand over a list of signals. An empty list says: looked, nothing new.

        Waits while the cockpit catches up, for a bounded time; what still does not fit then is dropped and counted.
        """

    async def replace(self, signal_type: type[Alert] | type[HealthSample], batch: Sequence[Signal]) -> None:
        """Hand over all signals of one type that this source now knows; what is not among them is gone."""


class RemoteProgram(Protocol):
    """A program that a source started on a host. It is for one reader, on any loop."""

    def pieces(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield (1 for stdout or 2 for stderr, bytes) until the end; what is not read makes the program wait."""
        ...

    def write(self, data: bytes) -> None:
        """Send input."""

    async def ended(self) -> str:
        """Wait for the end and say in words how it came, such as `exit status 1` or why the connection was lost."""
        ...

    def close(self) -> None:
        """Let it go: its input ends, and whatever it writes from then on ends it."""


class Remote(Protocol):
    """How a source reaches what only a bastion, or a host itself, can reach: over the cockpit's SSH connections.

    Nothing listens on this machine, and connections are shared, so that each use costs a channel and no login.
    """

    @property
    def via(self) -> str:
        """The target through which `dial` connects; empty where there is none."""
        ...

    async def ready(self) -> None:
        """Have the way to `via` connected, so that a `dial` after it takes what the last connection takes.

        Raises:
            Unreachable: No way leads there; names the hop that failed.
        """

    async def dial(self, host: str, port: int) -> socket:
        """Return a connected, non-blocking socket whose other end is `host:port` as `via` knows it.

        Raises:
            Unreachable: There is no connection; names the hop that failed.
        """
        ...

    async def start(self, host: str, argv: Sequence[str], *, stdin: bool = False) -> RemoteProgram:
        """Start a program on a target; for programs that read, as nothing here is judged or recorded.

        Args:
            host: The target's name.
            argv: The program and its arguments, each one word for the host's shell. Fixed, but for what the
                configuration says: never put into it what came with telemetry.
            stdin: Whether `write` will be used; else its input is empty.

        Raises:
            CockpitError: It can't be started; names the hop that failed.
        """
        ...

    def members(self, name: str) -> Sequence[str]:
        """Return the targets that a name, a pattern or a group of the configuration stands for."""
        ...


class LogCounts(Struct, frozen=True, kw_only=True):
    """How many log records of one level came when, in buckets of one length that follow each other.

    A bucket counts all that lies in it, the first and the last too where they reach beyond the time asked for.
    """

    level: int
    """The SeverityNumber of the first of its range (`cockpit.signals.Level`); 0 for records without a level."""
    start: int
    """Where the first bucket begins, in nanoseconds."""
    step: int
    """Nanoseconds a bucket."""
    counts: tuple[int, ...]
    """One number a bucket; a bucket holds its start and not its end."""
    note: str = ""
    """Why these are not just the records asked for, in words: a condition the engine can't count by, a lost shard."""
    source: str = ""


class Found(list[LogRecord]):
    """Log records as an answer to a question, with what there is to say of it; a plain list says: that is all.

    Attributes:
        note: Why these are not all that were asked for, in words, such as a lost shard; empty where they are.
        reached: Where the search was given up, in nanoseconds: what is older was not looked at. None where all was.
    """

    def __init__(
        self, records: Iterable[LogRecord] = (), *, note: str = "", reached: int | None = None
    ) -> None:
        super().__init__(records)
        self.note = note
        self.reached = reached


class TraceSummary(Struct, frozen=True, kw_only=True):
    """One trace as a search answers it."""

    trace_id: str
    root: str
    """The root span's name."""
    service: str
    start: int
    duration: int
    """Nanoseconds."""
    spans: int
    error: bool = False
    source: str = ""


class Silencing(Struct, frozen=True, kw_only=True):
    """What an operator asks for when holding back alerts."""

    matchers: tuple[Matcher, ...]
    starts_at: int
    ends_at: int
    created_by: str
    comment: str


O = TypeVar("O", bound=Options)  # noqa: E741  the options type of a source


class Source(ABC, Generic[O]):
    """A plugin that feeds the cockpit from one system.

    Attributes:
        kind: The entry point's name.
        summary: One line for `cockpit sources`.
        options_type: The typed options, a subclass of `Options`.
        emits: Which signal types it emits; the panes that show its state.
        offers: Names of the optional methods it implements.
        log_language: What the language is called that `query_logs` and `count_logs` take after `raw:`, which is the
            engine's own; empty where there is none.
        carried: Whether it can be used with `via`: then it makes all its connections by `remote.dial`.
        on_hosts: Whether it starts programs on hosts, by `remote.start`.
        name: The instance's name from the configuration.
        options: Its options, validated.
        remote: Set between the source's making and its use: always for one that works on hosts, for one that can
            be carried where the configuration says `via`, and never for any other.
    """

    kind: ClassVar[str]
    summary: ClassVar[str]
    options_type: ClassVar[type[Options]]
    emits: ClassVar[frozenset[type]] = frozenset()
    offers: ClassVar[frozenset[str]] = frozenset()
    log_language: ClassVar[str] = ""
    carried: ClassVar[bool] = False
    on_hosts: ClassVar[bool] = False
    remote: Remote | None = None

    def __init__(self, name: str, options: O) -> None:
        self.name = name
        self.options = options

    @property
    def deadline(self) -> float:
        """Seconds without a word from the source after which it counts as late, then as hung."""
        return self.options.interval + self.options.timeout * 2

    @abstractmethod
    async def run(self, emit: Emit) -> None:
        """Feed the cockpit until cancelled.

        Raises:
            CockpitError: What went wrong; the supervisor shows it and starts `run` again later.
        """

    @abstractmethod
    async def check(self) -> str:
        """Try the real thing once, for `cockpit doctor`, and say in one line what worked.

        Raises:
            CockpitError: What did not work, with the remedy.
        """

    async def aclose(self) -> None:
        """Let go of what is held, such as connections; what needs them afterwards opens them again.

        Called on the loop that the source ran on when it is no longer used, for a question may have opened something
        after `run` ended. A `PollingSource` calls it at the end of `run` too; any other `run` closes what it opened.
        """

    # Questions a source may answer. Each pushes its range and limit down to the engine that holds the data.

    async def query_logs(self, query: str, within: TimeRange, limit: int) -> list[LogRecord]:
        """Return at most `limit` records, the newest there are, oldest first; a `Found` where that is not the whole.

        Args:
            query: In the language of the logs' filter line (docs/logs.md); empty means all. A source may leave
                conditions out that its engine can't test: whoever asks tests the answer again. After `raw:`, where
                the source has a `log_language`, in that: such an answer is tested by nobody.
            within: The time to look in.
            limit: Records wanted.
        """
        raise self._not_offered("query_logs")

    async def count_logs(self, query: str, within: TimeRange, buckets: int) -> list[LogCounts]:
        """Return how many records there are by level and time; a level without any is left out.

        Args:
            query: As for `query_logs`.
            within: The time to count in; the buckets cover it.
            buckets: How many there may be at most.
        """
        raise self._not_offered("count_logs")

    async def query_metrics(self, expression: str, within: TimeRange, step: float) -> list[Series]:
        """Evaluate an expression over a range, a point every `step` seconds; a step of 0 asks for the end alone."""
        raise self._not_offered("query_metrics")

    async def find_traces(
        self, service: str, within: TimeRange, limit: int, *, errors_only: bool = False
    ) -> list[TraceSummary]:
        """Return at most `limit` traces, newest first. An empty service means any the engine can list."""
        raise self._not_offered("find_traces")

    async def get_trace(self, trace_id: str) -> list[Span]:
        """Return all spans of one trace, or an empty list when the engine doesn't know it."""
        raise self._not_offered("get_trace")

    async def list_silences(self) -> list[Silence]:
        """Return the silences that are active or pending."""
        raise self._not_offered("list_silences")

    # Actions. They are command lines like any other: the executor records them before `act` runs them.

    def silence_argv(self, wanted: Silencing) -> tuple[str, ...]:
        """Return the argv that, given to `act`, makes this silence."""
        raise self._not_offered("silence_argv")

    def expire_argv(self, silence_id: str) -> tuple[str, ...]:
        """Return the argv that, given to `act`, ends a silence now."""
        raise self._not_offered("expire_argv")

    async def act(self, argv: Sequence[str]) -> str:
        """Carry out an action and return what the other side answered, as text.

        Raises:
            CockpitError: The action failed, or its outcome is not known (which the message then says).
        """
        raise self._not_offered("act")

    def _not_offered(self, method: str) -> CockpitError:
        return CockpitError(f"a {self.kind} source offers no {method}", where=self.name)


class PollingSource(Source[O]):
    """A source that looks at something every `interval` seconds."""

    def __init__(self, name: str, options: O) -> None:
        super().__init__(name, options)
        self.traced: Callable[[str, Callable[[], Awaitable[None]]], Awaitable[None]] = _untraced
        """Wraps each look; the supervisor sets it so that looks show as the cockpit's own spans."""

    @abstractmethod
    async def poll(self, emit: Emit) -> None:
        """Look once and emit what was found."""

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled, keeping the rhythm: a slow look shortens the pause after it."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                started = loop.time()
                await self.traced(f"poll {self.name}", lambda: self.poll(emit))
                await asyncio.sleep(max(0.05, self.options.interval - (loop.time() - started)))
        finally:
            await self.aclose()


async def _untraced(_name: str, look: Callable[[], Awaitable[None]]) -> None:
    await look()


def resource(
    service: str = "", host: str = "", extra: Mapping[str, str] | Iterable[tuple[str, str]] = ()
) -> dict[str, str]:
    """Build a resource from the names that the scope follows, leaving out what is empty."""
    built = dict(extra)
    if service:
        built["service.name"] = service
    if host:
        built["host.name"] = host
    return built
