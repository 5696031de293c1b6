"""The screen asks what a connection to a real server needs, one question at a time, and forgets the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.events import Paste
from textual.screen import ModalScreen
from textual.widgets import Input

from cockpit.actionlog.log import FILE
from cockpit.actionlog.reader import ActionReader
from cockpit.config.settings import SshSettings
from cockpit.errors import HostKeyRefused, LoginRefused, SshError
from cockpit.ssh.asking import Question, Secret
from tests.helpers.asking_server import asking_server
from tests.helpers.remains import remains
from tests.helpers.screen import QUIET, Screen, screen, shown
from tests.helpers.sshd import Sshd, sshd
from widgets.secret_input import CALM_S
from widgets.ssh_questions import HostKeyDialog, SecretDialog

WORDS = ("sesame", "open", "4711")


def secret() -> str:
    return "-".join(WORDS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        server.start()
        write(server.folder / "ssh_config", server.port, server.path("known_hosts"), server.path("id"))
        yield server


def write(config: Path, port: int, known_hosts: str, identity: str = "none") -> None:
    config.write_text(
        f"Host web-1 web-2\n  HostName 127.0.0.1\n  Port {port}\n  User root\n  IdentityFile {identity}\n"
        f"  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {known_hosts}\n"
        "  GlobalKnownHostsFile /dev/null\n"
    )


@asynccontextmanager
async def opened(folder: Path, config: Path) -> AsyncIterator[Screen]:
    async with screen(folder, QUIET, ssh=SshSettings(config=str(config))) as on:
        try:
            yield on
        finally:
            await on.app.operations.connections.close()


async def run(on: Screen, host: str = "web-1") -> bytes:
    """Run a command on a host, as a pane would."""
    program = await on.app.operations.connections.start(host, "echo in")
    return b"".join([piece async for _, piece in program.pieces()])


async def asked(on: Screen, kind: type[object]) -> None:
    await on.until(
        lambda: isinstance(on.app.screen, kind) and on.app.focused is not None, f"a {kind.__name__}"
    )
    await on.pilot.pause(CALM_S + 0.05)


async def test_an_unknown_key_is_shown_and_taken_only_when_typed_out(server: Sshd, tmp_path: Path) -> None:
    server.know()
    async with opened(tmp_path, server.folder / "ssh_config") as on:
        task = asyncio.create_task(run(on))
        await asked(on, HostKeyDialog)
        assert "web-1 · unknown host key" in shown(on.app) and "+--[ED25519 256]--+" in shown(on.app)
        await on.press("enter")
        await on.press("y", "enter")
        assert "not accepted" in shown(on.app) and on.app.screen.query_one(Input).value == ""
        await on.press("y", "e", "s", "enter")
        assert await task == b"in\n"
        assert not isinstance(on.app.screen, HostKeyDialog)
    assert server.public("host_ed25519") in (server.folder / "known_hosts").read_text()
    reader = ActionReader(tmp_path / "data" / FILE)
    (action,) = reader.list(limit=9)
    reader.close()
    assert (action.kind, action.argv[:2], action.state) == ("host-key", ("known_hosts", "add"), "done")


async def test_escape_refuses_a_key(server: Sshd, tmp_path: Path) -> None:
    known = server.know()
    async with opened(tmp_path, server.folder / "ssh_config") as on:
        task = asyncio.create_task(run(on))
        await asked(on, HostKeyDialog)
        await on.press("escape")
        with pytest.raises(HostKeyRefused, match="was not accepted"):
            await task
    assert known.read_text() == ""


async def test_a_password_is_handed_over_and_nothing_remains_of_it(tmp_path: Path) -> None:
    async with asking_server(tmp_path, password=secret(), banner="Be \x1b[31mwelcome") as host:
        write(tmp_path / "config", host.port, *host.user_known_hosts_files)
        async with opened(tmp_path, tmp_path / "config") as on:
            task = asyncio.create_task(run(on))
            await asked(on, SecretDialog)
            assert "root@127.0.0.1's password:" in shown(on.app)
            await on.press("n", "o", "enter")
            await on.until(lambda: "attempt 2" in shown(on.app), "the second attempt")
            await on.pilot.pause(CALM_S + 0.05)
            await on.press(*("minus" if letter == "-" else letter for letter in secret()[:6]))
            on.app.screen.focused.post_message(Paste(secret()[6:] + "\nmore"))  # type: ignore[union-attr]
            await on.pilot.pause()
            assert "•" * len(secret()) in shown(on.app) and WORDS[0] not in shown(on.app)
            await on.press("enter")
            assert await task == b"in\n"
            assert any("Be ␛[31mwelcome" in notice for notice in on.notices)
            await on.pilot.pause()
            tail = "-".join(WORDS[1:])
            server_has_it = "'password'"  # it is in this process too
            assert [place for place in remains(tail) if server_has_it not in place] == []
            vars(on)["held"] = {"anything": tail}
            assert any("anything" in place for place in remains(tail))  # so it would have been found
        for path in filter(Path.is_file, (tmp_path / "data").rglob("*")):
            assert secret().encode() not in path.read_bytes()


async def test_keys_that_were_meant_for_something_else_go_nowhere(tmp_path: Path) -> None:
    async with asking_server(tmp_path, password=secret()) as host:
        write(tmp_path / "config", host.port, *host.user_known_hosts_files)
        async with opened(tmp_path, tmp_path / "config") as on:
            task = asyncio.create_task(run(on))
            await on.until(lambda: isinstance(on.app.screen, SecretDialog), "the dialog")
            await on.press("l", "s", "enter")
            assert isinstance(on.app.screen, SecretDialog) and "•" not in shown(on.app)
            await on.press("escape")
            with pytest.raises(LoginRefused, match="its password was asked for and not given"):
                await task


async def test_questions_wait_for_one_another_and_one_that_nobody_waits_for_goes(tmp_path: Path) -> None:
    rounds = [("", "Which?", [("One-time code: ", True)], ["1"])]
    async with asking_server(tmp_path, rounds=rounds) as host:
        write(tmp_path / "config", host.port, *host.user_known_hosts_files)
        async with opened(tmp_path, tmp_path / "config") as on:
            asker = on.app.operations.asker
            tasks = [asyncio.create_task(run(on, name)) for name in ("web-1", "web-1")]
            other = asyncio.create_task(asker.secret(question("other")))
            await asked(on, SecretDialog)
            assert len(on.app.screen_stack) == 2
            first = shown(on.app)
            if "other · " in first:
                other.cancel()
                await on.until(lambda: "One-time code" in shown(on.app), "the next")
                await on.pilot.pause(CALM_S + 0.05)
            await on.press("1", "enter")
            assert [await task for task in tasks] == [b"in\n", b"in\n"]
            other.cancel()
            await on.until(lambda: not isinstance(on.app.screen, SecretDialog), "the end of the dialogs")


async def test_a_question_goes_with_the_host_that_asks_no_longer(server: Sshd, tmp_path: Path) -> None:
    server.know(f"{server.address} {server.public('host_ed25519')}")
    server.start("LoginGraceTime 2", "PasswordAuthentication yes", "PubkeyAuthentication no")
    async with opened(tmp_path, server.folder / "ssh_config") as on:
        task = asyncio.create_task(run(on))
        await on.until(lambda: isinstance(on.app.screen, SecretDialog), "the dialog")
        with pytest.raises(SshError):
            await task
        await on.until(lambda: len(on.app.screen_stack) == 1, "its end")


async def test_a_question_below_another_screen_goes_when_that_does(tmp_path: Path) -> None:
    async with opened(tmp_path, tmp_path / "none") as on:
        task = asyncio.create_task(on.app.operations.asker.secret(question("web-1")))
        await asked(on, SecretDialog)
        over: ModalScreen[None] = ModalScreen()
        await on.app.push_screen(over)
        task.cancel()
        await on.pilot.pause(0.1)
        over.dismiss()
        await on.until(lambda: len(on.app.screen_stack) == 1, "the end of both")


def question(hop: str) -> Question:
    return Question(hop=hop, kind=Secret.PASSWORD, prompt="password:")
