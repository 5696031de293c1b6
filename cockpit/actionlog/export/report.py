"""What a report says, whichever form it has: its head, an action's fields, a moment of the time line."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.actionlog.documents import command_of
from cockpit.actionlog.export.facts import Facts
from cockpit.actionlog.export.snapshot import Entry, Snapshot
from cockpit.actionlog.plain import Text
from cockpit.actionlog.records import Action, Answer, Approval, Evidence, Note, Session, State
from cockpit.actions.transport import Stream
from cockpit.errors import UsageError
from cockpit.hygiene import clean_text
from cockpit.signals import rfc3339

FIRST, LAST = 48 * 1024, 16 * 1024
"""Bytes of an action's output that a report shows: of its beginning, and of its end."""
MOST_EVIDENCE = 256 * 1024
"""Characters of a piece of evidence that a report shows."""
MOST_TEXT = 64 * 1024
"""Characters of any other text."""


def text(value: str) -> str:
    """Return text without control characters, at a length that a report bears."""
    return clean_text(value.encode(errors="replace").decode(), MOST_TEXT)


def line(value: str) -> str:
    """Return text on one line."""
    return text(value).replace("\n", "␊").replace("\t", " ")


def title(facts: Facts) -> str:
    """Return what the report is about."""
    if "incident" in facts.chosen:
        return line(f"Incident {facts.chosen['incident']}")
    if "session" in facts.chosen:
        return line(f"Session {facts.chosen['session']}")
    return "What was done"


