"""Passwords and a host's own questions: in which order, how often, how they look, and that nothing keeps them."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
from pathlib import Path

import asyncssh
import pytest

from cockpit.errors import LoginRefused
from cockpit.ssh.asking import Nobody, Patience, Secret
from tests.helpers.asking_server import asking_server
from tests.helpers.sshd import Answers, log_in

SECRET = "tr0ub4dor&3 never to be seen"


async def test_a_password_is_asked_for_as_often_as_the_configuration_says(tmp_path: Path) -> None:
    async with asking_server(tmp_path, password=SECRET) as config:
        asker = Answers("wrong", SECRET)
        (await log_in(config, asker)).close()
        assert [(each.kind, each.attempt, each.echo) for each in asker.asked] == [
            (Secret.PASSWORD, 1, False),
            (Secret.PASSWORD, 2, False),
        ]
        assert (asker.asked[0].hop, asker.asked[0].prompt) == ("asking", "me@127.0.0.1's password:")
        asker = Answers(*["wrong"] * 9)
        with pytest.raises(LoginRefused):
            await log_in(config, asker)
        assert len(asker.asked) == 3


@pytest.mark.parametrize("asker", [Nobody(), Answers(None)])
async def test_giving_up_ends_the_login(tmp_path: Path, asker: Nobody) -> None:
    async with asking_server(tmp_path, password=SECRET) as config:
        with pytest.raises(LoginRefused):
            await log_in(config, asker)


async def test_a_host_puts_its_own_questions_and_they_are_shown_clean(tmp_path: Path) -> None:
    rounds = [
        ("Two factors", "Look at your \x1b[31mphone", [("Password: ", False)], [SECRET]),
        ("", "", [("One-time \x1b]0;x\x07code: ", True), ("PIN: ", False)], ["123456", "9"]),
        ("Welcome", "in peace", [], []),
    ]
    async with asking_server(tmp_path, rounds=rounds) as config:
        asker = Answers(SECRET, "123456", "9")
        (await log_in(config, asker)).close()
    assert [(each.prompt, each.echo, each.kind) for each in asker.asked] == [
        ("Two factors\nLook at your ␛[31mphone\nPassword:", False, Secret.ANSWER),
        ("One-time ␛]0;x␇code:", True, Secret.ANSWER),
        ("PIN:", False, Secret.ANSWER),
    ]
    assert asker.told == ["Welcome\nin peace"]


async def test_questions_go_before_a_password_unless_preferred_otherwise(tmp_path: Path) -> None:
    from msgspec.structs import replace

    rounds = [("", "", [("Code: ", True)], ["1"])]
    async with asking_server(tmp_path, password=SECRET, rounds=rounds) as config:
        asker = Answers("1")
        (await log_in(config, asker)).close()
        assert asker.asked[0].kind is Secret.ANSWER
        asker = Answers(SECRET)
        preferred = replace(config, preferred_authentications=("password", "gssapi-with-mic"))
        (await log_in(preferred, asker)).close()
        assert asker.asked[0].kind is Secret.PASSWORD


async def test_a_host_that_asks_for_ever_is_left(tmp_path: Path) -> None:
    rounds = [("", "", [("again? ", True)], ["y"])] * 40
    async with asking_server(tmp_path, rounds=rounds) as config:
        asker = Answers(*["y"] * 200)
        with pytest.raises(LoginRefused):
            await log_in(config, asker)
        assert len(asker.asked) <= 48


async def test_a_banner_is_cut_and_cleaned(tmp_path: Path) -> None:
    async with asking_server(tmp_path, password="x", banner="Hello\x1b[2J\n" + "z" * 10_000) as config:
        asker = Answers("x")
        (await log_in(config, asker)).close()
    (told,) = asker.told
    assert told.startswith("Hello␛[2J\nzzz") and len(told) <= 4096


@pytest.mark.alone
async def test_what_is_asked_takes_its_time(tmp_path: Path) -> None:
    class Slow(Answers):
        async def secret(self, question: object) -> str | None:
            await asyncio.sleep(1.2)
            return SECRET

    async with asking_server(tmp_path, password=SECRET) as config:
        (await log_in(config, Slow(), seconds=1)).close()


async def test_a_question_ends_with_its_connection(tmp_path: Path) -> None:
    """A host that gives up while somebody types leaves no dialog behind."""
    asked, ended = asyncio.Event(), asyncio.Event()

    class Waiting(Answers):
        async def secret(self, question: object) -> str | None:
            asked.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()
            return None

    async with asking_server(tmp_path, password=SECRET) as config:
        task = asyncio.create_task(log_in(config, Waiting()))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await ended.wait()


async def test_no_traceback_and_no_log_holds_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncssh.set_log_level(logging.DEBUG)
    try:
        async with asking_server(tmp_path, password="other") as config:
            with pytest.raises(LoginRefused) as raised:
                await log_in(config, Answers(SECRET, SECRET, SECRET))
    finally:
        asyncssh.set_log_level(logging.WARNING)
    told = "".join(traceback.TracebackException.from_exception(raised.value, capture_locals=True).format())
    assert SECRET not in told and SECRET not in caplog.text


@pytest.mark.alone
async def test_patience_stands_still_while_someone_is_asked() -> None:
    async with Patience(0.2) as patience:
        with patience.paused(), patience.paused():
            await asyncio.sleep(0.3)
        await asyncio.sleep(0.05)
    with pytest.raises(TimeoutError):
        async with Patience(0.05) as patience:
            with patience.paused():
                await asyncio.sleep(0.1)
            await asyncio.sleep(1)
    gc.collect()
