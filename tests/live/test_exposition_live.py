"""The exposition source against real exporters, with a real Prometheus as the judge of what a page says."""

from __future__ import annotations

import gzip
import math
import time

import pytest

from cockpit.errors import BadAnswer, Denied
from cockpit.signals import SECOND, HealthState
from cockpit.source import TimeRange
from sources.exposition import ExpositionOptions, ExpositionSource, Watch
from sources.prometheus import PrometheusOptions, PrometheusSource
from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.shared_data import shared_data
from tests.live.collect import Closing, Collected, poll_until
from tests.live.servers import Blackbox, NodeExporter, Prometheus


async def test_a_node_exporter_is_watched(closing: Closing) -> None:
    watch = (
        Watch(selector="node_load1", name="load", above=1e9),
        Watch(selector='node_cpu_seconds_total{cpu="0",mode="idle"}', name="idle"),
        Watch(selector="node_memory_MemTotal_bytes", above=1.0, state=HealthState.DOWN),
        Watch(selector="no_such_metric"),
    )
    with NodeExporter() as node:
        source = closing(
            ExpositionSource(
                "node", ExpositionOptions(url=node.url, service="nodes", watch=watch, timeout=10.0)
            )
        )
        seen = Collected()
        await source.poll(seen)
        page = seen.health[f"scrape {node.url}/metrics"]
        assert page.state is HealthState.OK and page.value is not None and page.value > 0
        assert page.details["series"] > 200 and page.details["wrong lines"] == 0  # type: ignore[operator]
        assert page.resource == {"service.name": "nodes", "host.name": "127.0.0.1"}
        assert seen.health["idle"].state is HealthState.UNKNOWN, "one look gives no rate"
        time.sleep(1.1)
        await source.poll(seen)
        idle = seen.health["idle"]
        assert idle.state is HealthState.OK and idle.unit == "s/s" and 0 <= (idle.value or 0) <= 1.5
        memory = seen.health["node_memory_MemTotal_bytes"]
        assert memory.state is HealthState.DOWN and memory.unit == "By"
        assert seen.health["no_such_metric"].state is HealthState.UNKNOWN
        now = time.time_ns()
        [series] = await source.query_metrics("node_load1", TimeRange(now - 60 * SECOND, now), 0.001)
        assert len(series.points) == 2
        [rate] = await source.query_metrics(
            'rate(node_cpu_seconds_total{cpu="0",mode="idle"})', TimeRange(now - 60 * SECOND, now), 0
        )
        assert rate.points[0][1] == idle.value
        node.kill()
        await source.poll(seen)
        down = seen.health[f"scrape {node.url}/metrics"]
        assert down.state is HealthState.DOWN and "refused" in down.reason
        assert seen.health["load"].state is HealthState.UNKNOWN, "a number that is no longer read is not fine"
        node.start()
        await source.poll(seen)
        assert seen.health[f"scrape {node.url}/metrics"].state is HealthState.OK


async def test_a_blackbox_probe_is_watched(closing: Closing) -> None:
    watch = (Watch(selector="probe_success", below=1.0, state=HealthState.DOWN),)
    with Blackbox() as blackbox:
        for target, state in (
            (f"{blackbox.url}/-/healthy", HealthState.OK),
            ("http://127.0.0.1:1/", HealthState.DOWN),
        ):
            url = f"{blackbox.url}/probe?module=http_2xx&target={target}"
            source, seen = (
                closing(ExpositionSource("probe", ExpositionOptions(url=url, watch=watch))),
                Collected(),
            )
            await source.poll(seen)
            assert seen.health["probe_success"].state is state


