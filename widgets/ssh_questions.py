"""What connections ask the operator: passwords and the like, and whether an unknown host key is the right one.

Connections live on a thread of their own; `cockpit.ssh.elsewhere` brings their questions to this loop. One dialog is
up at a time, and one whose connection has gone meanwhile closes itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from cockpit.ssh.asking import OfferedKey, Question, Secret, Verdict, accepts
from widgets.messages import QuestionRaised, QuestionWithdrawn, WordPassed
from widgets.secret_input import SecretInput
from widgets.text import safe

TITLES = {
    Secret.PASSWORD: "password",
    Secret.PASSPHRASE: "passphrase of a key",
    Secret.ANSWER: "the host asks",
}


class SshDialog(ModalScreen[None]):
    """A question of a connection; `answer` is called with what the operator says, at most once.

    Attributes:
        answered: Gets the answer.
    """

    DEFAULT_CSS = """
    SshDialog {
        align: center middle;
        & > Vertical {
            width: 90%; max-width: 90; height: auto; max-height: 90%;
            border: heavy $warning; background: $surface; padding: 0 1;
        }
        & .ssh--hop { height: 1; text-style: bold; background: $boost; padding: 0 1; width: 1fr; }
        & VerticalScroll { height: auto; max-height: 20; margin-bottom: 1; }
        & VerticalScroll > Static { height: auto; }
        & Input { width: 1fr; height: 1; border: none; background: $boost; padding: 0 1; }
        & Input:focus { background: $panel; text-style: bold; }
        & .ssh--hint { height: auto; color: $text-muted; margin-top: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "give up", show=False)]

    def __init__(self, answered: asyncio.Future[Any]) -> None:
        super().__init__()
        self.answered = answered
        self._over = self._left = False

    def answer(self, answer: object) -> None:
        """Hand over the answer, and leave."""
        if not self.answered.done():
            self.answered.set_result(answer)
        self.withdraw()

    def withdraw(self) -> None:
        """Leave; where another screen lies above, as soon as it is gone."""
        if not self._over:
            self._over = True
            self._leave()

    def on_screen_resume(self) -> None:
        """Leave where that could not be done before."""
        if self._over:
            self._leave()

    def _leave(self) -> None:
        if self.is_current and not self._left:
            self._left = True
            self.dismiss(None)

    def framed(
        self, heading: str, lines: Iterator[str], field: SecretInput | Input, hint: str
    ) -> ComposeResult:
        """Lay out the question over the field for its answer."""
        with Vertical():
            yield Static(Content(safe(heading, 200)), classes="ssh--hop")
            with VerticalScroll(can_focus=False):
                yield Static(Content("\n".join(safe(line, 500) for line in lines)))
            yield field
            yield Static(Content(hint), classes="ssh--hint")


class SecretDialog(SshDialog):
    """Asks for a password, a passphrase, or the answer to a host's own question."""

    def __init__(self, question: Question, answered: asyncio.Future[Any]) -> None:
        super().__init__(answered)
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay the prompt over the line that is typed into."""
        question = self._question
        yield from self.framed(
            f"{question.hop} · {TITLES[question.kind]}",
            self._lines(),
            SecretInput(echo=question.echo, id="ssh-secret"),
            "Enter hands it over; it is kept nowhere · Esc gives up",
        )

    def _lines(self) -> Iterator[str]:
        if self._question.attempt > 1:
            yield f"attempt {self._question.attempt}: what was given before was not right"
        yield from self._question.prompt.splitlines()

    @on(SecretInput.Submitted)
    def _hand_over(self) -> None:
        self.answer(self.query_one(SecretInput).take())

    def action_give_up(self) -> None:
        """Give no answer."""
        self.query_one(SecretInput).take()
        self.answer(None)

    def withdraw(self) -> None:
        """Leave, and forget what was typed."""
        for field in self.query(SecretInput):
            field.take()
        super().withdraw()


class HostKeyDialog(SshDialog):
    """Asks whether an unknown host key is the right one; no, unless that is typed out."""

    def __init__(self, key: OfferedKey, answered: asyncio.Future[Any]) -> None:
        super().__init__(answered)
        self._key = key

    def compose(self) -> ComposeResult:
        """Lay the key over the line that it is accepted by."""
        yield from self.framed(
            f"{self._key.hop} · unknown host key",
            self._lines(),
            Input(placeholder="yes, or the fingerprint", compact=True, id="ssh-accept"),
            "Compare it with what whoever runs the host says. `yes` in full or the fingerprint accepts it for good · "
            "Esc refuses",
        )

    def _lines(self) -> Iterator[str]:
        key = self._key
        yield f"{key.address} shows a key that no known_hosts file knows:"
        yield ""
        yield f"{key.algorithm}  {key.fingerprint}"
        yield from key.randomart.splitlines()

    @on(Input.Submitted)
    def _decide(self, event: Input.Submitted) -> None:
        if accepts(event.value, self._key):
            self.answer(True)
            return
        event.input.value = ""
        self.query_one(".ssh--hint", Static).update(
            Content("not accepted: type `yes` in full, or the fingerprint · Esc refuses")
        )

    def action_give_up(self) -> None:
        """Refuse the key."""
        self.answer(False)


class SshQuestions:
    """Asks on a screen, on its own loop, one question at a time.

    Args:
        app: The app, which shows what `QuestionRaised` brings.
        record: Puts what became of a host key into the action log.
    """

    def __init__(self, app: App[Any], record: Callable[[OfferedKey, Verdict], Awaitable[None]]) -> None:
        self._app = app
        self._record = record
        self._turn = asyncio.Lock()

    async def secret(self, question: Question) -> str | None:
        """Return what is typed; None where the operator gives up."""
        answer: str | None = await self._shown(lambda answered: SecretDialog(question, answered))
        return answer

    async def accept(self, key: OfferedKey) -> bool:
        """Return whether the operator typed out that a key is the right one."""
        return bool(await self._shown(lambda answered: HostKeyDialog(key, answered)))

    async def record(self, key: OfferedKey, verdict: Verdict) -> None:
        """Put what became of a host key into the action log."""
        await self._record(key, verdict)

    def tell(self, hop: str, text: str) -> None:
        """Say something in passing."""
        self._app.post_message(WordPassed(hop, text))

    async def _shown(self, make: Callable[[asyncio.Future[Any]], SshDialog]) -> Any:
        async with self._turn:
            answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            dialog = make(answered)
            self._app.post_message(QuestionRaised(dialog))
            try:
                return await answered
            finally:
                if not answered.done() or answered.cancelled():
                    self._app.post_message(QuestionWithdrawn(dialog))
