"""Logging in to a host in OpenSSH's order, asking the operator for what nobody but a person has.

Everything that asyncssh would find by itself (keys in the home folder, the agent, known_hosts) is turned off: what is
tried is what the configuration says, and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncssh
from asyncssh.public_key import SSHKey, SSHKeyPair

from cockpit.errors import LoginRefused
from cockpit.hygiene import clean_text
from cockpit.ssh.asking import Asker, Operator, Patience, Secret
from cockpit.ssh.host_config import HostConfig
from cockpit.ssh.hostkeys import HostKeys
from cockpit.ssh.identities import Identities

Connect = Callable[..., Awaitable[asyncssh.SSHClientConnection]]
"""`asyncssh.connect` with where to connect; what is given here is added."""

METHODS = ("publickey", "keyboard-interactive", "password")
"""In OpenSSH's order, without what the cockpit can't do: GSSAPI and host-based logins."""
BANNER = 4096
"""Characters of a banner that are told."""
PROMPT = 512
"""Characters of a prompt that are shown."""
MOST_BANNERS = 3
"""Banners that are told of one login."""
MOST_PROMPTS = 16
"""Questions that a host may put at once; and rounds in one attempt."""


async def logged_in(
    config: HostConfig,
    asker: Asker,
    connect: Connect,
    *,
    seconds: float = 0.0,
    patience: Patience | None = None,
    forward_agent: bool = False,
) -> asyncssh.SSHClientConnection:
    """Return a connection to the host that its key shows it to be, and that let us in.

    Args:
        config: The host's configuration.
        asker: Asks the operator, and records what became of a host key.
        connect: Makes a connection of the options given to it; called twice where its key had to be asked for.
        seconds: How long all of it may take, without what people take.
        patience: What says so in place of `seconds`.
        forward_agent: Whether the agent may be used from there; ssh_config's word alone is not enough.

    Raises:
        HostKeyRefused: Its key is not the right one, or not accepted.
        ConfigError: A file that ssh_config names can't be used.
        ActionLogError: What became of its key can't be recorded.
        TimeoutError: It took too long.
        LoginRefused: It does not let us in.
        asyncssh.Error: Something broke.
        OSError: There is no connection.
    """
    async with patience or Patience(seconds) as limit:
        hostkeys = HostKeys(config)
        await hostkeys.load()
        while True:
            login = Login(config, Operator(config.name, asker, limit), hostkeys)
            try:
                return await connect(**login.options(forward_agent=forward_agent))
            except asyncssh.HostKeyNotVerifiable:
                if hostkeys.pending is None and hostkeys.refusal is None:
                    raise
                with limit.paused():
                    await hostkeys.settle(asker)
            except asyncssh.PermissionDenied:
                raise login.refusal() from None
            finally:
                login.close()


class Login(asyncssh.SSHClient):
    """One login: what asyncssh asks while it connects, all on the connections' loop."""

    def __init__(self, config: HostConfig, operator: Operator, hostkeys: HostKeys) -> None:
        self._config = config
        self._operator = operator
        self._hostkeys = hostkeys
        self._identities = Identities(config, operator)
        self._passed = False
        self._passwords = self._challenges = self._rounds = self._banners = 0

    def options(self, *, forward_agent: bool) -> dict[str, Any]:
        """Return the arguments of `asyncssh.connect` that decide on whom to trust and how to log in."""
        config = self._config
        wanted = config.preferred_authentications or METHODS
        return {
            "client_factory": lambda: self,
            "known_hosts": lambda host, address, port: ([], [], []),  # none: `_validated` decides
            "host_key_alias": config.host_key_alias or None,
            "server_host_key_algs": self._hostkeys.algorithms(),
            "x509_trusted_certs": None,
            "x509_trusted_cert_paths": [],
            "username": config.user,
            "client_keys": None,
            "agent_path": None,
            "agent_forwarding": config.identity_agent if forward_agent else False,
            "preferred_auth": [method for method in wanted if method in METHODS],
            "public_key_auth": config.pubkey_authentication,
            "kbdint_auth": config.kbd_interactive_authentication,
            "password_auth": config.password_authentication,
            "host_based_auth": False,
            "gss_host": None,
            "gss_kex": False,
            "gss_auth": False,
            "login_timeout": 0,
            "connect_timeout": None,
            "utf8_decode_errors": "replace",
            **self._identities.options(),
        }

    def close(self) -> None:
        """Let go of the agent."""
        self._identities.close()

    def refusal(self) -> LoginRefused:
        """Say why we were not let in, as far as that is known."""
        config, count, unanswered = self._config, self._identities.count, self._operator.unanswered
        keys = f"{count} key{'' if count == 1 else 's'} offered" if count else "no key to offer"
        if unanswered:
            why, remedy = f"; its {unanswered} was asked for and not given", "give it when it is asked for"
        elif count:
            why, remedy = "", f"have one of them allowed for {config.user} there"
        else:
            why, remedy = "", "name one under IdentityFile in ssh_config, or give one to the agent by ssh-add"
        return LoginRefused(
            f"permission denied for {config.user}: {keys}{why}", where=config.name, remedy=remedy
        )

    # The host's key.

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Have its key judged by us; should asyncssh ever stop asking there, no key passes."""
        check = conn.validate_server_host_key

        def validated(blob: bytes) -> SSHKey:
            self._passed = False
            self._hostkeys.judge(blob)
            self._passed = True
            key = check(blob)
            self._identities.hear(key, blob)
            return key

        conn.validate_server_host_key = validated  # type: ignore[method-assign, assignment]

    def validate_host_public_key(self, host: str, addr: str, port: int, key: SSHKey) -> bool:
        """Return whether the key has passed."""
        return self._passed

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: SSHKey) -> bool:
        """Return whether the certificate has passed."""
        return self._passed

    # Who we are.

    def auth_banner_received(self, msg: str, lang: str) -> None:
        """Pass on what the host has to say before anybody is let in."""
        self._banners += 1
        if msg.strip() and self._banners <= MOST_BANNERS:
            self._operator.tell(clean_text(msg.replace("\r\n", "\n").strip("\r\n"), BANNER))

    async def public_key_auth_requested(self) -> SSHKeyPair | None:
        """Return the next key to offer; None when all were."""
        return await self._identities.next()

    async def password_auth_requested(self) -> str | None:
        """Ask for the password, as often as NumberOfPasswordPrompts says."""
        if self._passwords >= self._config.number_of_password_prompts:
            return None
        self._passwords += 1
        prompt = f"{self._config.user}@{self._config.hostname}'s password:"
        return await self._operator.ask(Secret.PASSWORD, prompt, attempt=self._passwords)

    async def password_change_requested(self, prompt: str, lang: str) -> Any:
        """Leave a password that has expired to a terminal: what is typed there is shown to nobody else."""
        self._operator.tell("it wants another password first: log in with `ssh` and change it")
        return NotImplemented

    async def kbdint_auth_requested(self) -> str | None:
        """Let the host put questions, as often as NumberOfPasswordPrompts says."""
        if self._challenges >= self._config.number_of_password_prompts:
            return None
        self._challenges += 1
        self._rounds = 0
        return ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        """Put the host's questions to the operator, one after the other."""
        self._rounds += 1
        if self._rounds > MOST_PROMPTS or len(prompts) > MOST_PROMPTS:
            return None
        above = "\n".join(clean_text(text.strip(), BANNER) for text in (name, instructions) if text.strip())
        if above and not prompts:
            self._operator.tell(above)
        answers = []
        for prompt, echo in prompts:
            shown = clean_text(prompt.strip(), PROMPT)
            answer = await self._operator.ask(
                Secret.ANSWER, f"{above}\n{shown}" if above else shown, echo=echo, attempt=self._challenges
            )
            if answer is None:
                return None
            answers.append(answer)
        return answers
