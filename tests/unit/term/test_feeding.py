"""No slice of output takes long, whatever it is, and nothing of it is lost."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.term.bittty_emulator import BitttyEmulator
from cockpit.term.cable import ReplayCable
from cockpit.term.feeding import CONTROLS, Slicer, feed
from cockpit.term.size import Size

COSTLY = {
    "clear": b"\x1b[2J",
    "clear in colour": b"\x1b[41m\x1b[2J",
    "repeat": b"x\x1b[9999b",
    "feed": b"\n",
    "delete": b"\x1b[H\x1b[P",
    "insert": b"\x1b[H\x1b[99@",
    "scroll": b"\x1b[99S",
    "lines": b"\x1b[H\x1b[99L",
    "alternate": b"\x1b[?1049h\x1b[?1049l",
    "reset": b"\x1bc",
    "align": b"\x1b#8",
    "tabs": b"\x1b[9999I",
    "wide": "日本".encode(),
    "combined": "e\u0301".encode(),
    "region": b"\x1b[2;40r\x1b[40H\n",
    "log": b"\x1b[31mNov 25 host app[1]: \x1b[0msome text that is a line of a log\r\n",
    "log of text": b"Nov 25 host app[1]: some text that is a line of a log\r\n",
}


@pytest.mark.alone
@pytest.mark.parametrize("name", COSTLY)
def test_no_slice_holds_the_loop(name: str) -> None:
    it = BitttyEmulator(Size(200, 50))
    data = COSTLY[name] * min(800, 16_384 // len(COSTLY[name]))
    slicer = Slicer()
    times = []
    for part in slicer.cut(data):
        began = time.process_time()
        it.feed(part)
        times.append(time.process_time() - began)
        slicer.took(times[-1])
    late = sorted(times[len(times) // 4 :])  # by then it has learnt
    assert late[int(len(late) * 0.95)] < 0.008, f"{late[-1] * 1000:.1f} ms"


@given(
    st.lists(
        st.sampled_from([b"\x1b[2J", b"\n", b"text " * 200, b"\xff" * 3000, b"y\r\n" * 3000]), max_size=12
    )
)
def test_slices_are_the_whole(parts: list[bytes]) -> None:
    data = b"".join(parts)
    cut = list(Slicer().cut(data))
    assert b"".join(cut) == data
    assert all(each.count(b"\x1b") <= CONTROLS for each in cut)


class Answering(ReplayCable):
    """A recording that keeps what is typed into it."""

    def __init__(self, *data: bytes) -> None:
        super().__init__([(0, each) for each in data], speed=0)
        self.typed = b""

    def write(self, data: bytes) -> None:
        self.typed += data


async def test_the_program_gets_its_answers_and_others_their_turn() -> None:
    cable = Answering(b"\x1b[6n", b"\x1b[31mcolour\x1b[m\r\n" * 3000, b"done")
    turns = 0

    async def breathe() -> None:
        nonlocal turns
        turns += 1

    taken: list[int] = []
    it = BitttyEmulator(Size(80, 24))
    await feed(cable, it, fed=taken.append, breathe=breathe)
    assert cable.typed == b"\x1b[1;1R"
    assert sum(taken) == 4 + 3000 * 16 + 4
    assert turns > 3
    assert "done" in "".join(it.row(number).text for number in range(24))


async def test_a_recording_keeps_its_time_and_can_be_ended() -> None:
    cable = ReplayCable([(0, b"a"), (50_000_000, b"b"), (10**12, b"never")])
    began = time.monotonic()
    seen = b""

    async def read(output: AsyncIterator[bytes]) -> None:
        nonlocal seen
        async for piece in output:
            seen += piece
            if seen == b"ab":
                cable.close()

    await read(cable.output())
    assert seen == b"ab"
    assert 0.04 < time.monotonic() - began < 5
    assert (await cable.wait()).exit_status == 0
