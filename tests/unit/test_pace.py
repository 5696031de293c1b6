"""When the screen looks at its stores next."""

from __future__ import annotations

import asyncio
import time

import pytest

from cockpit.pace import ANSWER, PRESSING, SEDATE, Pace


async def test_it_is_sedate_while_nothing_happens() -> None:
    pace = Pace(0.02)
    began = time.monotonic()
    await pace.rest()
    assert time.monotonic() - began >= SEDATE * 0.9


async def test_it_is_quick_after_something_happened_and_only_then() -> None:
    pace = Pace(0.02)
    pace.stir()
    began = time.monotonic()
    await pace.rest()
    assert 0.02 * 0.9 <= time.monotonic() - began < SEDATE
    began = time.monotonic()
    await pace.rest()
    assert time.monotonic() - began >= SEDATE * 0.9


async def test_a_key_ends_the_wait() -> None:
    pace = Pace(0.02)
    asyncio.get_running_loop().call_later(0.05, pace.stir)
    began = time.monotonic()
    await pace.rest()
    assert 0.05 < time.monotonic() - began < SEDATE


async def test_somebody_is_at_the_keys_for_a_while_after_one() -> None:
    pace = Pace(0.02)
    assert not pace.pressing
    pace.press()
    assert pace.pressing
    await asyncio.sleep(PRESSING + 0.05)
    assert not pace.pressing


async def test_a_key_has_the_loop_for_itself_until_its_answer_is_drawn() -> None:
    pace = Pace(0.02)
    began = time.monotonic()
    await pace.answered()
    assert time.monotonic() - began < ANSWER / 2
    pace.press()
    assert pace.answering
    await pace.answered()
    assert time.monotonic() - began >= ANSWER * 0.9 and not pace.answering


async def test_news_after_a_calm_are_looked_at_at_once() -> None:
    pace = Pace(0.1)
    asyncio.get_running_loop().call_later(0.12, pace.news, False)
    await pace.rest()
    asyncio.get_running_loop().call_later(0.12, pace.news, False)
    began = time.monotonic()
    await pace.rest()
    assert 0.11 < time.monotonic() - began < 0.18


async def test_looks_at_news_are_no_closer_than_others() -> None:
    pace = Pace(0.1)
    pace.news(False)
    await pace.rest()
    pace.news(False)
    began = time.monotonic()
    await pace.rest()
    assert time.monotonic() - began >= 0.09


async def test_a_key_beside_news_does_not_wait_for_them() -> None:
    pace = Pace(0.1)
    pace.stir()
    await pace.rest()
    pace.stir()
    asyncio.get_running_loop().call_later(0.02, pace.news, False)
    began = time.monotonic()
    await pace.rest()
    assert time.monotonic() - began < SEDATE


async def test_what_is_to_be_seen_at_once_does_not_wait_for_the_others() -> None:
    pace = Pace(0.2)
    pace.news(False)
    await pace.rest()
    pace.news(False)
    pace.news(True)
    began = time.monotonic()
    await pace.rest()
    assert time.monotonic() - began < 0.1


async def test_what_is_to_be_seen_at_once_ends_a_wait_that_has_begun() -> None:
    pace = Pace(0.3)
    pace.stir()
    await pace.rest()
    pace.stir()
    asyncio.get_running_loop().call_later(0.05, pace.news, True)
    began = time.monotonic()
    await pace.rest()
    assert 0.04 < time.monotonic() - began < 0.2


async def test_what_holds_the_loop_waits_until_nobody_is_at_the_keys_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pace = Pace(0.02)
    began = time.monotonic()
    await pace.calm()
    assert time.monotonic() - began < PRESSING / 2
    pace.press()
    await pace.calm()
    assert not pace.pressing
    monkeypatch.setattr("cockpit.pace.PATIENCE", 0.0)
    pace.press()
    await pace.calm()
    assert pace.pressing


async def test_what_happens_as_a_wait_ends_never_leaves_the_next_one_without_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cockpit.pace.SEDATE", 0.0)
    pace = Pace(0.0)

    async def stirred_at_the_end(seconds: float) -> bool:
        pace.stir()
        return False

    with monkeypatch.context() as patch:
        patch.setattr(pace, "_stirs", stirred_at_the_end)
        await pace.rest()
    async with asyncio.timeout(0.5):
        await pace.rest()
