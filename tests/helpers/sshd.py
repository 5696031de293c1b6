"""One real sshd on loopback, with several host keys to choose from, and an Asker that answers as a test says."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import asyncssh
import pytest

from cockpit.ssh.asking import Asker, OfferedKey, Patience, Question, Verdict
from cockpit.ssh.host_config import HostConfig
from cockpit.ssh.login import logged_in
from tests.helpers.ssh_lab import SSHD, USER
from tests.helpers.tcp_server import free_port

CONFIG = """\
ListenAddress 127.0.0.1
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
LogLevel DEBUG
"""


class Sshd:
    """A server in a folder of its own.

    Attributes:
        folder: Its host keys, such as `host_ed25519`, the user's key `id` and the file `authorized`.
        port: Where it listens.
        inside: The command line before its own, which starts it elsewhere; empty for here.
    """

    inside: Sequence[str] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def key(self, name: str, kind: str = "ed25519", passphrase: str = "", *more: str) -> Path:
        """Make a key pair."""
        run(
            "ssh-keygen",
            "-q",
            "-t",
            kind,
            *(("-b", "2048") if kind == "rsa" else ()),
            *more,
            "-N",
            passphrase,
            "-C",
            name,
            "-f",
            self.path(name),
        )
        return self.folder / name

    def sign(self, authority: str, name: str, *more: str) -> Path:
        """Have an authority sign a public key; return the certificate."""
        run(
            "ssh-keygen",
            "-q",
            "-s",
            self.path(authority),
            "-I",
            f"{name}-id",
            *more,
            self.path(f"{name}.pub"),
        )
        return self.folder / f"{name}-cert.pub"

    def public(self, name: str) -> str:
        """Return the type and the base64 of a public key."""
        return " ".join((self.folder / f"{name}.pub").read_text().split()[:2])

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self, *lines: str, keys: Sequence[str] = ("host_ed25519",)) -> None:
        """Start it, or start it anew, with more lines of configuration; returns when it answers."""
        assert SSHD is not None
        self.stop()
        self.port = self.port or free_port()
        with contextlib.suppress(OSError):
            Path("/run/sshd").mkdir(exist_ok=True)
        config = self.folder / "sshd_config"
        text = [*lines, f"Port {self.port}", *(f"HostKey {self.path(key)}" for key in keys), CONFIG]
        text.append(f"AuthorizedKeysFile {self.path('authorized')}")
        text.append(
            f"SetEnv HOME={self.folder}"
        )  # what this account's shell does when it starts is no part of a test
        config.write_text("\n".join(text) + "\n")
        self._process = subprocess.Popen(
            [*self.inside, SSHD, "-D", "-f", str(config), "-E", self.path("log")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.01)
        raise AssertionError(f"sshd does not answer: {self.log()}")

    def stop(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def address(self) -> str:
        return f"[127.0.0.1]:{self.port}"

    def know(self, *lines: str) -> Path:
        """Write the user's known_hosts."""
        known = self.folder / "known_hosts"
        known.write_text("".join(f"{line}\n" for line in lines))
        return known

    def config(self, **changes: object) -> HostConfig:
        """Return how to reach it, as ssh_config would have it."""
        given: dict[str, object] = {
            "name": "web-1",
            "hostname": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "identity_files": (self.path("id"),),
            "user_known_hosts_files": (self.path("known_hosts"),),
        }
        return HostConfig(**{**given, **changes})  # type: ignore[arg-type]

    def ssh(self, *options: str) -> int:
        """Return the exit status of OpenSSH's own client, which asks nothing."""
        argv = ["ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-i", self.path("id"), "-p", str(self.port)]
        argv += [
            "-o",
            f"UserKnownHostsFile={self.path('known_hosts')}",
            "-o",
            "GlobalKnownHostsFile=/dev/null",
        ]
        argv += [word for option in options for word in ("-o", option)]
        return subprocess.run(
            [*argv, f"{USER}@127.0.0.1", "true"], check=False, capture_output=True, stdin=subprocess.DEVNULL
        ).returncode


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """Hold a server, not yet started, with its first keys, for the length of a block."""
    if SSHD is None:
        pytest.skip("sshd is not installed (Debian package openssh-server)")
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed (Debian package openssh-client)")
    server = Sshd(folder)
    try:
        server.key("host_ed25519")
        server.key("id")
        shutil.copy(folder / "id.pub", folder / "authorized")
        yield server
    finally:
        server.stop()


class Answers(Asker):
    """Answers as it was told, and keeps what it was asked."""

    def __init__(self, *secrets: str | None, accept: bool = False) -> None:
        self.secrets = list(secrets)
        self.accepts = accept
        self.asked: list[Question] = []
        self.offered: list[OfferedKey] = []
        self.recorded: list[tuple[str, str, Verdict]] = []
        self.told: list[str] = []

    async def secret(self, question: Question) -> str | None:
        self.asked.append(question)
        return self.secrets.pop(0) if self.secrets else None

    async def accept(self, key: OfferedKey) -> bool:
        self.offered.append(key)
        return self.accepts

    async def record(self, key: OfferedKey, verdict: Verdict) -> None:
        self.recorded.append((key.address, key.fingerprint, verdict))

    def tell(self, hop: str, text: str) -> None:
        self.told.append(text)


async def log_in(
    config: HostConfig, asker: Asker, *, seconds: float = 10, forward_agent: bool = False
) -> asyncssh.SSHClientConnection:
    """Log in to a host, straight."""
    connect = partial(asyncssh.connect, config.hostname, config.port, config=None)
    return await logged_in(config, asker, connect, patience=Patience(seconds), forward_agent=forward_agent)


def run(*argv: str, **environment: str) -> str:
    done = subprocess.run(
        argv,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )
    return done.stdout
