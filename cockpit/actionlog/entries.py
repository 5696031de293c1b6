"""Rows of the log, made of what was asked and said, with the secrets cut out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from cockpit.actionlog.capture import Packer
from cockpit.actionlog.redacting import Cleaner, as_sqlite, cut_columns
from cockpit.actions.command import Command, Risk
from cockpit.guard.judge import Decision
from cockpit.guard.redact import Cuts


class Intent(Struct, frozen=True, kw_only=True):
    """A command and what was decided about it."""

    command: Command
    risk: Risk
    decision: Decision
    reasons: tuple[str, ...] = ()
    undo: str = ""
    approvals: tuple[str, ...] = ()


def intent_row(action: str, session: str, started: int, intent: Intent, cleaner: Cleaner) -> dict[str, Any]:
    """Return the row of `actions` for an intent."""
    command, cuts = intent.command, Cuts()
    texts = {
        "incident": command.incident,
        "actor": command.actor,
        "target": command.target.name,
        "shell": command.shell,
        "cwd": command.cwd,
        "reason": command.reason,
        "ticket": command.ticket,
        "undo": intent.undo,
    }
    row = {
        "id": action,
        "session": session,
        "started_ns": started,
        "kind": command.kind.value,
        "origin": command.origin.value,
        "environment": command.target.environment.value,
        "transport": command.target.transport,
        "argv": cleaner.words(command.argv, cuts),
        "risk": intent.risk.value,
        "decision": intent.decision.value,
        "reasons": cleaner.texts(intent.reasons, cuts),
        "approvals": json.dumps(intent.approvals) if intent.approvals else None,
        **cleaner.row(texts, cuts),
    }
    return row | cut_columns(cuts)


def entry(
    own: Mapping[str, Any], texts: Mapping[str, str], body: bytes | None, cleaner: Cleaner
) -> dict[str, Any]:
    """Return a row that stands for itself: a note, evidence, or what was asked and said about an approval."""
    cuts = Cuts()
    row = {name: as_sqlite(value) if isinstance(value, str) else value for name, value in own.items()}
    row |= cleaner.row(texts, cuts)
    if body is not None:
        row |= _content(body, cleaner, cuts)
    return row | cut_columns(cuts)


def _content(body: bytes, cleaner: Cleaner, cuts: Cuts) -> dict[str, Any]:
    try:
        body.decode()
    except UnicodeDecodeError:
        kept = body
    else:
        kept = cleaner.data(body, cuts)
    codec, size, stored = Packer().pack(kept)
    return {
        "codec": codec,
        "size": size,
        "content_sha256": hashlib.sha256(kept).hexdigest(),
        "sha256": hashlib.sha256(stored).hexdigest(),
        "body": stored,
    }


def as_text(asked: Mapping[str, Any]) -> str:
    """Return a request as the text that is signed: JSON, its keys in order."""
    return json.dumps(asked, sort_keys=True, ensure_ascii=True, indent=1)
