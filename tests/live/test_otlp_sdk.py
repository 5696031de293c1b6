"""A real OpenTelemetry SDK sends to the receiver, by HTTP and by gRPC."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from cockpit.process import capture
from cockpit.signals import LogRecord, Signal, Span, SpanStatus
from cockpit.source import TimeRange
from sources.otlp import OtlpOptions, OtlpSource

pytestmark = pytest.mark.live

APPLICATION = textwrap.dedent(
    """
    import logging, sys
    from opentelemetry import metrics, trace
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    protocol, endpoint = sys.argv[1:]
    if protocol == "http":
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        to = lambda what: {"endpoint": f"{endpoint}/v1/{what}", "compression": Compression.Gzip}
    else:
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        to = lambda what: {"endpoint": endpoint, "insecure": True, "compression": grpc.Compression.Gzip}

    resource = Resource.create({"service.name": "cart", "host.name": "node-1", "k8s.pod.name": "cart-7f"})
    traces, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**to("traces"))))
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**to("logs"))))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**to("metrics")))
    meters = MeterProvider(resource=resource, metric_readers=[reader])

    log = logging.getLogger("shop")
    log.setLevel(logging.INFO)
    log.addHandler(LoggingHandler(logger_provider=logs))
    tracer = traces.get_tracer("shop.tracer")
    for number in range(200):
        with tracer.start_as_current_span("POST /checkout", kind=trace.SpanKind.SERVER) as span:
            span.set_attribute("order.items", [1, 2])
            with tracer.start_as_current_span("charge") as inner:
                inner.add_event("retry", {"attempt": 2})
                if number % 10 == 0:
                    inner.set_status(trace.StatusCode.ERROR, "card declined")
                log.warning("charging order %d", number)
    meters.get_meter("shop").create_counter("orders").add(200, {"region": "eu"})
    for provider in (traces, logs, meters):
        provider.force_flush()
        provider.shutdown()
    """
)


class Collected:
    def __init__(self) -> None:
        self.signals: list[Signal] = []

    async def __call__(self, batch: Sequence[Signal]) -> None:
        self.signals += batch

    async def replace(self, signal_type: type, batch: Sequence[Signal]) -> None:
        pass


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[OtlpSource, Collected]]:
    source, collected = OtlpSource("otlp", OtlpOptions(port=0, grpc_port=0)), Collected()
    task = asyncio.create_task(source.run(collected))
    while len(source.ports) < 2 and not task.done():
        await asyncio.sleep(0.01)
    try:
        yield source, collected
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def require_sdk() -> None:
    missing = []
    for module in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http", "grpc"):
        try:
            __import__(module)
        except ImportError:
            missing.append(module)
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.mark.parametrize(("protocol", "door"), [("http", "HTTP"), ("grpc", "gRPC")])
async def test_traces_logs_and_metrics_arrive_whole(protocol: str, door: str) -> None:
    require_sdk()
    before = time.time_ns()
    async with receiving() as (source, collected):
        argv = (sys.executable, "-c", APPLICATION, protocol, f"http://127.0.0.1:{source.ports[door]}")
        status, _, errors = await capture(argv, timeout=60)
        assert status == 0, errors.decode()
        spans = [item for item in collected.signals if isinstance(item, Span)]
        logs = [item for item in collected.signals if isinstance(item, LogRecord)]
        assert (len(spans), len(logs)) == (400, 200), errors.decode()

        roots = {span.span_id: span for span in spans if not span.parent_id}
        inner = [span for span in spans if span.parent_id]
        assert all(roots[span.parent_id].trace_id == span.trace_id for span in inner)
        assert {(span.name, span.kind) for span in roots.values()} == {("POST /checkout", "server")}
        assert {span.attributes["order.items"] for span in roots.values()} == {"[1,2]"}
        failed = [span for span in inner if span.status is SpanStatus.ERROR]
        assert len(failed) == 20
        assert {span.status_message for span in failed} == {"card declined"}
        assert {event.attributes["attempt"] for span in inner for event in span.events} == {2}
        assert all(before <= span.start <= span.end <= time.time_ns() for span in spans)

        both: list[Span | LogRecord] = [*spans, *logs]
        resources = {id(item.resource): item.resource for item in both}
        assert len(resources) == 1
        (resource,) = resources.values()
        assert (resource["service.name"], resource["k8s.pod.name"]) == ("cart", "cart-7f")

        bodies = {f"charging order {number}" for number in range(200)}
        assert {record.body for record in logs} == bodies
        assert {record.level for record in logs} == {13}
        assert {record.trace_id for record in logs} == {span.trace_id for span in spans}

        within = TimeRange(before, time.time_ns())
        (series,) = await source.query_metrics('orders{region="eu"}', within, 0.0)
        assert series.points[-1][1] == 200.0
