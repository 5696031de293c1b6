"""What it costs to look at 200 hosts through a bastion, every 10 seconds: a share of a core.

The hosts are 200 loopback addresses of one real sshd behind a real bastion, each with a connection, a login and a
shell of its own: what the cockpit does for each is what it does for a machine. `python -m bench.remote FILE SECONDS`
is what is measured without a screen.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.options import Options
from bench.processes import Meter, resident
from bench.programs import cockpit
from bench.report import Table, verdict
from bench.terminal import Terminal

HOSTS = 200
INTERVAL = 10.0
WINDOW = 60.0
"""Seconds of a look."""
PATIENCE = 180.0
"""Seconds that all connections may take."""
LIMIT = 15.0
PORT = 2223
COLUMNS = ["what", "hosts", "all connected after s", "% of a core", "resident MB", "limit"]


def run(options: Options) -> Table:
    """Connect to all hosts and look at the process for a minute, without a screen and with one."""
    from tests.helpers.ssh_lab import SSHD, ssh_lab

    count, window = (4, 2.0) if options.quick else (HOSTS, WINDOW)
    interval = 1.0 if options.quick else INTERVAL
    missing = [name for name in ("unshare", "ssh-keygen", "ssh") if not shutil.which(name)]
    if SSHD is None or missing:
        options.noise.listen()
        rows = [
            [what, str(count), "", "", "", "not measured"] for what in ("without a screen", "on the screen")
        ]
        return Table("Hosts over SSH", COLUMNS, rows, ["Needs sshd, ssh and network namespaces."])
    folder = options.home / "lab"
    folder.mkdir()
    with ssh_lab(folder) as lab:
        bastion = folder / "sshd_bastion"
        bastion.write_text(re.sub(r"(?m)^PermitOpen .*", "PermitOpen any", bastion.read_text()))
        config = (folder / "sshd_one").read_text()
        _, _, rest = config.partition("\n")
        path = folder / "sshd_many"
        path.write_text(
            rest.replace(f"Port {lab.target_ports['one'][1]}", f"ListenAddress 0.0.0.0\nPort {PORT}")
        )
        argv = lab.inside([SSHD, "-D", "-f", str(path), "-E", str(folder / "many.log")])
        server = subprocess.Popen(argv)
        try:
            file = _configure(lab.config, folder, count, interval)
            rows = [_headless(file, count, window)]
            options.noise.listen()
            rows.append(_screen(options, file, count, window))
        finally:
            server.terminate()
            server.wait()
    notes = [
        f"{count} addresses of one sshd behind a bastion, a connection, a login and a shell each, looked at every "
        f"{interval:g} s for {window:g} s, once all are connected: user and system time of the cockpit alone.",
        "Every look reads CPU, load, memory, pressure and network, every sixth the disks.",
    ]
    return Table("Hosts over SSH", COLUMNS, rows, notes)


def _configure(ssh_config: Path, folder: Path, count: int, interval: float) -> Path:
    names = [f"web-{number:03}" for number in range(count)]
    hosts = "".join(
        f"Host {name}\n  HostName 127.0.{1 + number // 250}.{1 + number % 250}\n  Port {PORT}\n  ProxyJump bastion\n"
        for number, name in enumerate(names)
    )
    ssh_config.write_text(hosts + ssh_config.read_text())
    known = folder / "known_hosts"
    key = " ".join(known.read_text().split(maxsplit=3)[1:3])
    with known.open("a") as opened:
        opened.writelines(f"[127.0.{1 + n // 250}.{1 + n % 250}]:{PORT} {key}\n" for n in range(count))
    file = folder / "cockpit.toml"
    listed = ", ".join(f'"{name}"' for name in names)
    file.write_text(
        f'default_sources = false\n[ssh]\nconfig = "{ssh_config}"\n'
        f'[[sources]]\nname = "hosts"\nkind = "remote-host"\ninterval = {interval}\nhosts = [{listed}]\n'
    )
    return file


def _headless(file: Path, count: int, window: float) -> list[str]:
    argv = [sys.executable, "-m", "bench.remote", str(file), str(window)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=PATIENCE + window + 60)
    told = json.loads(done.stdout)
    assert told["ok"] == count, told
    return [
        "without a screen",
        str(told["ok"]),
        f"{told['connected']:.1f}",
        f"{told['share']:.1f}",
        f"{told['resident']:.0f}",
        verdict(told["share"], LIMIT, "%"),
    ]


def _screen(options: Options, file: Path, count: int, window: float) -> list[str]:
    program = cockpit(options.home, file)
    with Terminal(program.argv, env=program.env) as terminal:
        terminal.run(2 + count / 4)
        meter = Meter(terminal.process.pid)
        terminal.run(window)
        share = 100 * meter.share()
        memory = resident(terminal.process.pid) / 1e6
    return ["on the screen", str(count), "", f"{share:.1f}", f"{memory:.0f}", verdict(share, LIMIT, "%")]


async def measure(file: Path, window: float) -> dict[str, float]:
    """Run the sources of a configuration as the screen would, and say what that cost."""
    from cockpit.config import read
    from cockpit.signals import HealthState
    from cockpit.wiring import Cockpit

    settings = read(file)
    wanted = len(settings.sources[0].options["hosts"])
    running = Cockpit(settings)
    running.start()
    began = time.monotonic()

    def well() -> int:
        rows = running.stores.health.rows()
        return sum(
            row.latest.subject.startswith("host ") and row.latest.state is HealthState.OK for row in rows
        )

    while well() < wanted and time.monotonic() - began < PATIENCE:
        running.drain()
        await asyncio.sleep(0.1)
    connected = time.monotonic() - began
    process = psutil.Process()
    used, until = sum(process.cpu_times()[:2]), time.monotonic() + window
    while time.monotonic() < until:
        running.drain()
        await asyncio.sleep(0.1)
    share = 100 * (sum(process.cpu_times()[:2]) - used) / window
    told = {"ok": well(), "connected": connected, "share": share, "resident": process.memory_info().rss / 1e6}
    await running.stop()
    return told


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(Path(sys.argv[1]), float(sys.argv[2])))))
