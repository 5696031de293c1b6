"""What the one door costs: a guarded and recorded command against a bare one, and captured output against a file."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import statistics
import sys
import time
from pathlib import Path

from bench.options import Options
from bench.report import Table, percentile, spread, verdict
from cockpit.actionlog.log import FILE, ActionLog
from cockpit.actions.command import Command
from cockpit.actions.executor import Executor
from cockpit.actions.local import LocalTransport
from cockpit.cost import Collector
from cockpit.guard.guard import Guard
from cockpit.targets import Environment, Target, TargetRule, Targets

OVERHEAD = 5.0
SHARE = 80.0
SIZE = 100_000_000
TRUE = shutil.which("true", path="/usr/bin:/bin") or "true"
HERE = Target(name="local", environment=Environment.DEVELOPMENT)


def run(options: Options) -> Table:
    """Run `true` both ways in turns, then let a program write both ways in turns."""
    folder = options.home / "door"
    log = ActionLog.open(folder / FILE)
    guard = Guard(Targets((TargetRule(name="local", environment=Environment.DEVELOPMENT),)))
    executor = Executor(log, {"local": LocalTransport()}, judge=guard)
    collector = Collector()
    collector.begin()  # as a running cockpit does
    try:
        return asyncio.run(_measure(executor, folder, options))
    finally:
        collector.end()
        log.close()


async def _measure(executor: Executor, folder: Path, options: Options) -> Table:
    bare, guarded = await _trues(executor, options.repeat(300, least=5))
    size = 2_000_000 if options.quick else SIZE
    program = _writer(size)
    files, captured = [], []
    for _ in range(options.repeat(3)):
        files.append(await _to_file(program, folder / "file"))
        captured.append(await _captured(executor, program))
        options.noise.listen()
    overhead = percentile(guarded, 0.5) - percentile(bare, 0.5)
    rate, share = (
        size / statistics.median(captured) / 1e6,
        100 * statistics.median(files) / statistics.median(captured),
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    rows = [
        ["`true`, a bare subprocess, ms", spread(bare), f"{percentile(bare, 0.99):.2f}", ""],
        ["`true`, guarded and recorded, ms", spread(guarded), f"{percentile(guarded, 0.99):.2f}", ""],
        ["what that adds at p50, ms", f"{overhead:.2f}", "", verdict(overhead, OVERHEAD, "ms")],
        [f"{size // 1_000_000} MB through a pipe into a file, s", spread(files), "", ""],
        [f"{size // 1_000_000} MB captured, s", spread(captured), "", ""],
        ["captured, % of the file's speed", f"{share:.0f} ({rate:.0f} MB/s)", "", _at_least(share, SHARE)],
        ["greatest resident memory of the whole run, MB", f"{peak:.0f}", "", ""],
    ]
    notes = [
        f"{len(bare)} times each, in turns, in one process with an event loop; the log on the same disk as the file, "
        "each intent and each result synced to it. Median (least–greatest), then p99.",
        "Captured: shown, hashed, redacted, compressed and kept up to the bound, after that hashed and counted. The "
        "file: the same program's output through a pipe, written by this process in pieces of 64 KiB.",
    ]
    return Table("The one door", ["what", "figure", "p99", "limit"], rows, notes)


def _at_least(value: float, limit: float) -> str:
    return f"≥ {limit:g} %" + (": holds" if value >= limit else ": **missed**")


async def _trues(executor: Executor, times: int) -> tuple[list[float], list[float]]:
    bare, guarded = [], []
    command = Command(argv=(TRUE,), target=HERE, actor="bench")
    await executor.run(command)
    for _ in range(times):
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            TRUE,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await process.communicate()
        bare.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        await executor.run(command)
        guarded.append(1000 * (time.perf_counter() - began))
    return bare, guarded


def _writer(size: int) -> tuple[str, ...]:
    """Return a program that writes log-like lines, as fast as it is read."""
    code = (
        "import sys\n"
        "lines = ''.join(f'2026-03-14T03:07:{n % 60:02}Z INFO request /cart took {n * 7919 % 997} ms id={n * 31}\\n'"
        " for n in range(4000)).encode()\n"
        f"left = {size}\n"
        "while left > 0:\n"
        "    sys.stdout.buffer.write(lines[:left]); left -= len(lines)\n"
    )
    return (sys.executable, "-c", code)


async def _to_file(program: tuple[str, ...], file: Path) -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE, limit=1 << 20)
    assert process.stdout is not None
    with file.open("wb", buffering=0) as opened:
        while data := await process.stdout.read(65_536):
            opened.write(data)
        os.fsync(opened.fileno())
    await process.wait()
    took = time.perf_counter() - began
    file.unlink()
    return took


async def _captured(executor: Executor, program: tuple[str, ...]) -> float:
    began = time.perf_counter()
    ended = await executor.run(Command(argv=program, target=HERE, actor="bench"))
    assert ended.exit_status == 0, ended
    return time.perf_counter() - began
