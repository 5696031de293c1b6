"""The ssh-agent, told to which host it signs, and its keys."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from asyncssh.agent import SSHAgentClient, SSHAgentKeyPair
from asyncssh.packet import Boolean, String
from asyncssh.public_key import SSHCertificate, SSHKeyPair
from msgspec import Struct

_EXTENSION = 27

Touched = Callable[[], contextlib.AbstractContextManager[None]]
"""Says that a security key wants to be touched, for the length of a block."""


class Agent(SSHAgentClient):
    """An agent as OpenSSH's client uses it."""

    async def bind(self, host_key: bytes, session: bytes, signature: bytes) -> None:
        """Show the host's key and its signature over the session, so that keys meant for some hosts alone can sign.

        An agent that knows no such thing says so, and that is all.

        Raises:
            ValueError: There is no agent.
        """
        fields = (String("session-bind@openssh.com"), String(host_key), String(session), String(signature))
        await self._make_request(_EXTENSION, *fields, Boolean(False))

    async def offered(self, touched: Touched) -> list[AgentKey]:
        """Return the agent's keys.

        Raises:
            ValueError: There is no agent, or it answers nonsense.
        """
        return [AgentKey(self, key, touched) for key in await self.get_keys()]


class AgentKey(SSHAgentKeyPair):
    """A key in the agent; one that is a security key says when it wants to be touched."""

    def __init__(self, agent: Agent, key: SSHKeyPair, touched: Touched) -> None:
        super().__init__(agent, key.key_algorithm, key.key_public_data, key.get_comment_bytes() or b"")
        self._touched = touched

    def certified(self, certificate: SSHCertificate) -> AgentKey:
        """Return the key with a certificate that the agent does not have."""
        assert isinstance(self._agent, Agent)
        pair = AgentKey(self._agent, self, self._touched)
        pair.set_certificate(certificate)
        return pair

    def set_sig_algorithm(self, sig_algorithm: bytes) -> None:
        """Choose how to sign."""
        super().set_sig_algorithm(sig_algorithm)
        name_rsa_certificate(self, sig_algorithm)

    async def sign_async(self, data: bytes) -> bytes:
        """Have the agent sign.

        Raises:
            ValueError: It does not.
        """
        if not self.key_algorithm.startswith(b"sk-"):
            return await super().sign_async(data)
        with self._touched():
            return await super().sign_async(data)


def name_rsa_certificate(pair: SSHKeyPair, sig_algorithm: bytes) -> None:
    """Name an RSA certificate by how it signs, as OpenSSH has since 7.8; asyncssh tries the older name first."""
    if pair.has_cert and sig_algorithm.startswith(b"rsa-sha2-"):
        pair.algorithm = sig_algorithm + b"-cert-v01@openssh.com"


class Constraints(Struct, frozen=True, kw_only=True):
    """How the agent keeps a key: whether we ask first, it asks each time, and for how many seconds."""

    ask: bool = False
    confirm: bool = False
    lifetime: int | None = None


def constraints(add_keys_to_agent: str) -> Constraints | None:
    """Return what AddKeysToAgent says, as HostConfig has it; None for no."""
    words = add_keys_to_agent.split()
    if not words or words[0] == "no":
        return None
    lifetime = int(words[-1]) if words[-1].isdecimal() else 0
    return Constraints(ask=words[0] == "ask", confirm=words[0] == "confirm", lifetime=lifetime or None)
