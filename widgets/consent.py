"""Before a command changes anything: what it is, where it lands, what it may do, and what lets it run.

Cancel has the focus, so that a key pressed in haste runs nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from cockpit.actions.command import Command, Risk
from cockpit.guard.judge import Assessment, Decision
from cockpit.guard.policy import Need, Reasons
from widgets.buttons import Buttons
from widgets.text import safe

DryRun = Callable[[Sequence[str]], Awaitable[str]]
"""Runs a command that only reads and returns what it printed; raises CockpitError."""

RISK_MARK = {Risk.READ: "·", Risk.CHANGE: "▲", Risk.UNKNOWN: "?", Risk.DESTRUCTIVE: "✖"}


class ConsentDialog(ModalScreen[Command | None]):
    """Shows a command before it runs and takes what it needs; dismissed with the command, or None for no.

    Args:
        command: What was asked for.
        assessment: What the guard thinks of it.
        reasons: What counts as an open reason.
        minutes: How long elevation lasts.
        dry_run: Runs the preview.
    """

    DEFAULT_CSS = """
    ConsentDialog {
        align: center middle;
        & > Vertical {
            width: 90%; max-width: 110; height: auto; max-height: 90%;
            border: heavy $warning; background: $surface; padding: 0 1;
        }
        & > Vertical.-production, & > Vertical.-disaster-recovery { border: heavy $error; }
        & > Vertical.-development { border: heavy $success; }
        & .consent--place { height: 1; text-style: bold; background: $boost; padding: 0 1; width: 1fr; }
        & VerticalScroll { height: auto; max-height: 16; }
        & VerticalScroll > Static { height: auto; }
        & .consent--row { height: 1; margin-top: 1; }
        & .consent--row > Label { width: 24; color: $text-muted; }
        & .consent--row > Input { width: 1fr; height: 1; border: none; padding: 0; background: $boost; }
        & .consent--row > Input:focus { background: $panel; text-style: bold; }
        & #consent-hint { height: auto; color: $text-warning; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(
        self, command: Command, assessment: Assessment, *, reasons: Reasons, minutes: int, dry_run: DryRun
    ) -> None:
        super().__init__()
        self.command = command
        self.assessment = assessment
        self._reasons = reasons
        self._minutes = minutes
        self._dry_run = dry_run
        self._denied = assessment.decision is Decision.DENY

    def compose(self) -> ComposeResult:
        """Lay the command over what it needs, and the buttons below."""
        with Vertical(classes=f"-{self.assessment.environment}"):
            yield Static(Content(safe(self._heading(), 200)), classes="consent--place")
            with VerticalScroll(can_focus=False):
                yield Static(
                    Content("\n".join(safe(line, 2_000) for line in self._lines())), id="consent-what"
                )
                yield Static("", id="consent-preview")
            if Need.REASON in self.assessment.requires:
                yield from self._field("reason", "incident or ticket", self._wanted_reason())
            if Need.NAME in self.assessment.requires:
                yield from self._field("name", "type its name", self.assessment.place)
            yield Static(Content(safe(self._what_is_asked(), 400)), id="consent-hint")
            with Buttons():
                yield Button("Cancel", id="consent-cancel", compact=True)
                if self.assessment.preview:
                    yield Button("Dry run", id="consent-dry-run", compact=True)
                if self._can_go_on:
                    label = "Break glass" if self._denied else "Run"
                    yield Button(label, id="consent-run", variant="error", compact=True)

    def on_mount(self) -> None:
        """Give the focus to Cancel."""
        self.query_one("#consent-cancel").focus()

    @property
    def _can_go_on(self) -> bool:
        """Whether the operator can give what is missing."""
        known = {need.value for need in Need}
        return bool(self.assessment.requires) and set(self.assessment.requires) <= known

    def _heading(self) -> str:
        return f"{self.assessment.environment.upper()} · {self.assessment.place}"

    def _lines(self) -> Iterator[str]:
        assessment = self.assessment
        yield f"$ {self.command.shell or shlex.join(self.command.argv)}"
        yield ""
        yield f"{RISK_MARK[assessment.risk]} {assessment.risk}"
        yield from (f"  {reason}" for reason in assessment.reasons)
        if assessment.undo:
            yield f"undo: {assessment.undo}"
        if assessment.preview:
            yield f"dry run: {shlex.join(assessment.preview)}"

    def _field(self, name: str, label: str, hint: str) -> ComposeResult:
        with Horizontal(classes="consent--row"):
            yield Label(label)
            yield Input(placeholder=hint, id=f"consent-{name}", compact=True)

    def _wanted_reason(self) -> str:
        return "INC-… or a change ticket" if self._reasons.ticket else "the incident that this belongs to"

    def _what_is_asked(self) -> str:
        requires = self.assessment.requires
        parts = []
        if self._denied:
            parts.append("denied here" if self._can_go_on else f"denied: needs {', '.join(requires)}")
        if Need.SECOND_PERSON in requires and self._can_go_on:
            parts.append("breaking the glass asks a second person for approval")
        if Need.ELEVATION in requires:
            parts.append(f"it elevates this session for {self._minutes} minutes")
        return " · ".join(parts)

    @on(Button.Pressed, "#consent-cancel")
    def action_cancel(self) -> None:
        """Run nothing."""
        self.dismiss(None)

    @on(Input.Submitted)
    @on(Button.Pressed, "#consent-run")
    def _go_on(self) -> None:
        """Take what was given, or say what is missing."""
        given = self.given()
        if isinstance(given, str):
            self.query_one("#consent-hint", Static).update(Content(safe(given, 400)))
        else:
            self.dismiss(given)

    def given(self) -> Command | str:
        """Return the command with all that it needs, or what is missing in words."""
        from msgspec.structs import replace

        command = self.command
        if Need.REASON in self.assessment.requires:
            text = self.query_one("#consent-reason", Input).value.strip()
            command = self._reasons.given(command, text)
            if not text or not self._reasons.open(command):
                return f"needs an open reason: {self._wanted_reason()}"
        if Need.NAME in self.assessment.requires:
            if self.query_one("#consent-name", Input).value.strip() != self.assessment.place:
                return f"type {self.assessment.place} to go on"
            command = replace(command, typed=self.assessment.place)
        return replace(command, confirmed=True, break_glass=Need.BREAK_GLASS in self.assessment.requires)

    @on(Button.Pressed, "#consent-dry-run")
    def _preview(self) -> None:
        self._show_preview()

    @work(exclusive=True, exit_on_error=False)
    async def _show_preview(self) -> None:
        from cockpit.errors import CockpitError

        shown = self.query_one("#consent-preview", Static)
        shown.update(Content("running the dry run…"))
        try:
            text = await self._dry_run(self.assessment.preview)
        except CockpitError as error:
            text = f"the dry run failed: {error}"
        lines = text.splitlines() or ["the dry run printed nothing"]
        shown.update(Content("\n".join(safe(line, 400) for line in lines[:200])))
