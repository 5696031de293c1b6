"""What is typed after Enter waits until the shell has said what becomes of the line."""

from __future__ import annotations

import asyncio

import pytest

from cockpit.shells import gate
from cockpit.shells.gate import Gate


@pytest.fixture
def sent() -> list[bytes]:
    return []


@pytest.fixture
def guarded(sent: list[bytes]) -> Gate:
    made = Gate(sent.append)
    made.guarded = True
    return made


async def test_it_stops_after_each_enter(guarded: Gate, sent: list[bytes]) -> None:
    guarded.typed(b"one\rtwo\rthree")
    assert sent == [b"one\r"]
    guarded.open()
    assert sent == [b"one\r", b"two\r"]
    guarded.open()
    assert sent == [b"one\r", b"two\r", b"three"]
    guarded.cancel()


async def test_line_feeds_within_a_bracketed_paste_are_no_enter(guarded: Gate, sent: list[bytes]) -> None:
    guarded.typed(b"\x1b[200~one\rtwo\n\x1b[201~\rthree")
    assert sent == [b"\x1b[200~one\rtwo\n\x1b[201~\r"]
    guarded.cancel()


async def test_away_from_a_prompt_all_passes(sent: list[bytes]) -> None:
    Gate(sent.append).typed(b"one\rtwo\r")
    assert sent == [b"one\rtwo\r"]


async def test_a_shell_that_says_nothing_is_not_waited_for_long(
    guarded: Gate, sent: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "SHUT_S", 0.01)
    guarded.typed(b"one\rtwo")
    await asyncio.sleep(0.1)
    assert sent == [b"one\r", b"two"]


async def test_what_was_pasted_with_a_line_waits_a_little_for_the_next_prompt(
    guarded: Gate, sent: list[bytes]
) -> None:
    guarded.prompt()
    guarded.typed(b"one\rtwo\r")
    guarded.started()
    assert sent == [b"one\r"]
    guarded.ready()
    guarded.prompt()
    assert sent == [b"one\r", b"two\r"]
    guarded.cancel()


async def test_an_enter_before_the_prompt_is_waited_for(guarded: Gate, sent: list[bytes]) -> None:
    guarded.typed(b"one\rtwo\r")
    guarded.ready()
    guarded.prompt()  # the first Enter has yet to be read there
    assert sent == [b"one\r"]
    guarded.open()
    assert sent == [b"one\r", b"two\r"]
    guarded.cancel()


async def test_what_waits_is_bounded(
    guarded: Gate, sent: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "WAITING", 10)
    guarded.close(for_good=True)
    for _ in range(5):
        guarded.typed(b"12345")
    guarded.open()
    assert b"".join(sent) == b"1234512345"
