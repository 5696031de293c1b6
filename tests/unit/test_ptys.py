"""A program on a terminal of its own: its session's, sized, read with back-pressure, hung up on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence

import pytest

from cockpit.actions.transport import Outcome
from cockpit.errors import CommandError
from cockpit.process import Pty, on_terminal
from cockpit.term.cable import LocalCable
from cockpit.term.size import Size
from tests.helpers.terminals import started

SIZE = Size(80, 24)


async def whole(pty: Pty) -> bytes:
    read = b""
    while piece := await pty.read():
        read += piece
    return read


async def printed(argv: Sequence[str], **environment: str) -> tuple[bytes, int]:
    pty = await started(argv, SIZE, **environment)
    try:
        return await whole(pty), await pty.ended()
    finally:
        pty.close()


async def test_the_terminal_is_the_programs_own() -> None:
    said, status = await printed(
        ["sh", "-c", "tty; stty size; ps -o pid=,sid=,tpgid= -p $$; echo $0 $1; exit 7", "a b", "$x"]
    )
    tty, size, numbers, words = said.decode().splitlines()
    assert tty.startswith("/dev/pts/")
    assert size == "24 80"
    assert len(set(numbers.split())) == 1  # it leads its session, and is in the foreground of its terminal
    assert words == "a b $x"
    assert status == 7


async def test_its_environment_is_what_was_given() -> None:
    said, _ = await printed(["env"], ONLY="this")
    names = {line.partition("=")[0] for line in said.decode().splitlines()}
    assert "ONLY" in names
    assert names <= {
        "ONLY",
        "PATH",
        "TERM",
        "COLORTERM",
        "LANG",
        "LC_ALL",
        "HOME",
        "PS1",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
    }


async def test_nothing_of_ours_is_open_in_it() -> None:
    code = "import os; print([n for n in range(3, 64) if os.path.exists(f'/proc/self/fd/{n}')])"
    kept = os.open("/dev/null", os.O_RDONLY)
    try:
        said, _ = await printed([sys.executable, "-c", code])
    finally:
        os.close(kept)
    assert said.strip() in (b"[]", b"[3]")  # what listing opens itself


async def test_ctrl_c_interrupts_and_a_new_size_is_told() -> None:
    cable = LocalCable(
        await started(
            ["sh", "-c", "trap 'stty size; exit 5' INT; echo up; while :; do sleep 0.1; done"], SIZE
        )
    )
    output = cable.output()
    assert b"up" in await anext(output)
    cable.resize(Size(100, 40))
    cable.write(b"\x03")
    said = b"".join([piece async for piece in output])
    assert b"40 100" in said
    assert await cable.wait() == Outcome(exit_status=5)
    cable.close()


async def test_closing_hangs_up() -> None:
    cable = LocalCable(await started(["sleep", "100"], SIZE))
    cable.close()
    assert await asyncio.wait_for(cable.wait(), 5) == Outcome(signal="SIGHUP")
    assert [piece async for piece in cable.output()] == []
    cable.write(b"nobody")
    cable.resize(SIZE)
    cable.close()


async def test_a_program_waits_while_nobody_reads() -> None:
    pty = await started(["sh", "-c", "head -c 4000000 /dev/zero; echo done >&2"], SIZE)
    await asyncio.sleep(0.5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pty.ended(), 0.2)
    assert len(await whole(pty)) > 4_000_000
    assert await pty.ended() == 0
    pty.close()


async def test_what_it_leaves_behind_does_not_hold_the_end() -> None:
    began = time.monotonic()
    said, status = await printed(["sh", "-c", "trap '' HUP; (sleep 20; echo late) & echo now"])
    assert said == b"now\r\n" and status == 0
    assert time.monotonic() - began < 5


async def test_much_that_is_typed_is_taken_as_the_program_reads() -> None:
    pty = await started(["sh", "-c", "stty raw -echo; printf r; head -c 300000 | wc -c"], SIZE)
    assert await pty.read() == b"r"
    pty.write(b"x" * 300_000)
    assert b"300000" in await whole(pty)
    pty.close()


async def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(CommandError, match="not found"):
        await on_terminal(["no-such-program"], columns=80, rows=24, env={"PATH": os.defpath})
    with pytest.raises(CommandError, match="not found"):
        await on_terminal(["sh"], columns=80, rows=24, env={"PATH": os.defpath}, cwd="/no/such/folder")


async def test_a_signal_reaches_all_of_it() -> None:
    pty = await started(["sh", "-c", "sleep 100; :"], SIZE)
    pty.signal(signal.SIGTERM)
    assert await asyncio.wait_for(pty.ended(), 5) == -signal.SIGTERM
    pty.close()
