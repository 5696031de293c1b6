"""Commands on this machine: their output in pieces, their end, and their stopping."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
import time
from pathlib import Path

import pytest

from cockpit.actions.command import Command, shell_command
from cockpit.actions.local import LocalRunning, LocalTransport, signal_name, signal_number
from cockpit.actions.transport import Outcome, Stream
from cockpit.errors import CommandError
from cockpit.process import READ
from cockpit.targets import Target

HERE = Target(name="local")


async def start(*argv: str, cwd: str = "") -> LocalRunning:
    return await LocalTransport().start(Command(argv=argv, target=HERE, actor="ann@desk", cwd=cwd))


async def gathered(running: LocalRunning) -> tuple[dict[Stream, bytes], Outcome]:
    out = dict.fromkeys(Stream, b"")
    async for stream, piece in running.output():
        assert 0 < len(piece) <= READ
        out[stream] += piece
    outcome = await running.wait()
    running.close()
    return out, outcome


async def test_both_streams_and_the_exit_status() -> None:
    out, outcome = await gathered(await start("sh", "-c", "echo out; echo err >&2; exit 7"))
    assert out == {Stream.STDOUT: b"out\n", Stream.STDERR: b"err\n"}
    assert outcome == Outcome(exit_status=7)


async def test_every_byte_comes_through() -> None:
    code = "import os; [os.write(1 + n % 2, bytes(range(256)) * 8) for n in range(2000)]"
    out, outcome = await gathered(await start(sys.executable, "-c", code))
    assert out[Stream.STDOUT] == out[Stream.STDERR] == bytes(range(256)) * 8 * 1000
    assert outcome.exit_status == 0


async def test_arguments_reach_the_program_as_they_are() -> None:
    words = ("a b", "$HOME", "`id`", "'", "*", os.fsdecode(b"\xff"))
    out, _ = await gathered(await start("printf", "%s|", *words))
    assert out[Stream.STDOUT] == os.fsencode("|".join(words)) + b"|"


async def test_a_shell_line_goes_to_a_shell_word_for_word() -> None:
    command = shell_command("echo 'a  b' | tr a-z A-Z", HERE, actor="ann@desk", incident="INC-1")
    assert (command.argv[:2], command.shell) == (("/bin/sh", "-c"), "echo 'a  b' | tr a-z A-Z")
    out, _ = await gathered(await LocalTransport().start(command))
    assert out[Stream.STDOUT] == b"A  B\n"


async def test_starts_where_it_should(tmp_path: Path) -> None:
    out, _ = await gathered(await start("pwd", cwd=str(tmp_path)))
    assert out[Stream.STDOUT].decode().strip() == str(tmp_path.resolve())


async def test_its_input_is_at_its_end() -> None:
    out, outcome = await gathered(await start("cat"))
    assert (out[Stream.STDOUT], outcome.exit_status) == (b"", 0)


@pytest.mark.parametrize(
    "argv", [("no-such-program-here",), ("/etc/passwd",), ("/",), ("x\0y",), (), ("echo", "x\0y")]
)
async def test_what_can_not_be_started_is_an_error(argv: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        await start(*argv)


async def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="/no/such/folder"):
        await start("true", cwd="/no/such/folder")


async def test_a_signal_is_named() -> None:
    _, outcome = await gathered(await start("sh", "-c", "kill -SEGV $$"))
    assert outcome == Outcome(signal="SIGSEGV")
    assert signal_number("SIGSEGV") == signal.SIGSEGV
    assert signal_number(signal_name(40)) == 40


async def test_stopping_reaches_all_that_it_started() -> None:
    running = await start("sh", "-c", "sleep 60 & echo $!; sleep 60")
    pieces = running.output()
    _, first = await anext(pieces)
    running.stop()
    assert [piece async for piece in pieces] == []
    assert await running.wait() == Outcome(signal="SIGTERM")
    running.close()
    await gone(int(first))


async def gone(pid: int) -> None:
    """Wait until a process is no more, or a zombie that nobody has collected."""
    async with asyncio.timeout(5):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            while " Z " not in Path(f"/proc/{pid}/stat").read_text():
                await asyncio.sleep(0.02)


async def test_what_stays_behind_is_killed_with_the_group() -> None:
    line = "(trap '' TERM; echo ready; while :; do sleep 0.1; done) & trap 'exit 0' TERM; while :; do sleep 0.1; done"
    running = await start("sh", "-c", line)
    pieces = running.output()
    await anext(pieces)
    running.stop()
    assert await running.wait() == Outcome(exit_status=0)
    running.stop(kill=True)
    async with asyncio.timeout(0.8):  # not by giving up: because the last one that held the output is dead
        async for stream, _ in pieces:
            assert stream is Stream.STDERR  # the shell's own word on its child
    running.close()


async def test_the_end_is_known_while_something_left_behind_holds_the_output() -> None:
    began = time.monotonic()
    out, outcome = await gathered(await start("sh", "-c", "sleep 30 & echo $!; exit 4"))
    assert time.monotonic() - began < 5
    assert outcome.exit_status == 4
    assert "still held" in outcome.note
    os.kill(int(out[Stream.STDOUT]), signal.SIGKILL)


async def test_what_was_left_behind_can_not_go_on_writing_for_ever() -> None:
    began = time.monotonic()
    _, outcome = await gathered(await start("sh", "-c", "yes & exit 0"))
    assert time.monotonic() - began < 10
    assert "still held" in outcome.note


async def test_nothing_is_lost_when_the_reader_is_slower_than_the_program() -> None:
    running = await start(
        sys.executable, "-c", "import os; os.write(1, b'x' * 60_000); os.write(2, b'y' * 60_000)"
    )
    await asyncio.sleep(1.5)  # it has ended long since, and so has the time to linger
    out, outcome = await gathered(running)
    assert (len(out[Stream.STDOUT]), len(out[Stream.STDERR])) == (60_000, 60_000)
    assert outcome == Outcome(exit_status=0)


async def test_a_flood_waits_for_its_reader() -> None:
    running = await start("yes")
    pieces = running.output()
    await anext(pieces)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await asyncio.sleep(0.5)
    assert running.program._held < 1 << 20
    for _ in range(2000):
        await anext(pieces)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB
    running.stop()
    async for _ in pieces:
        pass
    assert (await running.wait()).signal == "SIGTERM"
    running.close()


async def test_closing_ends_a_program_that_still_runs() -> None:
    running = await start("sleep", "60")
    pid = running.program.pid
    running.close()
    await gone(pid)
    assert await running.wait() == Outcome(signal="SIGKILL")
