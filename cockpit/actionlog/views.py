"""Views named for people: what `sqlite3` or datasette show of the log without knowing its tables."""

# ruff: noqa: S608  all SQL here is of our own words
from __future__ import annotations


def _iso(column: str) -> str:
    """Return SQL for a time as RFC 3339, to the millisecond."""
    return (
        f"strftime('%Y-%m-%dT%H:%M:%S', {column} / 1000000000, 'unixepoch') "
        f"|| printf('.%03dZ', {column} / 1000000 % 1000)"
    )


def _command(row: str) -> str:
    """Return SQL for the command as a person would type it."""
    word = (
        "case when value <> '' and value not glob '*[^-A-Za-z0-9_@%+=:,./]*' then value "
        "else '''' || replace(value, '''', '''\"''\"''') || '''' end"
    )
    return f"coalesce({row}.shell, (select group_concat({word}, ' ') from json_each({row}.argv)))"


COMMANDS = (
    f"create view v_commands as select a.id, {_iso('a.started_ns')} as started, {_iso('a.ended_ns')} as ended, "
    "round((a.ended_ns - a.started_ns) / 1e9, 3) as seconds, a.actor, a.target, a.environment, "
    f"{_command('a')} as command, a.kind, a.risk, a.decision, "
    "(select group_concat(value, '; ') from json_each(coalesce(a.reasons, '[]'))) as why, "
    "coalesce(a.state, 'running or interrupted') as state, a.exit_status, a.signal, a.error, a.reason, a.ticket, "
    "a.incident, a.output_bytes, a.undo, a.session, a.position from action_states a order by a.position"
)

_TIMELINE = (
    {
        "from": "sessions t",
        "at": "t.started_ns",
        "what": "'session began'",
        "text": "t.user || '@' || t.host",
        "detail": "nullif(t.tty, '')",
        "actor": "t.user || '@' || t.host",
        "session": "t.id",
        "id": "t.id",
    },
    {
        "from": "session_ends t left join sessions s on s.id = t.session",
        "at": "t.ended_ns",
        "what": "'session ended'",
        "text": "t.how",
        "actor": "s.user || '@' || s.host",
        "session": "t.session",
        "id": "t.session",
    },
    {
        "from": "actions t",
        "at": "t.started_ns",
        "what": "t.kind",
        "target": "t.target",
        "text": _command("t"),
        "detail": "t.risk || ', ' || t.decision || coalesce(': ' || t.reason, '')",
        "actor": "t.actor",
        "incident": "t.incident",
        "session": "t.session",
        "id": "t.id",
    },
    {
        "from": "results t left join actions a on a.id = t.action",
        "at": "coalesce(t.ended_ns, t.recorded_ns)",
        "what": "'ended'",
        "target": "a.target",
        "text": "t.state || coalesce(', exit ' || t.exit_status, '') || coalesce(', ' || t.signal, '')",
        "detail": "t.error",
        "actor": "a.actor",
        "incident": "a.incident",
        "session": "a.session",
        "id": "t.action",
    },
    {
        "from": "notes t",
        "at": "t.at_ns",
        "what": "'note'",
        "text": "t.text",
        "detail": "t.action",
        "actor": "t.actor",
        "incident": "t.incident",
        "session": "t.session",
        "id": "t.id",
    },
    {
        "from": "evidence t",
        "at": "t.at_ns",
        "what": "'evidence'",
        "text": "t.title",
        "detail": "t.kind || coalesce(': ' || t.query, '')",
        "actor": "t.actor",
        "incident": "t.incident",
        "session": "t.session",
        "id": "t.id",
    },
    {
        "from": "approvals t",
        "at": "t.at_ns",
        "what": "'approval ' || t.kind",
        "target": "t.target",
        "text": "coalesce(t.asked, t.remark, '')",
        "detail": "t.request",
        "actor": "coalesce(t.approver, t.actor)",
        "incident": "t.incident",
        "session": "t.session",
        "id": "t.id",
    },
    {
        "from": "tombstones t",
        "at": "t.at_ns",
        "what": "'pruned: ' || t.kind",
        "text": "t.reason",
        "detail": "t.counts",
        "actor": "t.actor",
        "session": "t.session",
        "id": "cast(t.id as text)",
    },
)
_COLUMNS = ("what", "target", "text", "detail", "actor", "incident", "session", "id")

TIMELINE = (
    "create view v_timeline as "
    + " union all ".join(
        f"select {_iso(part['at'])} as at, "
        + ", ".join(f"{part.get(column, 'null')} as {column}" for column in _COLUMNS)
        + f", t.position as position from {part['from']}"
        for part in _TIMELINE
    )
    + " order by position"
)
"""Everything that happened, in the order it was written down; each part is read by its index, none is sorted."""