def head(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield what stands at the top, each a name and a value."""
    span = f"{second(facts.first_at)} to {second(facts.last_at)}" if facts.first_at and facts.last_at else ""
    counts = ", ".join(
        f"{facts.counts[table]:,} {table}"
        for table in ("sessions", "actions", "notes", "evidence", "approvals")
        if facts.counts.get(table)
    )
    chosen = ", ".join(f"{name} {value}" for name, value in facts.chosen.items()) or "everything"
    for name, value in (
        ("actions begun (UTC)", span),
        ("who", ", ".join(facts.actors)),
        ("targets", ", ".join(facts.targets)),
        ("incidents", ", ".join(facts.incidents)),
        ("holds", counts),
        ("chosen by", chosen),
        ("exported", f"{second(facts.made_at)} UTC by {facts.made_by}, cockpit {facts.version}"),
        ("recorded as", facts.action),
        ("output", "" if facts.with_output else "left out"),
    ):
        if value:
            yield name, line(value)


def fields(action: Action) -> Iterator[tuple[str, str]]:
    """Yield what is to be said about an action beside its command, each a name and a value."""
    cut = f", {action.output_cut:,} of them not kept" if action.output_cut else ""
    redacted = f"{action.redacted} secrets" if action.redacted > 1 else "a secret"
    for name, value in (
        ("target", f"{action.target} ({action.environment})"),
        ("actor", action.actor),
        ("risk", action.risk),
        ("decision", "; ".join((action.decision, *action.reasons))),
        ("approvals", ", ".join(action.approvals)),
        ("reason", action.reason),
        ("ticket", action.ticket),
        ("incident", action.incident),
        ("directory", action.cwd),
        ("started", f"{stamp(action.started_at)} UTC"),
        ("took", took(action)),
        ("ended", ending(action)),
        ("remark", action.error),
        ("undo", action.undo),
        ("output", f"{action.output_bytes:,} bytes{cut}" if action.output_bytes else None),
        ("output SHA-256", action.output_sha256 if action.output_bytes else None),
        ("cut out", redacted if action.redacted else None),
        ("origin", action.origin if action.origin != "operator" else None),
        ("kind", action.kind if action.kind != "command" else None),
        ("session", action.session),
        ("action", action.id),
        ("record", f"position {action.position:,}, {action.hash}"),
    ):
        if value:
            yield name, line(value)


def command(action: Action) -> str:
    """Return the command, which may have several lines."""
    return text(command_of(action))


def ending(action: Action) -> str:
    """Return how an action ended, in a few words."""
    if action.signal is not None:
        return f"{action.state.value}, {action.signal}"
    return (
        action.state.value
        if action.exit_status is None
        else f"{action.state.value}, exit {action.exit_status}"
    )


def took(action: Action) -> str:
    """Return how long an action took."""
    return "" if action.duration_s is None else f"{action.duration_s:.3f} s"


def is_bad(action: Action) -> bool:
    """Return whether an action came to no good end."""
    return action.state not in (State.DONE, State.RUNNING)


def moment(entry: Entry) -> tuple[str, str, str, str]:
    """Return a line of the time line: when, what, where or who, and in which words."""
    if isinstance(entry, Action):
        said = f"{command(entry)}  → {ending(entry)}"
        return stamp(entry.started_at), entry.kind, line(entry.target), line(said)
    if isinstance(entry, Note):
        return stamp(entry.at), "note", line(entry.actor), line(entry.text)
    if isinstance(entry, Evidence):
        return stamp(entry.at), f"evidence: {line(entry.kind)}", line(entry.actor), line(entry.title)
    if isinstance(entry, Approval):
        answers = ", ".join(answer(one) for one in entry.answers) or "no answer"
        return stamp(entry.at), "approval asked for", line(entry.actor), line(answers)
    if isinstance(entry, Session):
        who = f"{entry.user}@{entry.host}" + (f" (sudo by {entry.sudo_user})" if entry.sudo_user else "")
        key = f", key {entry.key_fingerprint}" if entry.key_fingerprint else ""
        return stamp(entry.at), "session began", line(who), line(f"{entry.id}{key}")
    return stamp(entry.at), "session ended", "", line(f"{entry.session}, {entry.how}")


def answer(one: Answer) -> str:
    """Return what a second person said."""
    said = "granted" if one.granted else "refused"
    remark = f": {one.remark}" if one.remark else ""
    return f"{said} by {one.approver} with {one.key_fingerprint} at {second(one.at)}{remark}"


def about(evidence: Evidence) -> str:
    """Return what a piece of evidence is, but for its content."""
    parts = [f"{evidence.kind}, pinned {stamp(evidence.at)} by {evidence.actor}"]
    if evidence.query:
        parts.append(f"query: {evidence.query}")
    if evidence.start_ns is not None and evidence.end_ns is not None:
        parts.append(f"{rfc3339(evidence.start_ns, digits=3)} to {rfc3339(evidence.end_ns, digits=3)}")
    parts.append(f"{evidence.media_type}, {evidence.size:,} bytes, SHA-256 {evidence.content_sha256}")
    return line("; ".join(parts))


def shown(snapshot: Snapshot, action: Action) -> Iterator[tuple[str, str]]:
    """Yield an action's output, bounded, as plain text: (`stdout`, `stderr` or `gap`, text)."""
    streams: dict[Stream, Text] = {}
    for chunk in snapshot.excerpt(action.id, FIRST, LAST):
        if isinstance(chunk, int):
            yield from _rests(streams)
            yield "gap", f"\n… {chunk:,} bytes left out …\n"
            continue
        said = streams.setdefault(chunk.stream, Text()).feed(chunk.data)
        if said:
            yield chunk.stream.value, said
    yield from _rests(streams)


def _rests(streams: dict[Stream, Text]) -> Iterator[tuple[str, str]]:
    for stream, held in streams.items():
        if rest := held.feed(b"", last=True):
            yield stream.value, rest
    streams.clear()


def content(snapshot: Snapshot, evidence: Evidence) -> bytes | None:
    """Return the content of a piece of evidence; None where it was pruned."""
    try:
        return snapshot.evidence_body(evidence.id)
    except UsageError:
        return None


def as_text(body: bytes) -> str:
    """Return evidence as text, bounded."""
    said = Text().feed(body[: 4 * MOST_EVIDENCE], last=True)
    return clean_text(said, MOST_EVIDENCE)


def stamp(at: str) -> str:
    """Return a time to the millisecond."""
    return f"{at[:10]} {at[11:23]}"


def second(at: str) -> str:
    """Return a time to the second."""
    return f"{at[:10]} {at[11:19]}"
