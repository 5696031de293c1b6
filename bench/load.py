"""The load under which keys are measured: real sources, each fed by a process of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONFIG = """\
[[sources]]
name = "app"
kind = "files"
paths = ["{log}"]
backfill_bytes = 0

[[sources]]
name = "otlp"
kind = "otlp"
port = {otlp}
grpc = false

[[sources]]
name = "alertmanager"
kind = "alertmanager"
url = "http://127.0.0.1:{alerts}"
interval = 5
"""


@dataclass(frozen=True)
class Load:
    """What arrives.

    Attributes:
        lines: Log lines a second.
        spans: Spans a second.
        alerts: Alerts listed.
    """

    lines: int = 50_000
    spans: int = 2_000
    alerts: int = 10_000


@contextlib.contextmanager
def under(load: Load, home: Path) -> Iterator[tuple[Path, Path]]:
    """Start what feeds the cockpit; give its configuration and the log file that grows."""
    log = home / "app.log"
    log.touch()
    config = home / "cockpit.toml"
    feeders: list[subprocess.Popen[str]] = []

    def feed(*arguments: str) -> subprocess.Popen[str]:
        feeder = subprocess.Popen(
            [sys.executable, "-m", "bench.feeders", *arguments], stdout=subprocess.PIPE, text=True
        )
        feeders.append(feeder)
        return feeder

    try:
        server = feed("alerts", str(load.alerts))
        assert server.stdout is not None
        port = int(server.stdout.readline())
        otlp = _free_port()
        config.write_text(CONFIG.format(log=log, otlp=otlp, alerts=port))
        if load.lines:
            feed("logs", str(log), str(load.lines))
        if load.spans:
            feed("spans", str(otlp), str(load.spans))
        yield config, log
    finally:
        for feeder in feeders:
            feeder.terminate()
        for feeder in feeders:
            feeder.wait(timeout=10)
        log.unlink()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
