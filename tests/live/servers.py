"""Real servers for the live tests: each on a free port of loopback, with its data in a temporary folder.

Each is a context manager with `.url`; on leaving, the process is gone and so is its data. A port is found by binding
port 0, and found again where another process took it in between.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.helpers.ssh_lab import SshLab
from tests.helpers.tcp_server import free_port

TRIES = 3


def program(name: str, package: str) -> str:
    """Find a program, or skip, saying which package brings it."""
    found = shutil.which(name)
    if found:
        return found
    pytest.skip(f"{name} is not installed (Debian package {package})")


def wait_for(true: Callable[[], object], *, seconds: float = 15.0, what: str = "it") -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:g} s")
        time.sleep(0.05)


class Server:
    """One server process; `kill`, `start` and `stop` it as a test needs."""

    name = ""
    package = ""
    ready_path = "/-/ready"
    scheme = "http"
    lab: SshLab | None = None
    """Where it runs: in the network behind a lab's bastion, or here."""

    def __init__(self) -> None:
        self.program = program(self.name, self.package)
        self.directory = Path()
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._stack = contextlib.ExitStack()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def behind(self, lab: SshLab) -> Self:
        """Have it run where only the lab's bastion reaches it."""
        self.lab = lab
        return self

    def __enter__(self) -> Self:
        self.directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="cockpit-live-")))
        for attempt in range(TRIES):
            self.port = free_port()
            try:
                self.start()
                break
            except AssertionError:
                self.stop()
                if attempt == TRIES - 1:
                    self._stack.close()
                    raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._stack.close()

    def argv(self) -> list[str]:
        raise AssertionError("each server says how it is started")

    def start(self) -> None:
        """Start it on its port and wait until it is ready."""
        log = self.directory / "server.log"
        with log.open("ab") as output:
            argv = self.argv() if self.lab is None else self.lab.inside(self.argv())
            self.process = subprocess.Popen(
                argv, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=self.directory
            )
        try:
            wait_for(lambda: self._over() or self._answers(), what=f"{self.name} being ready")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{log.read_text(errors='replace')[-2000:]}") from None
        if self._over():
            raise AssertionError(f"{self.name} ended:\n{log.read_text(errors='replace')[-2000:]}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it; it can be started again on the same port with the same data."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self.process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def pause(self) -> None:
        """Let it hang: it accepts connections and answers nothing, until `resume`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(textwrap.dedent(text))
        return path

    def _over(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _answers(self) -> bool:
        if self.lab is not None:
            port = f"/dev/tcp/127.0.0.1/{self.port}"
            request = f"GET {self.ready_path} HTTP/1.0\\r\\n\\r\\n"
            ask = f"exec 3<>{port} && printf '{request}' >&3 && grep -q ' 200 ' <&3"
            if self.scheme == "https":
                ask = f": <{port}"
            argv = self.lab.inside(["timeout", "2", "bash", "-c", ask])
            return subprocess.run(argv, capture_output=True, check=False).returncode == 0
        if self.scheme == "https":
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            return False
        try:
            with urllib.request.urlopen(self.url + self.ready_path, timeout=1) as answer:
                ready: bool = answer.status == 200
                return ready
        except urllib.error.HTTPError as error:
            return error.code == 401
        except OSError:
            return False


class Prometheus(Server):
    """A Prometheus that scrapes and evaluates every second.

    Args:
        scrape: Addresses by job.
        rules: The text of a rules file.
        alertmanagers: Addresses of Alertmanagers.
        external_labels: What it adds on the way to them.
        web_config: The text of its web configuration file (TLS, client certificates, basic authentication).
        metrics_path: Where targets expose metrics; `{job}` stands for the job's name.
    """

    name = "prometheus"
    package = "prometheus"

    def __init__(
        self,
        *,
        scrape: dict[str, list[str]] | None = None,
        rules: str = "",
        alertmanagers: list[str] | None = None,
        external_labels: dict[str, str] | None = None,
        web_config: str = "",
        metrics_path: str = "/metrics",
    ) -> None:
        super().__init__()
        self.metrics_path = metrics_path
        self.scrape = scrape or {}
        self.rules = rules
        self.alertmanagers = alertmanagers or []
        self.external_labels = external_labels or {}
        self.web_config = web_config
        self.scheme = "https" if "tls_server_config" in web_config else "http"

    def argv(self) -> list[str]:
        config = self.write("prometheus.yml", self._config())
        argv = [
            self.program,
            f"--config.file={config}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address={self.address}",
            "--web.enable-lifecycle",
            "--rules.alert.resend-delay=2s",
            "--log.level=warn",
        ]
        if self.web_config:
            argv.append(f"--web.config.file={self.write('web.yml', self.web_config)}")
        return argv

    def _config(self) -> str:
        lines = ["global:", "  scrape_interval: 1s", "  scrape_timeout: 1s", "  evaluation_interval: 1s"]
        if self.external_labels:
            lines.append("  external_labels:")
            lines += [f"    {name}: '{value}'" for name, value in self.external_labels.items()]
        if self.rules:
            lines += ["rule_files:", f"  - {self.write('rules.yml', self.rules)}"]
        if self.alertmanagers:
            lines += ["alerting:", "  alertmanagers:", "    - static_configs:"]
            lines.append(f"        - targets: [{', '.join(repr(one) for one in self.alertmanagers)}]")
        lines.append("scrape_configs:" if self.scrape else "scrape_configs: []")
        for job, targets in self.scrape.items():
            listed = ", ".join(repr(one) for one in targets)
            lines += [f"  - job_name: {job}", f"    metrics_path: {self.metrics_path.format(job=job)}"]
            lines += ["    static_configs:", f"      - targets: [{listed}]"]
        return "\n".join(lines) + "\n"


ALERTMANAGER_CONFIG = """\
route:
  receiver: on-call
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: on-call
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [service]
"""


class Alertmanager(Server):
    """An Alertmanager alone, without a cluster, that groups by alertname and inhibits warnings by critical alerts."""

    name = "prometheus-alertmanager"
    package = "prometheus-alertmanager"

    def __init__(self, *, config: str = ALERTMANAGER_CONFIG, web_config: str = "") -> None:
        super().__init__()
        self.config = config
        self.web_config = web_config
        self.scheme = "https" if "tls_server_config" in web_config else "http"

    def argv(self) -> list[str]:
        argv = [
            self.program,
            f"--config.file={self.write('alertmanager.yml', self.config)}",
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]
        if self.web_config:
            argv.append(f"--web.config.file={self.write('web.yml', self.web_config)}")
        return argv


class NodeExporter(Server):
    """A node exporter."""

    name = "prometheus-node-exporter"
    package = "prometheus-node-exporter"
    ready_path = "/"

    def argv(self) -> list[str]:
        return [self.program, f"--web.listen-address={self.address}", "--log.level=warn"]


BLACKBOX_CONFIG = """\
modules:
  http_2xx:
    prober: http
    timeout: 2s
  tcp_connect:
    prober: tcp
    timeout: 2s
"""


class Blackbox(Server):
    """A blackbox exporter with the modules http_2xx and tcp_connect."""

    name = "prometheus-blackbox-exporter"
    package = "prometheus-blackbox-exporter"
    ready_path = "/-/healthy"

    def argv(self) -> list[str]:
        config = self.write("blackbox.yml", BLACKBOX_CONFIG)
        return [
            self.program,
            f"--config.file={config}",
            f"--web.listen-address={self.address}",
            "--log.level=warn",
        ]


class VictoriaMetrics(Server):
    """A VictoriaMetrics, an engine that answers like Prometheus and has no rules."""

    name = "victoria-metrics"
    package = "victoria-metrics"
    ready_path = "/health"

    def __init__(self, *, scrape: dict[str, list[str]] | None = None) -> None:
        super().__init__()
        self.scrape = scrape or {}

    def argv(self) -> list[str]:
        lines = [
            "global:",
            "  scrape_interval: 1s",
            "scrape_configs:" if self.scrape else "scrape_configs: []",
        ]
        for job, targets in self.scrape.items():
            listed = ", ".join(repr(one) for one in targets)
            lines += [f"- job_name: {job}", "  static_configs:", f"  - targets: [{listed}]"]
        config = self.write("scrape.yml", "\n".join(lines) + "\n")
        return [
            self.program,
            f"-promscrape.config={config}",
            f"-storageDataPath={self.directory / 'data'}",
            f"-httpListenAddr={self.address}",
            "-search.latencyOffset=0s",
            "-loggerLevel=ERROR",
        ]