async def test_prometheus_reads_the_same_from_real_pages(closing: Closing) -> None:
    folder = shared_data("prom-exposition")
    pages = {
        "node": (folder / "e2e-output.txt", "text/plain; version=0.0.4"),
        "all": (folder / "prometheus_alltypes.5mfs.om.txt", "application/openmetrics-text; version=1.0.0"),
    }

    def serve(asked: Asked) -> Said:
        file, kind = pages[asked.path.strip("/")]
        return Said(body=file.read_bytes(), headers={"content-type": kind})

    async with http_server(serve) as url:
        address = url.removeprefix("http://")
        with Prometheus(scrape={name: [address] for name in pages}, metrics_path="/{job}") as server:
            judge, seen = closing(PrometheusSource("prom", PrometheusOptions(url=server.url))), Collected()
            for name in pages:
                await poll_until(
                    judge,
                    seen,
                    lambda name=name: (  # type: ignore[misc]
                        (row := seen.health.get(f"{name} {address}")) and row.state is HealthState.OK
                    ),
                )
                source = closing(ExpositionSource(name, ExpositionOptions(url=f"{url}/{name}")))
                await source.poll(Collected())
                now = TimeRange(0, time.time_ns())
                [scraped] = await judge.query_metrics(f'scrape_samples_scraped{{job="{name}"}}', now, 0)
                assert scraped.points[0][1] == len(source.ring)
                looked = [line for line in source.ring.named("") if math.isfinite(line.values[-1])][::29]
                agreed = 0
                for line in looked:
                    own = {k: v for k, v in line.labels if k not in {"job", "instance"}}
                    inner = ",".join([f'job="{name}"', *(f"{k}={quoted(v)}" for k, v in own.items())])
                    theirs = await judge.query_metrics(f"last_over_time({line.name}{{{inner}}}[1m])", now, 0)
                    values = [one.points[0][1] for one in theirs if one.points]
                    assert not values or line.values[-1] in values, (line.name, inner)
                    agreed += bool(values)
                assert agreed > len(looked) * 0.9, (
                    f"{agreed} of {len(looked)} series of {name} could be compared"
                )


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@pytest.mark.parametrize(
    ("said", "state", "reason"),
    [
        (Said(body=b"up 1\n"), HealthState.OK, ""),
        (Said(body=gzip.compress(b"up 1\n"), headers={"content-encoding": "gzip"}), HealthState.OK, ""),
        (Said(body=b""), HealthState.OK, ""),
        (Said(body=b"up 1\nthis is not it\n"), HealthState.DEGRADED, "1 of 2 lines"),
        (
            Said(body=b"<html>hello</html>", headers={"content-type": "text/html"}),
            HealthState.DOWN,
            "no metrics",
        ),
        (Said(body=b"\xff\xfe\x00" * 1000), HealthState.DOWN, "no metrics"),
        (
            Said(body=b"not gzip", headers={"content-encoding": "gzip"}),
            HealthState.DOWN,
            "compression is broken",
        ),
        (
            Said(body=gzip.compress(b"up 1\n" * 9)[:-9], headers={"content-encoding": "gzip"}),
            HealthState.DOWN,
            "early",
        ),
        (Said(body=b"x", headers={"content-encoding": "br"}), HealthState.DOWN, "not asked for"),
        (
            Said(body=gzip.compress(b"a" * (65 << 20)), headers={"content-encoding": "gzip"}),
            HealthState.DOWN,
            "MiB",
        ),
        (Said(status=503, body=b"warming up"), HealthState.DOWN, "503"),
        (Said(status=404), HealthState.DOWN, "404"),
        (Said(body=b"up 1\n", wait=5), HealthState.DOWN, "within 1 s"),
    ],
)
async def test_hostile_pages(closing: Closing, said: Said, state: HealthState, reason: str) -> None:
    async with http_server(lambda _: said) as url:
        source = closing(ExpositionSource("page", ExpositionOptions(url=f"{url}/metrics", timeout=1.0)))
        seen = Collected()
        await source.poll(seen)
        [row] = seen.health.values()
        assert row.state is state and reason in row.reason, row


async def test_a_page_that_wants_credentials_says_which(closing: Closing) -> None:
    async with http_server(lambda _: Said(status=401)) as url:
        source = closing(ExpositionSource("page", ExpositionOptions(url=f"{url}/metrics")))
        with pytest.raises(Denied, match="set `user` and `password`"):
            await source.poll(Collected())
        with pytest.raises(BadAnswer):
            await source.query_metrics("sum(up)", TimeRange(0, 1), 0)
