"""Draws docs/screen.svg: the real program over a real Prometheus, Alertmanager and node exporter, in an incident.

    make picture

A shop is played by this script: it writes a log file and sends spans to the receiver by OTLP/HTTP, as any service
would. Everything on the picture came in through a source.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import tempfile
import time
import urllib.request
from pathlib import Path

from textual.pilot import Pilot

from cockpit.app import CockpitApp
from cockpit.config import read
from cockpit.operations import Operations
from cockpit.wiring import Cockpit
from tests.live.servers import Alertmanager, NodeExporter, Prometheus, free_port

SIZE = (150, 46)
SECONDS = 16
PICTURE = Path(__file__).with_name("screen.svg")
RULES = """\
groups:
  - name: shop
    rules:
      - alert: CheckoutDown
        expr: up{job="checkout"} == 0
        labels: {severity: critical, service: checkout}
        annotations: {summary: "checkout does not answer; nobody can pay"}
      - alert: NodeBusy
        expr: node_load1 >= 0
        labels: {severity: warning, service: node}
        annotations: {summary: "more work waits than there are cores"}
"""


def main() -> None:
    """Start the servers, run the program, draw it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Alertmanager() as alertmanager,
        NodeExporter() as node,
        Prometheus(
            scrape={"node": [node.address], "checkout": [f"127.0.0.1:{free_port()}"]},
            rules=RULES,
            alertmanagers=[alertmanager.address],
        ) as prometheus,
    ):
        config = Path(folder) / "cockpit.toml"
        port = free_port()
        config.write_text(_config(prometheus.url, alertmanager.url, Path(folder) / "shop.log", port))
        asyncio.run(_draw(config, Path(folder), port))


def _config(prometheus: str, alertmanager: str, log: Path, port: int) -> str:
    return f"""
default_sources = false
on_call = {{ name = "Ana Souza" }}
[[sources]]
kind = "host"
processes = 3
[[sources]]
kind = "prometheus"
url = "{prometheus}"
interval = 2
[[sources]]
kind = "alertmanager"
url = "{alertmanager}"
interval = 2
[[sources]]
kind = "files"
paths = ["{log}"]
[[sources]]
kind = "otlp"
port = {port}
grpc = false
[[targets]]
name = "local"
environment = "staging"
"""


async def _draw(config: Path, folder: Path, port: int) -> None:
    cockpit = Cockpit(read(config))
    app = CockpitApp(cockpit, Operations(folder / "data", cockpit.supervisor.ask))
    async with app.run_test(size=SIZE) as pilot:
        shop = asyncio.create_task(_shop(folder / "shop.log", port))
        await pilot.pause(SECONDS)
        await _press(pilot, "2", "down")
        shop.cancel()
        PICTURE.write_text(app.export_screenshot(title="cockpit"), encoding="utf-8")


async def _press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause(0.4)


async def _shop(log: Path, port: int) -> None:
    """Sell, and fail to."""
    chance = random.Random(7)
    while True:
        now = time.time_ns()
        failing = chance.random() < 0.3
        trace_id = f"{chance.getrandbits(128):032x}"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
        words = "ERROR payment gateway timed out after 2000 ms" if failing else "INFO order placed in 84 ms"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{stamp}.{now % 10**9 // 10**6:03d}Z {words} trace_id={trace_id}\n")
        with contextlib.suppress(OSError):  # the receiver may not listen yet
            await asyncio.to_thread(_send, port, _spans(chance, trace_id, now, failing=failing))
        await asyncio.sleep(0.25)


def _spans(chance: random.Random, trace_id: str, now: int, *, failing: bool) -> dict[str, object]:
    slow = 2_000_000_000 if failing else chance.randint(60, 140) * 1_000_000
    steps = [("checkout", "POST /checkout", 0, slow), ("cart", "GET /cart", 2_000_000, 14_000_000)]
    steps.append(("payment", "POST /charge", 16_000_000, slow - 3_000_000))
    identities = [f"{chance.getrandbits(64):016x}" for _ in steps]
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": trace_id,
                                "spanId": identities[number],
                                "parentSpanId": identities[0] if number else "",
                                "name": name,
                                "kind": 2,
                                "startTimeUnixNano": str(now - slow + begin),
                                "endTimeUnixNano": str(now - slow + end),
                                "status": {"code": 2 if failing and number != 1 else 0},
                            }
                        ]
                    }
                ],
            }
            for number, (service, name, begin, end) in enumerate(steps)
        ]
    }


def _send(port: int, body: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/traces", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5):
        pass


if __name__ == "__main__":
    main()
