"""The OTLP receiver: traces, logs and metrics from any OpenTelemetry SDK or collector.

HTTP on 4318 with protobuf or JSON, and gRPC on 4317 where grpcio is installed (the `grpc` extra). Spans and log
records go to the panes; metrics are kept for a while to be asked for; and each service that was heard gets a row of
health. Either protocol goes on when the other one's port is taken.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from cockpit.errors import Unreachable
from cockpit.signals import HealthSample, HealthState, LogRecord, Series, Signal, Span
from cockpit.source import Emit, Options, Source, TimeRange
from sources.support import otlp_grpc
from sources.support.otlp_http import HttpReceiver, Limits, is_cockpit
from sources.support.otlp_intake import Intake
from sources.support.otlp_json import JsonWire
from sources.support.otlp_metrics import Metrics
from sources.support.otlp_proto import ProtoWire
from sources.support.otlp_services import Services

if TYPE_CHECKING:
    from sources.support.otlp_messages import Wire

IN_FLIGHT = 4
"""Bodies of the largest size that are held at any time."""


class OtlpOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the receiver listens, and what it takes at most."""

    interval: float = 5.0
    """Seconds between two looks at the services that were heard, and at ports that were taken."""
    host: str = "127.0.0.1"
    """The address to listen on; another than this machine's own lets anybody who reaches it send."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 4318
    """The port for OTLP/HTTP."""
    grpc_port: Annotated[int, Meta(ge=0, le=65535)] = 4317
    """The port for OTLP/gRPC."""
    grpc: bool = True
    """Listen for gRPC as well, where grpcio is installed."""
    body_limit: Annotated[int, Meta(ge=1024, le=1 << 30)] = 16 << 20
    """Bytes of one request at most, packed or unpacked; larger ones are refused."""
    connections: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Connections at most at any time, for each of the two protocols."""


class Door(Struct):
    """One protocol's port: closed, open, or why it can't be opened."""

    protocol: str
    option: str
    """The option that holds its port."""
    wanted: int
    listen: Callable[[str, int], Awaitable[int]]
    close: Callable[[], Awaitable[None]]
    port: int = 0
    trouble: Unreachable | None = None
    cockpit: bool = False
    """Whether it is another cockpit that has the port."""


class OtlpSource(Source[OtlpOptions]):
    """Receives OTLP.

    Attributes:
        ports: The port that is listened on for each protocol, `HTTP` and `gRPC`.
    """

    kind = "otlp"
    summary = "OTLP receiver: traces, logs and metrics from OpenTelemetry SDKs and collectors"
    options_type = OtlpOptions
    emits = frozenset({Span, LogRecord, HealthSample})
    offers = frozenset({"query_metrics"})

    def __init__(self, name: str, options: OtlpOptions) -> None:
        super().__init__(name, options)
        self.ports: dict[str, int] = {}
        self._metrics = Metrics(name)
        self._services = Services(name)

    async def run(self, emit: Emit) -> None:
        """Listen until cancelled; every `interval` seconds look at the services and at ports that were taken.

        Raises:
            Unreachable: No port could be listened on.
        """
        intake = self._intake(emit)
        doors = self._doors(intake)
        try:
            while True:
                await self._open(doors)
                if all(door.trouble for door in doors) and doors[0].trouble:
                    raise doors[0].trouble
                self.ports = {door.protocol: door.port for door in doors if door.port}
                await emit.replace(HealthSample, [*self._services.look(), *self._closed(doors)])
                await asyncio.wait({intake.failed}, timeout=self.options.interval)
                if intake.failed.done():
                    raise intake.failed.result()
        finally:
            self.ports = {}
            for door in doors:
                await door.close()
            intake.close()

    async def check(self) -> str:
        """Listen on each port for a moment, where no cockpit listens already.

        Raises:
            Unreachable: A port is taken, and not by a cockpit.
        """
        if self.ports:
            return f"listening for {_listed(self.ports)}"
        intake = self._intake(_Nowhere())
        doors = self._doors(intake)
        try:
            await self._open(doors)
        finally:
            for door in doors:
                await door.close()
            intake.close()
        if doors[0].cockpit:
            return f"a cockpit receives here already ({self.options.host}:{doors[0].wanted})"
        for door in doors:
            if door.trouble is not None:
                raise door.trouble
        without = "" if len(doors) > 1 or not self.options.grpc else "; gRPC needs the extra: cockpit[grpc]"
        return f"can listen for {_listed({door.protocol: door.port for door in doors})}{without}"

    async def query_metrics(self, expression: str, within: TimeRange, step: float) -> list[Series]:
        """Answer `NAME{label="value"}`, or `rate(…)` of it, from the points that came in lately.

        Raises:
            BadAnswer: The expression is neither.
        """
        return self._metrics.query(expression, within, step)

    def _intake(self, emit: Emit) -> Intake:
        return Intake(
            self.name,
            emit,
            measured=self._metrics.add,
            heard=self._services.hear,
            budget=self.options.body_limit * IN_FLIGHT,
        )

    def _doors(self, intake: Intake) -> list[Door]:
        options = self.options
        json, proto = JsonWire(), ProtoWire()
        wires: dict[str, Wire] = {json.content_type: json, proto.content_type: proto}
        limits = Limits(body=options.body_limit, connections=options.connections)
        http = HttpReceiver(intake, wires, limits)
        doors = [Door("HTTP", "port", options.port, http.listen, http.close)]
        if options.grpc and otlp_grpc.available():
            grpc = otlp_grpc.GrpcReceiver(intake, proto, limits)
            doors.append(Door("gRPC", "grpc_port", options.grpc_port, grpc.listen, grpc.close))
        return doors

    async def _open(self, doors: list[Door]) -> None:
        """Open the doors that are closed; one that can't be opened is no trouble to another."""
        for door in doors:
            if door.port:
                continue
            try:
                door.port = await door.listen(self.options.host, door.wanted)
                door.trouble, door.cockpit = None, False
            except (OSError, OverflowError) as error:
                taken = getattr(error, "errno", None) == errno.EADDRINUSE
                door.cockpit = (
                    taken and door.protocol == "HTTP" and await is_cockpit(self.options.host, door.wanted)
                )
                door.trouble = self._trouble(door, getattr(error, "strerror", None) or str(error))

    def _trouble(self, door: Door, reason: str) -> Unreachable:
        where = f"{self.options.host}:{door.wanted}"
        if door.cockpit:
            return Unreachable(
                "another cockpit has the port and receives there",
                where=where,
                remedy=f"look there, end it, or set {door.option} to a free port",
            )
        return Unreachable(
            f"can't listen for {door.protocol}: {reason}",
            where=where,
            remedy=f"another collector may listen there: stop it, or set {door.option} to a free port",
        )

    def _closed(self, doors: list[Door]) -> list[HealthSample]:
        """Return a row for each door that could not be opened while another one could."""
        return [
            HealthSample(
                at=time.time_ns(),
                subject=f"OTLP {door.protocol} {self.options.host}:{door.wanted}",
                kind="source",
                state=HealthState.DOWN,
                reason=str(door.trouble),
                source=self.name,
            )
            for door in doors
            if door.trouble is not None
        ]


class _Nowhere:
    """Takes what comes in while a check listens, which nobody wants."""

    async def __call__(self, batch: Sequence[Signal]) -> None:
        pass

    async def replace(self, signal_type: type, batch: Sequence[Signal]) -> None:
        pass


def _listed(ports: dict[str, int]) -> str:
    return ", ".join(f"{protocol} on {port}" for protocol, port in ports.items())
