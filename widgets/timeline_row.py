"""One entry of the time line as a row: when, how it ended, where, by whom, and what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from cockpit.actionlog.documents import command_of
from cockpit.actionlog.records import Action, Approval, Evidence, Note, Session, SessionEnd, State
from cockpit.actionlog.timeline import Entry
from cockpit.actions.command import Risk
from cockpit.signals import SECOND
from widgets.consent import RISK_MARK
from widgets.rows import Piece, columns, widest
from widgets.text import clock, duration, safe

DAY = 86_400 * SECOND
STATE = {
    State.RUNNING: ("▶", "info"),
    State.DONE: ("●", "ok"),
    State.FAILED: ("✖", "error"),
    State.CANCELLED: ("○", "muted"),
    State.DENIED: ("⊘", "warning"),
    State.INTERRUPTED: ("▲", "warning"),
    State.UNKNOWN_OUTCOME: ("?", "warning"),
}
"""A shape and a style for how an action ended."""
RISK_STYLE = {
    Risk.READ: "muted",
    Risk.CHANGE: "warning",
    Risk.UNKNOWN: "warning",
    Risk.DESTRUCTIVE: "critical",
}
PLACE_STYLE = {"production": "error", "disaster-recovery": "error", "staging": "warning"}
SHORT = {"production": "prod", "disaster-recovery": "dr", "staging": "stag", "development": "dev"}
ROOMY, WIDE = 100, 150
"""Cells from which there is room for who and how long, and from which nothing is shortened any more."""
WHAT = "command, note or evidence"
"""The name of the column that takes what is left."""


class Told(Struct, frozen=True, kw_only=True):
    """What a row says of an entry."""

    mark: str
    style: str
    word: str
    text: str
    actor: str = ""
    target: str = ""
    environment: str = ""
    exit: str = ""
    took: str = ""
    risk: str = ""
    incident: str = ""


def told(entry: Entry, now: int) -> Told:
    """Put an entry in words; none of them is safe to draw yet."""
    record = entry.record
    if isinstance(record, Action):
        return _action(record)
    if isinstance(record, Approval):
        return _approval(record, now)
    if isinstance(record, Note):
        text, incident = record.text, record.incident or ""
        return Told(mark="✎", style="accent", word="note", text=text, actor=record.actor, incident=incident)
    if isinstance(record, Evidence):
        text = record.title + ("" if record.kept else " (its content was pruned)")
        return Told(
            mark="◆",
            style="accent",
            word=record.kind,
            text=text,
            actor=record.actor,
            incident=record.incident or "",
        )
    if isinstance(record, Session):
        who = f"{record.user}@{record.host}"
        tty = f" on {record.tty}" if record.tty else ""
        return Told(mark="┌", style="muted", word="session", text=f"began{tty}", actor=who)
    died = record.how != "closed"
    text = f"ended: {record.how}" if died else "ended"
    return Told(mark="└", style="warning" if died else "muted", word="session", text=text)


def _action(action: Action) -> Told:
    mark, style = STATE[action.state]
    how = action.signal or ("" if action.exit_status is None else str(action.exit_status))
    ran = action.duration_s is not None and action.state not in (State.DENIED, State.CANCELLED)
    return Told(
        mark=mark,
        style=style,
        word="unknown" if action.state is State.UNKNOWN_OUTCOME else action.state.value,
        text=command_of(action),
        actor=action.actor,
        target=action.target,
        environment=action.environment,
        exit=how.removeprefix("SIG"),
        took=duration((action.duration_s or 0) * SECOND) if ran else "",
        risk=action.risk,
        incident=action.incident or "",
    )


def _approval(approval: Approval, now: int) -> Told:
    asked = asked_of(approval)
    if approval.answers:
        last = approval.answers[-1]
        mark, style, word = ("✔", "ok", "approved") if last.granted else ("✖", "error", "refused")
        by = f" · {last.approver}"
    else:
        gone = now >= approval.expires_ns
        mark, style, word = ("○", "muted", "expired") if gone else ("?", "warning", "asked")
        by = ""
    return Told(
        mark=mark,
        style=style,
        word=word,
        text=f"approval of {asked_line(asked)}{by}",
        actor=approval.actor,
        target=approval.target or "",
        environment=str(asked.get("environment", "")),
        risk=str(asked.get("risk", "")),
        incident=approval.incident or "",
    )


def asked_of(approval: Approval) -> dict[str, Any]:
    """Return what a second person was asked; empty where that can't be read."""
    try:
        read = json.loads(approval.asked)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def asked_line(asked: dict[str, Any]) -> str:
    """Return the command that a second person was asked about, in one line."""
    command = asked.get("command", "?")
    return " ".join(map(str, command)) if isinstance(command, list) else str(command)


