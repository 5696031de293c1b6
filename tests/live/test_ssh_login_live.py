"""Logging in to a real sshd: keys, certificates, the agent, and what is asked for and when."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cockpit.errors import LoginRefused
from cockpit.ssh.asking import Secret
from tests.helpers.security_key import security_key_agent
from tests.helpers.sshd import Answers, Sshd, log_in, run, sshd
from tests.live.servers import wait_for

PHRASE = "correct horse 4711"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        server.key("ca")
        server.key("stranger")
        server.key("locked", "ed25519", PHRASE)
        server.key("locked_pem", "rsa", PHRASE, "-m", "PEM")
        server.key("rsa", "rsa")
        (server.folder / "banner").write_text("Authorised\x1b[31m use only\n")
        server.start(
            f"Banner {server.path('banner')}", f"TrustedUserCAKeys {server.path('ca.pub')}", "MaxAuthTries 20"
        )
        server.know(f"{server.address} {server.public('host_ed25519')}")
        yield server


@pytest.fixture
def allow(server: Sshd) -> Callable[..., None]:
    """Let in whoever has one of these keys, and nobody else."""

    def allow(*names: str) -> None:
        (server.folder / "authorized").write_text("".join(f"{server.public(name)}\n" for name in names))

    return allow


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[str]:
    """A real ssh-agent; its socket."""
    if shutil.which("ssh-agent") is None:
        pytest.skip("ssh-agent is not installed (Debian package openssh-client)")
    path = str(tmp_path / "agent")
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(lambda: connects(path), what="the agent")
        yield path
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def connects(path: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(path)
        return True
    return False


def offered(server: Sshd, since: int) -> list[str]:
    """Return the fingerprints of the keys that the server was asked about, in order."""
    lines = server.log()[since:].splitlines()
    prints = [
        word
        for line in lines
        if "userauth_pubkey:" in line
        for word in line.split()
        if word.startswith("SHA256:")
    ]
    return list(dict.fromkeys(prints))


def fingerprint(server: Sshd, name: str) -> str:
    return run("ssh-keygen", "-lf", server.path(f"{name}.pub")).split()[1]


async def test_a_key_lets_in_and_the_banner_is_told_clean(server: Sshd, allow: Callable[..., None]) -> None:
    allow("id")
    asker = Answers()
    (await log_in(server.config(), asker)).close()
    assert asker.told == ["Authorised␛[31m use only"] and not asker.asked


async def test_a_passphrase_is_asked_for_only_once_the_host_would_take_the_key(
    server: Sshd, allow: Callable[..., None]
) -> None:
    pytest.importorskip("bcrypt", reason="bcrypt is not installed")
    keys = tuple(server.path(name) for name in ("locked", "locked_pem", "id"))
    allow("id")
    asker = Answers()
    (await log_in(server.config(identity_files=keys), asker)).close()
    assert not asker.asked
    allow("locked")
    asker = Answers("wrong", PHRASE)
    (await log_in(server.config(identity_files=keys), asker)).close()
    assert [(question.kind, question.attempt) for question in asker.asked] == [
        (Secret.PASSPHRASE, 1),
        (Secret.PASSPHRASE, 2),
    ]
    assert (
        asker.asked[0].prompt == f"Enter passphrase for key '{server.path('locked')}':"
        and not asker.asked[0].echo
    )


async def test_an_old_key_with_a_passphrase(server: Sshd, allow: Callable[..., None]) -> None:
    allow("locked_pem")
    asker = Answers("wrong", PHRASE)
    (await log_in(server.config(identity_files=(server.path("locked_pem"),)), asker)).close()
    assert len(asker.asked) == 2


async def test_an_old_key_without_its_public_half_is_asked_for_when_its_turn_comes(
    server: Sshd, allow: Callable[..., None], tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    shutil.copy(server.path("locked_pem"), alone)
    allow("locked_pem")
    asker = Answers(PHRASE)
    (await log_in(server.config(identity_files=(str(alone),)), asker)).close()
    assert len(asker.asked) == 1


async def test_giving_up_leaves_the_next_key(server: Sshd, allow: Callable[..., None]) -> None:
    allow("locked_pem", "id")
    asker = Answers(None)
    keys = (server.path("locked_pem"), server.path("id"))
    (await log_in(server.config(identity_files=keys), asker)).close()
    assert len(asker.asked) == 1


async def test_nothing_that_fits_is_refused(server: Sshd, allow: Callable[..., None]) -> None:
    allow("stranger")
    with pytest.raises(LoginRefused):
        await log_in(server.config(), Answers())


async def test_a_private_key_that_others_may_read_is_not_used(
    server: Sshd, allow: Callable[..., None], tmp_path: Path
) -> None:
    open_ = tmp_path / "open"
    shutil.copy(server.path("id"), open_)
    open_.chmod(0o644)
    allow("id")
    asker = Answers()
    with pytest.raises(LoginRefused):
        await log_in(server.config(identity_files=(str(open_),)), asker)
    assert any(f"chmod 600 {open_}" in line for line in asker.told)


@pytest.mark.parametrize("how", ["beside the key", "CertificateFile"])
@pytest.mark.parametrize("kind", ["id", "rsa"])
async def test_a_users_certificate(
    server: Sshd, allow: Callable[..., None], tmp_path: Path, how: str, kind: str
) -> None:
    allow("stranger")
    for name in (kind, f"{kind}.pub"):
        shutil.copy(server.path(name), tmp_path / name)
    user = server.config().user
    run(
        "ssh-keygen",
        "-q",
        "-s",
        server.path("ca"),
        "-I",
        "someone",
        "-n",
        user,
        str(tmp_path / f"{kind}.pub"),
    )
    certificate = tmp_path / f"{kind}-cert.pub"
    changes: dict[str, object] = {"identity_files": (str(tmp_path / kind),)}
    if how == "CertificateFile":
        certificate = certificate.rename(tmp_path / "certificate")
        changes["certificate_files"] = (str(certificate),)
    (await log_in(server.config(**changes), Answers())).close()


async def test_the_agents_keys_go_first_and_the_named_ones_before_them(
    server: Sshd, allow: Callable[..., None], agent: str
) -> None:
    run("ssh-add", "-q", server.path("stranger"), server.path("rsa"), SSH_AUTH_SOCK=agent)
    allow("id")
    keys = (server.path("id"), server.path("rsa"))
    since = len(server.log())
    (await log_in(server.config(identity_agent=agent, identity_files=keys), Answers())).close()
    ours = offered(server, since)
    assert ours == [fingerprint(server, name) for name in ("rsa", "stranger", "id")]
    since = len(server.log())
    assert (
        run(
            "ssh",
            "-F",
            "/dev/null",
            "-o",
            f"IdentityAgent={agent}",
            "-o",
            f"UserKnownHostsFile={server.path('known_hosts')}",
            "-i",
            keys[0],
            "-i",
            keys[1],
            "-p",
            str(server.port),
            f"{server.config().user}@127.0.0.1",
            "true",
        )
        == ""
    )
    assert offered(server, since) == ours


async def test_identities_only_leaves_the_agents_other_keys_alone(
    server: Sshd, allow: Callable[..., None], agent: str, tmp_path: Path
) -> None:
    run("ssh-add", "-q", server.path("stranger"), server.path("rsa"), SSH_AUTH_SOCK=agent)
    public = tmp_path / "rsa.pub"
    shutil.copy(server.path("rsa.pub"), public)
    allow("rsa", "stranger")
    since = len(server.log())
    config = server.config(identity_agent=agent, identities_only=True, identity_files=(str(public),))
    (await log_in(config, Answers())).close()
    assert offered(server, since) == [fingerprint(server, "rsa")]


async def test_a_certificate_for_a_key_in_the_agent(
    server: Sshd, allow: Callable[..., None], agent: str, tmp_path: Path
) -> None:
    run("ssh-add", "-q", server.path("id"), SSH_AUTH_SOCK=agent)
    shutil.copy(server.path("id.pub"), tmp_path / "id.pub")
    run(
        "ssh-keygen",
        "-q",
        "-s",
        server.path("ca"),
        "-I",
        "x",
        "-n",
        server.config().user,
        str(tmp_path / "id.pub"),
    )
    allow("stranger")
    config = server.config(
        identity_agent=agent, identity_files=(), certificate_files=(str(tmp_path / "id-cert.pub"),)
    )
    (await log_in(config, Answers())).close()


async def test_a_key_that_is_meant_for_some_hosts_signs_for_these_alone(
    server: Sshd, allow: Callable[..., None], agent: str, tmp_path: Path
) -> None:
    """The agent is shown which host it signs for (session-bind@openssh.com)."""
    allow("id")
    known = tmp_path / "known"
    known.write_text(f"good {server.public('host_ed25519')}\nbad {server.public('stranger')}\n")
    config = server.config(identity_agent=agent, identity_files=())
    for host, signs in (("good", True), ("bad", False)):
        run("ssh-add", "-q", "-D", SSH_AUTH_SOCK=agent)
        run("ssh-add", "-q", "-H", str(known), "-h", host, server.path("id"), SSH_AUTH_SOCK=agent)
        if signs:
            (await log_in(config, Answers())).close()
        else:
            with pytest.raises(LoginRefused):
                await log_in(config, Answers())


@pytest.mark.parametrize(("word", "kept"), [("", 0), ("no", 0), ("yes", 1), ("ask", 1), ("3600", 1)])
async def test_a_key_is_given_to_the_agent_only_where_that_was_asked_for(
    server: Sshd, allow: Callable[..., None], agent: str, word: str, kept: int
) -> None:
    allow("locked_pem")
    config = server.config(
        identity_agent=agent, identity_files=(server.path("locked_pem"),), add_keys_to_agent=word
    )
    (await log_in(config, Answers(PHRASE, "yes"))).close()
    listed = subprocess.run(
        ["ssh-add", "-l"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "SSH_AUTH_SOCK": agent},
    ).stdout
    assert listed.count("SHA256:") == kept
    asker = Answers(PHRASE)
    (await log_in(config, asker)).close()
    assert len(asker.asked) == 1 - kept


@pytest.mark.parametrize("forward", [False, True])
async def test_the_agent_is_forwarded_only_where_that_was_asked_for(
    server: Sshd, allow: Callable[..., None], agent: str, forward: bool
) -> None:
    allow("id")
    run("ssh-add", "-q", server.path("rsa"), SSH_AUTH_SOCK=agent)
    config = server.config(identity_agent=agent, forward_agent="yes")
    connection = await log_in(config, Answers(), forward_agent=forward)
    done = await connection.run("ssh-add -l")
    connection.close()
    assert (fingerprint(server, "rsa") in str(done.stdout)) is forward


async def test_a_forwarded_agent_signs_with_no_key_that_is_meant_for_some_hosts(
    server: Sshd, allow: Callable[..., None], agent: str, tmp_path: Path
) -> None:
    allow("id")
    known = tmp_path / "known"
    known.write_text(f"good {server.public('host_ed25519')}\n")
    run("ssh-add", "-q", server.path("rsa"), SSH_AUTH_SOCK=agent)
    run("ssh-add", "-q", "-H", str(known), "-h", "good", server.path("stranger"), SSH_AUTH_SOCK=agent)
    connection = await log_in(server.config(identity_agent=agent), Answers(), forward_agent=True)
    signs = {
        name: (await connection.run(f"ssh-add -T {server.path(name)}.pub")).exit_status
        for name in ("rsa", "stranger")
    }
    connection.close()
    assert signs["rsa"] == 0 and signs["stranger"] != 0


async def test_an_agent_that_is_gone_is_none(
    server: Sshd, allow: Callable[..., None], tmp_path: Path
) -> None:
    allow("id")
    (await log_in(server.config(identity_agent=str(tmp_path / "gone")), Answers())).close()


async def test_a_host_may_want_two_keys(server: Sshd, allow: Callable[..., None]) -> None:
    allow("id", "rsa")
    server.start("AuthenticationMethods publickey,publickey")
    keys = (server.path("id"), server.path("stranger"), server.path("rsa"))
    (await log_in(server.config(identity_files=keys), Answers())).close()
    with pytest.raises(LoginRefused, match="2 keys offered"):
        await log_in(server.config(identity_files=keys[:2]), Answers())


@pytest.mark.alone
async def test_a_security_key_says_when_it_wants_to_be_touched(
    server: Sshd, allow: Callable[..., None], tmp_path: Path
) -> None:
    """A security key in software, in an agent of ours; the real sshd checks what it signs."""
    async with security_key_agent(tmp_path / "agent") as (agent, public):
        (server.folder / "authorized").write_text(f"{public}\n")
        server.start()
        asker = Answers()
        config = server.config(identity_agent=agent, identity_files=())
        (await log_in(config, asker, seconds=1)).close()
    assert asker.told == ["touch your security key"]


async def test_methods_are_tried_as_preferred_and_no_others(server: Sshd, allow: Callable[..., None]) -> None:
    allow("id")
    server.start()
    with pytest.raises(LoginRefused):
        await log_in(server.config(preferred_authentications=("password",)), Answers("x", "y", "z"))
    with pytest.raises(LoginRefused):
        await log_in(server.config(pubkey_authentication=False), Answers())
    with pytest.raises(LoginRefused):
        await log_in(server.config(pubkey_accepted_algorithms=("rsa-sha2-512",)), Answers())
