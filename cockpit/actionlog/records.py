"""What the action log holds, by the names that `cockpit log show --json` prints."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from cockpit.actions.transport import Stream


class State(StrEnum):
    """How far an action came.

    `interrupted` and `unknown-outcome` both say: look at the target before doing it again. The first means that the
    cockpit itself was gone before the end, the second that the other side never said how it ended.
    """

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DENIED = "denied"
    INTERRUPTED = "interrupted"
    UNKNOWN_OUTCOME = "unknown-outcome"


class Result(Struct, frozen=True, kw_only=True):
    """How a command ended, to be recorded after its intent.

    Attributes:
        exit_status: What the command returned; None where it didn't.
        signal: The name of the signal that ended it.
        error: What else is to be said about the end, in one line.
    """

    state: State
    exit_status: int | None = None
    signal: str | None = None
    error: str | None = None


class Action(Struct, frozen=True, kw_only=True):
    """One action: its intent, and its result as far as there is one.

    Attributes:
        id: A ULID; actions of one session sort by it.
        session: The cockpit process that ran it, a ULID.
        reasons: Why the guard decided so.
        approvals: Ids of the requests for approval that were granted for it.
        reason: The operator's words on why it was run.
        started_at: When the intent was recorded, RFC 3339 in UTC; the command starts after that.
        ended_at: When the command ended; None while it runs, and where that isn't known.
        output_sha256: Of all output in the order it was written down, its secrets cut, also what was not kept; None
            before there is a result.
        output_bytes: Of all that.
        output_kept: Bytes that are in the log.
        output_cut: Bytes that are not: beyond the bound, or not to be written.
        hash: The link in the hash chain of the row that holds the intent.
        position: That row's place in the chain.
        kind: What sort of action it is: `command`, `elevation`, `export` …
        user: The account behind it.
        host: The machine of the cockpit.
        tty: The cockpit's terminal.
        sudo_user: The account that became `user` by sudo.
        key_fingerprint: Of the SSH key that the operator signs with.
        undo: How it is undone, where that is known.
        redacted: Secrets cut out of the intent, and of the output.
    """

    id: str
    session: str
    incident: str | None
    actor: str
    target: str
    environment: str
    argv: tuple[str, ...]
    shell: str | None
    risk: str
    decision: str
    approvals: tuple[str, ...]
    started_at: str
    ended_at: str | None
    exit_status: int | None
    signal: str | None
    state: State
    output_sha256: str | None
    output_bytes: int
    hash: str
    position: int
    kind: str
    user: str | None
    host: str | None
    tty: str | None
    sudo_user: str | None
    key_fingerprint: str | None
    undo: str | None
    stdout_sha256: str | None
    stdout_bytes: int
    stderr_sha256: str | None
    stderr_bytes: int
    redacted: int
    reasons: tuple[str, ...]
    reason: str | None
    ticket: str | None
    origin: str
    cwd: str | None
    transport: str
    error: str | None
    output_kept: int
    output_cut: int
    duration_s: float | None


class Chunk(Struct, frozen=True, kw_only=True):
    """A piece of a command's output."""

    at: int
    """When it came, in nanoseconds since the epoch."""
    stream: Stream
    data: bytes


class Recorded(StrEnum):
    """What happened at a place in a recording."""

    TERMINAL = "terminal"
    """It begins, on a terminal of that size."""
    RESIZE = "resize"
    """The terminal got another size."""
    COMMAND = "command"
    """A line was typed that became an action of its own."""


class Recording(Struct, frozen=True, kw_only=True):
    """A place in the recording of an interactive shell.

    Attributes:
        at: When, in nanoseconds since the epoch.
        at_byte: How many bytes of the recording come before.
        action: The shell's action, whose output the recording is.
        command: The action of the line that was typed.
        title: What to call it.
        term: The terminal's name.
    """

    id: str
    at: int
    at_byte: int
    action: str
    what: Recorded
    command: str | None
    title: str | None
    term: str | None
    columns: int | None
    rows: int | None


class Note(Struct, frozen=True, kw_only=True):
    """What an operator wrote down."""

    id: str
    session: str
    at: str
    actor: str
    incident: str | None
    action: str | None
    """The action it is about."""
    text: str
    hash: str


class Evidence(Struct, frozen=True, kw_only=True):
    """What was pinned, but for its content, which `ActionReader.evidence_body` reads."""

    id: str
    session: str
    at: str
    actor: str
    incident: str | None
    kind: str
    title: str
    query: str | None
    start_ns: int | None
    end_ns: int | None
    media_type: str
    size: int
    content_sha256: str
    """Of the content as it is kept."""
    kept: bool
    """Whether the content is there; pruning may have dropped it."""
    hash: str


class Answer(Struct, frozen=True, kw_only=True):
    """What a second person said to a request."""

    id: str
    at: str
    granted: bool
    approver: str
    key_fingerprint: str
    signature: str
    remark: str | None
    hash: str


class Approval(Struct, frozen=True, kw_only=True):
    """A request to a second person, and the answers to it."""

    id: str
    session: str
    at: str
    actor: str
    incident: str | None
    target: str | None
    asked: str
    """The request as it is signed, JSON."""
    expires_ns: int
    answers: tuple[Answer, ...]
    hash: str


class Session(Struct, frozen=True, kw_only=True):
    """The beginning of a session: one run of the cockpit, or of one of its verbs."""

    id: str
    at: str
    user: str
    host: str
    tty: str | None
    sudo_user: str | None
    key_fingerprint: str | None
    version: str | None
    hash: str


class SessionEnd(Struct, frozen=True, kw_only=True):
    """The end of a session."""

    session: str
    at: str
    how: str
    """`closed`, or `died` where its process was gone."""
    hash: str