class Layout(Struct, frozen=True):
    """How wide the columns are whose texts differ from log to log."""

    target: int = 6
    actor: int = 5


def laid(entries: Sequence[Entry]) -> Layout:
    """Give each column the cells that its texts ask for."""
    records = [entry.record for entry in entries if not isinstance(entry.record, SessionEnd | Session)]
    targets = (safe(getattr(record, "target", None) or "", 100) for record in records)
    return Layout(widest(targets, 6, 20), widest((safe(record.actor, 100) for record in records), 5, 20))


def draw(entry: Entry, width: int, now: int, layout: Layout) -> Sequence[Piece]:
    """Lay an entry out as a row."""
    said = told(entry, now)
    quiet = said.style == "muted"
    environment = said.environment if width >= WIDE else SHORT.get(said.environment, said.environment)
    known = said.risk in set(Risk)
    text = "muted" if quiet else "accent" if said.style == "accent" else ""
    texts = {
        " UTC": (f" {_time(entry.at, now)}", "muted"),
        "": (said.mark, said.style),
        "state": (safe(said.word, 20), said.style),
        "target": (safe(said.target, 100), "muted" if quiet else ""),
        "env": (safe(environment, 20), PLACE_STYLE.get(said.environment, "muted")),
        "exit": (safe(said.exit, 8), "error" if said.exit not in ("", "0") else "muted"),
        "took": (said.took, "muted"),
        "actor": (safe(said.actor, 100), "muted"),
        "incident": (safe(said.incident, 40), "accent"),
        " ": (RISK_MARK[Risk(said.risk)], RISK_STYLE[Risk(said.risk)]) if known else (" ", ""),
        WHAT: (safe(said.text, 1_000), text),
    }
    return columns(width, *((*texts[name], cells) for name, cells in _columns(width, layout)))


def header(width: int, layout: Layout) -> Sequence[Piece]:
    """Lay out the names of the columns."""
    return columns(width, *((name, "header", cells) for name, cells in _columns(width, layout)))


def _columns(width: int, layout: Layout) -> Sequence[tuple[str, int]]:
    """Return the columns that there is room for, and how wide each is."""
    roomy, wide = width >= ROOMY, width >= WIDE
    asked = [
        (" UTC", 12),
        ("", 1),
        ("state", 11 if roomy else 9),
        ("target", layout.target if roomy else min(10, layout.target)),
        ("env", 11 if wide else 4),
        ("exit", -4),
        ("took", -7 if roomy else None),
        ("actor", layout.actor if roomy else None),
        ("incident", 12 if wide else None),
        (" ", 1),
        (WHAT, 0),
    ]
    return [(name, cells) for name, cells in asked if cells is not None]


def _time(at: int, now: int) -> str:
    """Return the time of day, for another day its date as well, and for another year the date alone."""
    whole = clock(at, date=True)
    if at // DAY == now // DAY:
        return f"{'':3}{whole[11:]}"
    return whole[5:16] if whole[:4] == clock(now, date=True)[:4] else whole[:10]
