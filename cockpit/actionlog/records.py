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
        reason: The operator's words on why it was run.
        started_at: When the intent was recorded, RFC 3339 in UTC; the command starts after that.
        ended_at: When the command ended; None while it runs, and where that isn't known.
        output_sha256: Of all output in the order it came, also what was not kept; None before there is a result.
        output_bytes: Of all output.
        output_kept: Bytes that are in the log.
        output_cut: Bytes that are not: beyond the bound, or not to be written.
        hash: This row's link in the hash chain; None where there is none.
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
    hash: str | None
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
