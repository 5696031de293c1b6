"""What a connection may have to ask a person: secrets, and whether an unknown host key is the right one.

Answers are handed to the other side and forgotten; nothing here is stored or logged.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class Secret(StrEnum):
    """What kind of answer is wanted."""

    PASSWORD = "password"  # noqa: S105  a kind, none itself
    PASSPHRASE = "passphrase"  # noqa: S105
    ANSWER = "answer"
    """To a question of the host's own (keyboard-interactive), such as a one-time code."""


class Question(Struct, frozen=True, kw_only=True):
    """One thing that a person is asked.

    Attributes:
        hop: Who asks, as the operator named it.
        kind: What kind of answer is wanted.
        prompt: The host's words, or ours; hostile where they are the host's, so shown cleaned.
        echo: Whether what is typed may be shown.
        attempt: From 1; above 1 the answers before were wrong.
    """

    hop: str
    kind: Secret
    prompt: str
    echo: bool = False
    attempt: int = 1


class OfferedKey(Struct, frozen=True, kw_only=True):
    """A host key that no known_hosts file knows.

    Attributes:
        hop: The host as the operator named it.
        address: The name or address and port that were connected to, as known_hosts writes them.
        algorithm: Such as `ssh-ed25519`.
        fingerprint: `SHA256:` and the base64 of the hash, as `ssh-keygen -l` prints it.
        randomart: The picture that `ssh-keygen -lv` draws; empty where none was made.
        known: Key types that are known for this host already, though not this one.
    """

    hop: str
    address: str
    algorithm: str
    fingerprint: str
    randomart: str = ""
    known: tuple[str, ...] = ()


class Asker(Protocol):
    """Asks the operator; every method is called on the connections' own loop."""

    async def secret(self, question: Question) -> str | None:
        """Return the answer; None where the operator gives up, or nobody can be asked."""
        ...

    async def accept(self, key: OfferedKey) -> bool:
        """Return whether an unknown host key is the right one; the answer is recorded before it returns."""
        ...

    def tell(self, hop: str, text: str) -> None:
        """Say something in passing: a banner, or that a security key waits to be touched."""
        ...


class Nobody:
    """Asks nobody: every question is answered with no."""

    async def secret(self, question: Question) -> str | None:
        """Give no answer."""
        return None

    async def accept(self, key: OfferedKey) -> bool:
        """Accept no key."""
        return False

    def tell(self, hop: str, text: str) -> None:
        """Say nothing."""
