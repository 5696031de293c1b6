"""An SSH server in this process that wants passwords, and puts questions: what a real sshd needs PAM for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh

from cockpit.ssh.host_config import HostConfig

Round = tuple[str, str, Sequence[tuple[str, bool]], Sequence[str]]
"""A title, instructions, the questions with whether they may be echoed, and the right answers."""


class AskingServer(asyncssh.SSHServer):
    """Lets in whoever knows the password, or answers all rounds."""

    password = ""
    rounds: Sequence[Round] = ()
    banner = ""

    def __init__(self) -> None:
        self._round = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        if self.banner:
            self._connection.send_auth_banner(self.banner)
        return True

    def password_auth_supported(self) -> bool:
        return bool(self.password)

    def validate_password(self, username: str, password: str) -> bool:
        return password == self.password

    def kbdint_auth_supported(self) -> bool:
        return bool(self.rounds)

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> object:  # type: ignore[override]
        self._round = 0
        return self._challenge()

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> object:  # type: ignore[override]
        if list(responses) != list(self.rounds[self._round][3]):
            return False
        self._round += 1
        return True if self._round == len(self.rounds) else self._challenge()

    def _challenge(self) -> object:
        title, instructions, prompts, _ = self.rounds[self._round]
        return title, instructions, "", list(prompts)


@asynccontextmanager
async def asking_server(
    folder: Path, *, password: str = "", rounds: Sequence[Round] = (), banner: str = ""
) -> AsyncIterator[HostConfig]:
    """Serve for the length of a block; yield how to reach it."""
    kind = type("Server", (AskingServer,), {"password": password, "rounds": rounds, "banner": banner})
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(
        kind, "127.0.0.1", 0, server_host_keys=[key], process_factory=_greet, allow_pty=True
    )
    port = server.get_port()
    known = folder / "asking_known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
    yield HostConfig(
        name="asking", hostname="127.0.0.1", port=port, user="me", user_known_hosts_files=(str(known),)
    )
    server.close()
    await server.wait_closed()


def _greet(process: asyncssh.SSHServerProcess[str]) -> None:
    process.stdout.write("in\n")
    process.exit(0)
