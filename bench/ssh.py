"""Commands and files over a bastion, against OpenSSH with ControlMaster over the same two hops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.options import Options
from bench.report import Table, percentile, spread, verdict
from cockpit.actionlog.log import FILE, ActionLog
from cockpit.actions.command import Command, Kind
from cockpit.actions.executor import Executor
from cockpit.actions.sftp import SftpTransport
from cockpit.actions.ssh import SshTransport
from cockpit.config.settings import Settings, SshSettings
from cockpit.cost import Collector
from cockpit.guard.guard import Guard
from cockpit.sftp.request import Fetch
from cockpit.ssh.connections import connections_of
from cockpit.targets import Environment, Target, TargetRule, Targets
from tests.helpers.ssh_lab import SSHD, SshLab, ssh_lab

TIMES = 1.3
SHARE = 60.0
SIZE = 1_000_000_000
TARGET = Target(name="two", environment=Environment.DEVELOPMENT, transport="ssh")


def run(options: Options) -> Table:
    """Start a bastion and what is behind it, and do everything both ways in turns."""
    if SSHD is None or shutil.which("ssh") is None:
        sys.exit("this measurement needs sshd and ssh (Debian packages openssh-server, openssh-client)")
    folder = options.home / "ssh"
    folder.mkdir(parents=True)
    log = ActionLog.open(folder / "data" / FILE)
    collector = Collector()
    collector.begin()  # as a running cockpit does
    try:
        # Without the account's own start-up files, which would take longer than all that is measured.
        with ssh_lab(folder, target=f"SetEnv HOME={folder}") as lab:
            return asyncio.run(_measure(lab, log, options))
    finally:
        collector.end()
        log.close()


async def _measure(lab: SshLab, log: ActionLog, options: Options) -> Table:
    connections = connections_of(Settings(ssh=SshSettings(config=str(lab.config))))
    guard = Guard(Targets((TargetRule(name="two", environment=Environment.DEVELOPMENT),)))
    transports = {"ssh": SshTransport(connections), "sftp": SftpTransport(connections, log)}
    executor = Executor(log, transports, judge=guard)
    try:
        async with _master(lab) as theirs:
            rows, asked = await _round_trips(executor, theirs, options)
            size = 5_000_000 if options.quick else SIZE
            for name, file in (
                ("random bytes", _random(lab.folder, size)),
                ("log lines", _lines(lab.folder, size)),
            ):
                rows += await _files(executor, theirs, name, file, options)
                file.unlink()
    finally:
        await connections.close()
    notes = [
        f"The commands {asked} times each and the files {options.repeat(3)} times, in turns; median "
        "(least–greatest). Both clients go through the same bastion to the same target, over connections that stand "
        "already: OpenSSH's by ControlMaster on both hops, with its own ciphers (chacha20-poly1305 goes first "
        "there; for the cockpit AES-GCM does, the faster of the two in Python).",
        "The cockpit's command is judged, recorded before and after, and its output kept; its file is hashed, of "
        "the log lines every one is searched for secrets, and the evidence recorded. sftp writes a file.",
    ]
    return Table("SSH, against OpenSSH", ["what", "OpenSSH", "cockpit", "limit"], rows, notes)


@contextlib.asynccontextmanager
async def _master(lab: SshLab) -> AsyncIterator[list[str]]:
    """Hold OpenSSH's shared connections open on both hops; yields the arguments that use them."""
    config = lab.folder / "config-shared"
    shared = f"Host *\n  ControlMaster auto\n  ControlPath {lab.folder}/%n\n  ControlPersist 600\n"
    config.write_text(f"{lab.config.read_text()}{shared}")
    arguments = ["-F", str(config)]
    for host in ("bastion", "two"):
        await asyncio.to_thread(subprocess.run, ["ssh", *arguments, host, "true"], check=True)
    try:
        yield arguments
    finally:
        for host in ("two", "bastion"):
            argv = ["ssh", *arguments, "-O", "exit", host]
            await asyncio.to_thread(subprocess.run, argv, check=False, capture_output=True)


async def _round_trips(
    executor: Executor, theirs: list[str], options: Options
) -> tuple[list[list[str]], int]:
    command = Command(argv=("true",), target=TARGET, actor="bench")
    await executor.run(command)
    times = options.repeat(100, least=3)
    bare, ours = [], []
    for _ in range(times):
        bare.append(await _run("ssh", *theirs, "two", "true"))
        began = time.perf_counter()
        await executor.run(command)
        ours.append(time.perf_counter() - began)
    options.noise.listen()
    ratio = statistics.median(ours) / statistics.median(bare)
    return [
        [
            "`true`, warm, ms",
            spread(bare, 1000, 1),
            spread(ours, 1000, 1),
            verdict(round(ratio, 2), TIMES, "times"),
        ],
        [
            "the same at p99, ms",
            f"{percentile(bare, 0.99) * 1000:.1f}",
            f"{percentile(ours, 0.99) * 1000:.1f}",
            "",
        ],
    ], times


async def _files(
    executor: Executor, theirs: list[str], name: str, file: Path, options: Options
) -> list[list[str]]:
    request = Fetch(host="two", paths=(str(file),))
    target = Target(name="two", environment=Environment.DEVELOPMENT, transport="sftp")
    command = Command(argv=request.argv, target=target, actor="bench", kind=Kind.FETCH)
    bare, ours = [], []
    for _ in range(options.repeat(3)):
        here = file.with_suffix(".got")
        bare.append(await _run("sftp", "-q", *theirs, f"two:{file}", str(here)))
        here.unlink()
        began = time.perf_counter()
        ended = await executor.run(command)
        ours.append(time.perf_counter() - began)
        if ended.exit_status != 0:
            raise AssertionError(ended)
        shutil.rmtree(executor.log.path.parent / "evidence")
        options.noise.listen()
    size = file.stat().st_size
    share = 100 * statistics.median(bare) / statistics.median(ours)
    held = "holds" if share >= SHARE else "**missed**"
    rate = f"{share:.0f} % ({size / statistics.median(ours) / 1e6:.0f} MB/s), ≥ {SHARE:g} %: {held}"
    return [[f"{size // 1_000_000} MB of {name}, s", spread(bare), spread(ours), rate]]


async def _run(*argv: str) -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise AssertionError(said.decode(errors="replace"))
    return time.perf_counter() - began


def _random(folder: Path, size: int) -> Path:
    path = folder / "random"
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(os.urandom(min(1 << 20, size - file.tell())))
    return path


def _lines(folder: Path, size: int) -> Path:
    block = "".join(
        f"2026-03-14T03:07:{n % 60:02}Z INFO request /cart took {n * 7919 % 997} ms id={n * 31}\n"
        for n in range(20_000)
    ).encode()
    path = folder / "lines"
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(block[: size - file.tell()])
    return path
