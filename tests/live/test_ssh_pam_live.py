"""Passwords, one-time codes and expired passwords with a real sshd that asks PAM; nothing keeps what is typed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from cockpit.actions.ssh import SshTransport
from cockpit.errors import LoginRefused
from cockpit.ssh.asking import Asker, Nobody, Secret
from cockpit.ssh.connections import Connections
from cockpit.ssh.route import Route
from tests.helpers.asking_terminal import Terminal
from tests.helpers.cockpit_cli import actions
from tests.helpers.pam_sshd import ACCOUNTS, PASSWORD, PamSshd, code, pam_sshd
from tests.helpers.screen import shown
from tests.helpers.shells import typing_at
from tests.helpers.sshd import Answers, log_in
from tests.live.test_shells_secrets_live import everything
from tests.live.test_ssh_screen_live import asked, opened
from widgets.ssh_questions import SecretDialog

ANOTHER = "marlin 4711 instead"
PASSWORDS = ("password",)
QUESTIONS = ("keyboard-interactive",)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PamSshd]:
    with pam_sshd(tmp_path_factory.mktemp("pam")) as server:
        yield server


@pytest.fixture
def server(running: PamSshd) -> PamSshd:
    """The server, all accounts as they were at first."""
    running.start()
    return running


async def who(connection: asyncssh.SSHClientConnection) -> str:
    """Return who we are there, and leave."""
    async with connection:
        done = await connection.run("id -un", check=True)
    return str(done.stdout).strip()


def asks(asker: Answers) -> list[tuple[Secret, str, bool, int]]:
    return [(each.kind, each.prompt, each.echo, each.attempt) for each in asker.asked]


def keeps(folder: Path, *texts: str) -> list[str]:
    """Return which of these a data directory holds, in plain or packed."""
    held = everything(folder)
    return [text for text in texts if text.encode() in held]


def connected(server: PamSshd, asker: Asker, account: str, *methods: str) -> Connections:
    """Return connections on which every target is an account of the server."""

    async def find(name: str) -> Route:
        return (server.to(account, name=name, preferred_authentications=methods),)

    return Connections(find, asker)


@pytest.mark.parametrize("before", [[], ["wrong"], ["wrong", "wrong too"]])
async def test_a_password_lets_in_at_once_or_when_it_is_right(server: PamSshd, before: list[str]) -> None:
    asker = Answers(*before, PASSWORD)
    config = server.to("plain", preferred_authentications=PASSWORDS)
    assert await who(await log_in(config, asker)) == "plain"
    prompt = "plain@127.0.0.1's password:"
    assert asks(asker) == [(Secret.PASSWORD, prompt, False, attempt) for attempt in range(1, len(before) + 2)]


@pytest.mark.parametrize("before", [[], ["wrong"]])
async def test_the_hosts_question_for_the_password_does_as_well(server: PamSshd, before: list[str]) -> None:
    asker = Answers(*before, PASSWORD)
    assert await who(await log_in(server.to("plain"), asker)) == "plain"
    assert asks(asker) == [
        (Secret.ANSWER, "Password:", False, attempt) for attempt in range(1, len(before) + 2)
    ]


@pytest.mark.parametrize("methods", [PASSWORDS, QUESTIONS, ()])
async def test_giving_up_and_nobody_to_ask_end_the_login(server: PamSshd, methods: tuple[str, ...]) -> None:
    config = server.to("plain", preferred_authentications=methods)
    for asker in (Answers(None, None), Answers("wrong", None, None), Nobody()):
        with pytest.raises(LoginRefused, match="was asked for and not given"):
            await log_in(config, asker)


async def test_wrong_answers_are_asked_for_as_often_as_the_configuration_says(server: PamSshd) -> None:
    asker = Answers(*["wrong"] * 9)
    config = server.to("plain", number_of_password_prompts=2)
    with pytest.raises(LoginRefused, match="permission denied for plain"):
        await log_in(config, asker)
    assert [each.kind for each in asker.asked] == [Secret.ANSWER] * 2 + [Secret.PASSWORD] * 2


async def test_a_host_that_allows_few_attempts_hangs_up(server: PamSshd) -> None:
    server.start("MaxAuthTries 2")
    asker = Answers(*["wrong"] * 9)
    connections = connected(server, asker, "plain", *PASSWORDS)
    try:
        with pytest.raises(LoginRefused, match="it allows no more attempts: too many keys or answers"):
            await connections.start("pam", "true")
    finally:
        await connections.close()
    assert len(asker.asked) == 2


@pytest.mark.parametrize(
    ("account", "first", "prompt", "echo"),
    [
        ("code", 0, "One-time password (OATH) for `code':", False),
        ("shown", 1, "Verification code:", True),
    ],
)
async def test_a_one_time_code_is_the_second_question_and_the_server_says_whether_it_is_shown(
    server: PamSshd, account: str, first: int, prompt: str, echo: bool
) -> None:
    asker = Answers(PASSWORD, code(first))
    assert await who(await log_in(server.to(account), asker)) == account
    assert asks(asker) == [(Secret.ANSWER, "Password:", False, 1), (Secret.ANSWER, prompt, echo, 1)]
    used = Answers(PASSWORD, code(first), PASSWORD, code(first + 2))  # a wrong one may use up the next
    assert await who(await log_in(server.to(account), used)) == account
    assert [each.attempt for each in used.asked] == [1, 1, 2, 2], "a code is good once"


async def test_an_expired_password_is_changed_by_the_hosts_questions(server: PamSshd) -> None:
    before, ours = server.password_of("expired"), Path("/etc/shadow").read_bytes()
    asker = Answers(PASSWORD, PASSWORD, ANOTHER, ANOTHER)
    assert await who(await log_in(server.to("expired"), asker)) == "expired"
    assert [each.prompt.splitlines()[-1] for each in asker.asked] == [
        "Password:",
        "Current password:",
        "New password:",
        "Retype new password:",
    ]
    assert not any(each.echo for each in asker.asked)
    assert server.password_of("expired") != before
    assert Path("/etc/shadow").read_bytes() == ours, "this machine's accounts are as they were"
    asker = Answers(ANOTHER)
    assert await who(await log_in(server.to("expired"), asker)) == "expired"


async def test_a_new_password_that_is_not_typed_twice_alike_changes_nothing(server: PamSshd) -> None:
    before = server.password_of("expired")
    asker = Answers(PASSWORD, PASSWORD, ANOTHER, "another", None, None, None)
    with pytest.raises(LoginRefused):
        await log_in(server.to("expired"), asker)
    assert server.password_of("expired") == before


async def test_an_expired_password_given_as_one_says_what_the_host_wants(server: PamSshd) -> None:
    """OpenSSH lets in, and then wants another password at a terminal before anything runs."""
    config = server.to("expired", preferred_authentications=PASSWORDS)
    async with await log_in(config, Answers(PASSWORD)) as connection:
        done = await connection.run("id -un")
    assert (done.exit_status, done.stdout) == (1, "")
    assert "Password change required but no TTY available" in str(done.stderr)


async def test_a_key_and_then_the_hosts_questions(server: PamSshd) -> None:
    server.start("AuthenticationMethods publickey,keyboard-interactive")
    keys = (server.path("id"),)
    asker = Answers(PASSWORD, code(0))
    assert await who(await log_in(server.to("code", identity_files=keys), asker)) == "code"
    assert [each.prompt for each in asker.asked] == ["Password:", "One-time password (OATH) for `code':"]
    asker = Answers(PASSWORD)
    with pytest.raises(LoginRefused):
        await log_in(server.to("plain"), asker)
    assert asker.asked == [], "without the key nothing is asked"


def configured(server: PamSshd) -> Path:
    """Return an ssh_config with a host for each account."""
    config = server.folder / "ssh_config"
    config.write_text(
        "".join(f"Host {name}\n  User {name}\n" for name in ACCOUNTS)
        + f"Host *\n  HostName 127.0.0.1\n  Port {server.port}\n  IdentityFile none\n  IdentityAgent none\n"
        f"  UserKnownHostsFile {server.path('known_hosts')}\n  GlobalKnownHostsFile /dev/null\n"
    )
    return config


def test_the_command_line_asks_at_its_terminal_and_keeps_nothing(server: PamSshd, tmp_path: Path) -> None:
    data = tmp_path / "data"
    at = Terminal(configured(server), data, "id", "-un", host="shown")
    at.until("Password:")
    at.type("not this one")
    at.until("(attempt 2)")
    at.type(PASSWORD)
    at.until("Verification code:")
    at.type(code(1))
    assert at.ended() == 0
    assert at.shown.rstrip().endswith("shown")
    assert code(1) in at.shown, "the host lets it be seen"
    assert PASSWORD not in at.shown and "not this one" not in at.shown
    (action,) = actions(data)
    assert (action["argv"], action["state"], action["target"]) == (["id", "-un"], "done", "shown")
    assert keeps(data, PASSWORD, "not this one", code(1)) == []


def test_the_command_line_changes_an_expired_password_and_keeps_neither(
    server: PamSshd, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    at = Terminal(configured(server), data, "echo", "all is well", host="expired")
    for question, answer in (
        ("expired: Password:", PASSWORD),
        ("Current password:", PASSWORD),
        ("New password:", ANOTHER),
        ("Retype new password:", ANOTHER),
    ):
        at.until(question)
        at.type(answer)
    assert at.ended() == 0 and "all is well" in at.shown
    assert PASSWORD not in at.shown and ANOTHER not in at.shown
    assert [action["state"] for action in actions(data)] == ["done"]
    assert keeps(data, PASSWORD, ANOTHER) == []
    assert keeps(data, "all is well"), "what was run is kept, so a secret would have been found"


async def test_an_expired_password_is_changed_in_a_recorded_terminal_that_keeps_neither(
    server: PamSshd, tmp_path: Path
) -> None:
    """Where the password was given as one, OpenSSH starts passwd(1) in place of the shell."""
    before = server.password_of("expired")
    connections = connected(server, Answers(PASSWORD), "expired", *PASSWORDS)
    try:
        async with typing_at(
            "", tmp_path, transport=SshTransport(connections), target="web-1", integrated=False
        ) as typist:
            for question, answer in (
                ("Current password:", PASSWORD),
                ("New password:", ANOTHER),
                ("Retype new password:", ANOTHER),
            ):
                await typist.shows(question)
                typist.type(f"{answer}\r")
            await typist.ended()
            assert b"updated successfully" in typist.recorded()
    finally:
        await connections.close()
    assert server.password_of("expired") != before
    assert keeps(tmp_path / "data", PASSWORD, ANOTHER, "Retype new password") == ["Retype new password"]


async def test_the_screen_asks_in_dialogs_and_keeps_nothing(server: PamSshd, tmp_path: Path) -> None:
    async with opened(tmp_path, configured(server)) as on:

        async def work() -> bytes:
            program = await on.app.operations.connections.start("shown", "id -un")
            return b"".join([piece async for _, piece in program.pieces()])

        async def answer(question: str, typed: str, seen: bool) -> None:
            await asked(on, SecretDialog)
            await on.until(lambda: question in shown(on.app), question)
            await on.press(*("space" if letter == " " else letter for letter in typed))
            await on.until(lambda: (typed if seen else "•" * len(typed)) in shown(on.app), "what was typed")
            assert seen or typed not in shown(on.app)
            await on.press("enter")

        task = asyncio.create_task(work())
        await answer("Password:", PASSWORD, seen=False)
        await answer("Verification code:", code(1), seen=True)
        assert await task == b"shown\n"
    assert keeps(tmp_path / "data", PASSWORD, code(1)) == []
