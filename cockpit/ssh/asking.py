"""What a connection may have to ask a person: secrets, and whether an unknown host key is the right one.

Answers are handed to the other side and forgotten; nothing here is stored or logged.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

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
    """A host key that has to be decided on.

    Attributes:
        hop: The host as the operator named it.
        address: The name or address and port that were connected to, as known_hosts writes them.
        algorithm: Such as `ssh-ed25519`.
        fingerprint: `SHA256:` and the base64 of the hash, as `ssh-keygen -l` prints it.
        randomart: The picture that `ssh-keygen -lv` draws; empty where none was made.
    """

    hop: str
    address: str
    algorithm: str
    fingerprint: str
    randomart: str = ""


def accepts(answer: str | None, key: OfferedKey) -> bool:
    """Tell whether what was typed accepts a key: `yes` in full, or its fingerprint."""
    return (answer or "").strip() in {"yes", key.fingerprint}


class Verdict(StrEnum):
    """What became of a host key that no known_hosts file knows, or that one knows to be wrong."""

    ACCEPTED = "accepted"
    """By the operator."""
    ACCEPTED_UNASKED = "accepted-unasked"
    """As `StrictHostKeyChecking accept-new` has it."""
    DECLINED = "declined"
    """By the operator, or as there was nobody to ask."""
    CHANGED = "changed"
    REVOKED = "revoked"


class Asker(Protocol):
    """Asks the operator; every method is called on the connections' own loop."""

    async def secret(self, question: Question) -> str | None:
        """Return the answer; None where the operator gives up, or nobody can be asked."""
        ...

    async def accept(self, key: OfferedKey) -> bool:
        """Return whether an unknown host key is the right one."""
        ...

    async def record(self, key: OfferedKey, verdict: Verdict) -> None:
        """Put what became of a host key into the action log, before anything follows from it.

        Raises:
            ActionLogError: It can't be recorded, so the key must not be used.
        """
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

    async def record(self, key: OfferedKey, verdict: Verdict) -> None:
        """Record nothing."""

    def tell(self, hop: str, text: str) -> None:
        """Say nothing."""


class Unasked:
    """Stands in for another while nobody waits for the answer: gives none, and notes what it was asked.

    Attributes:
        wanted: What a person is needed for; empty where nothing was asked.
    """

    def __init__(self, asker: Asker) -> None:
        self.wanted = ""
        self._asker = asker

    async def secret(self, question: Question) -> str | None:
        """Note the question."""
        self.wanted = f"a {question.kind}" if question.kind != "answer" else "an answer"
        return None

    async def accept(self, key: OfferedKey) -> bool:
        """Note the key."""
        self.wanted = "a decision about its host key"
        return False

    async def record(self, key: OfferedKey, verdict: Verdict) -> None:
        """Leave it to the one who is asked in earnest: nothing follows from what was not decided."""
        if verdict in {Verdict.ACCEPTED_UNASKED, Verdict.CHANGED, Verdict.REVOKED}:
            await self._asker.record(key, verdict)

    def tell(self, hop: str, text: str) -> None:
        """Say nothing."""


class Patience:
    """A time-out that stands still while a person is asked, as `async with` block.

    Args:
        seconds: How long the block may take, without what people take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)
        self._asking = 0
        self._left = seconds

    async def __aenter__(self) -> Self:
        self._timeout = asyncio.timeout(self._seconds)
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._timeout.__aexit__(kind, error, trace)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let the time-out stand still for the length of a block."""
        now = asyncio.get_running_loop().time
        self._asking += 1
        if self._asking == 1:
            self._left = (self._timeout.when() or now()) - now()
            self._timeout.reschedule(None)
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking and not self._timeout.expired():
                with contextlib.suppress(RuntimeError):  # the block is over
                    self._timeout.reschedule(now() + self._left)


class Operator:
    """Asks on behalf of one hop; while it does, the hop's time-out stands still.

    Args:
        hop: The hop, as the operator named it.
        asker: Asks.
        patience: What stands still.

    Attributes:
        unanswered: What was asked for last and not given; empty where all was.
    """

    def __init__(self, hop: str, asker: Asker, patience: Patience) -> None:
        self.hop = hop
        self.unanswered = ""
        self._asker = asker
        self._patience = patience

    async def ask(self, kind: Secret, prompt: str, *, echo: bool = False, attempt: int = 1) -> str | None:
        """Return the answer to a question, which nobody keeps; None where there is none."""
        question = Question(hop=self.hop, kind=kind, prompt=prompt, echo=echo, attempt=attempt)
        with self._patience.paused():
            answer = await self._asker.secret(question)
        self.unanswered = kind.value if answer is None else ""
        return answer

    def tell(self, text: str) -> None:
        """Say something in passing."""
        self._asker.tell(self.hop, text)

    def waited_for(self) -> contextlib.AbstractContextManager[None]:
        """Let the time-out stand still for the length of a block in which something waits for a person."""
        return self._patience.paused()
