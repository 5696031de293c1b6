"""What panes tell the app, in the past tense. They travel up; the app answers through attributes going down.

They are dataclasses without the methods that nobody calls: each of those is compiled before the first paint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

from cockpit.evidence import Pin
from cockpit.source import Silencing

if TYPE_CHECKING:
    from widgets.ssh_questions import SshDialog


@dataclass(eq=False, match_args=False)
class ScopeNarrowed(Message):
    """A row was chosen: every pane is to follow it.

    Attributes:
        title: What the breadcrumb says for this step.
        changes: Fields of `cockpit.scope.Scope` and their new values.
    """

    title: str
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(eq=False, match_args=False)
class CursorMoved(Message):
    """The time cursor was moved to a moment in nanoseconds; None lets go of it."""

    moment: int | None


@dataclass(eq=False, match_args=False)
class FilterChanged(Message):
    """Another filter was typed into a pane's line."""


@dataclass(eq=False, match_args=False)
class TextCopied(Message):
    """Something was copied; the app hands it to the terminal's clipboard.

    Attributes:
        text: What.
        what: How the notice calls it.
    """

    text: str
    what: str


@dataclass(eq=False, match_args=False)
class EvidencePinned(Message):
    """What a pane shows was pinned as evidence; the app writes it to the action log."""

    pin: Pin


@dataclass(eq=False, match_args=False)
class Noticed(Message):
    """A pane has something to say in passing.

    Attributes:
        text: Plain text, no markup.
        severity: `information`, `warning` or `error`.
    """

    text: str
    severity: str = "information"


@dataclass(eq=False, match_args=False)
class ShellRequested(Message):
    """The operator asked for a shell on a host; empty asks for one on the current target."""

    host: str = ""


@dataclass(eq=False, match_args=False)
class SilenceRequested(Message):
    """The operator asked to hold alerts back; the app puts it through the executor's door.

    Attributes:
        source: The source that shall hold the silence.
        wanted: What is asked for.
        done: What to say when it is done.
    """

    source: str
    wanted: Silencing
    done: str = "silenced"


@dataclass(eq=False, match_args=False)
class SilenceEnded(Message):
    """The operator asked to end a silence now."""

    source: str
    silence_id: str


@dataclass(eq=False, match_args=False)
class ColumnsChosen(Message):
    """The operator chose which attributes of log records are columns.

    Attributes:
        files: The logs' paths; none for what sources bring.
        names: The attributes.
    """

    files: Sequence[str]
    names: Sequence[str]


@dataclass(eq=False, match_args=False)
class CommandEntered(Message):
    """A line was entered in the command bar.

    Attributes:
        text: The line.
        mode: `:` for a command of the cockpit's own, `!` for a shell line on the current target, `note` for a note.
    """

    text: str
    mode: str


@dataclass(eq=False, match_args=False)
class QuestionRaised(Message):
    """A connection asks something, by a dialog."""

    dialog: SshDialog


@dataclass(eq=False, match_args=False)
class QuestionWithdrawn(Message):
    """Nobody waits for an answer any more: the host gave up, or whoever wanted the connection."""

    dialog: SshDialog


@dataclass(eq=False, match_args=False)
class WordPassed(Message):
    """A connection has something to say in passing."""

    hop: str
    text: str
