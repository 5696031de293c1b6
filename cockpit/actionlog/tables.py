"""The tables of the chained log, as SQL, and the triggers that keep their rows as they are."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.actionlog.chain import GENESIS, RECORDS

CHAINED = "position integer not null unique, hash text not null"
CUT = "cut integer, cut_hmacs text"
"""How many secrets were cut out of the row's text before it was written, and keyed hashes of them, a JSON list."""

TABLES = {
    "sessions": "id text primary key, started_ns integer not null, user text not null, host text not null, tty text, "
    "sudo_user text, key_fingerprint text, pid integer not null, version text",
    "session_ends": "id integer primary key, session text not null, ended_ns integer not null, how text not null, "
    "recorded_by text not null",
    "actions": "id text primary key, session text not null, started_ns integer not null, kind text not null, "
    "incident text, actor text not null, origin text, target text not null, environment text not null, "
    "transport text, argv text not null, shell text, cwd text, reason text, ticket text, risk text not null, "
    f"decision text not null, reasons text, approvals text, undo text, {CUT}",
    "results": "id integer primary key, action text not null, recorded_ns integer not null, "
    "recorded_by text not null, ended_ns integer, state text not null, exit_status integer, signal text, error text, "
    "output_sha256 text, output_bytes integer not null, output_kept integer not null, stdout_sha256 text, "
    f"stdout_bytes integer, stderr_sha256 text, stderr_bytes integer, {CUT}",
    "output": "action text not null, seq integer not null, at_ns integer not null, pieces text not null, "
    f"codec text not null, size integer not null, sha256 text not null, data blob, {CUT}",
    "approvals": "id text primary key, session text not null, at_ns integer not null, kind text not null, "
    "request text, incident text, target text, actor text not null, asked text, expires_ns integer, approver text, "
    f"key_fingerprint text, signature text, remark text, {CUT}",
    "notes": "id text primary key, session text not null, at_ns integer not null, actor text not null, "
    f"incident text, action text, text text not null, {CUT}",
    "evidence": "id text primary key, session text not null, at_ns integer not null, actor text not null, "
    "incident text, kind text not null, title text not null, query text, start_ns integer, end_ns integer, "
    "media_type text not null, codec text not null, size integer not null, content_sha256 text not null, "
    f"sha256 text not null, body blob, {CUT}",
    "recordings": "id text primary key, session text not null, at_ns integer not null, action text not null, "
    "kind text not null, title text, term text, columns integer, rows integer",
    "checkpoints": "id integer primary key, session text not null, at_ns integer not null, "
    "of_position integer not null, of_hash text not null, statement text not null, key_fingerprint text, "
    "signature text, remark text",
    "tombstones": "id integer primary key, session text, at_ns integer not null, kind text not null, actor text, "
    "reason text not null, counts text not null, runs text, first integer, last integer, statement text not null, "
    "key_fingerprint text, signature text, remark text",
}
"""The columns of each record table, `CHAINED` beside them. Times are nanoseconds since the epoch, UTC."""

INDEXES = {
    "session_ends": ("session",),
    "actions": ("session", "started_ns", "incident, started_ns", "target, started_ns", "kind, started_ns"),
    "results": ("action",),
    "approvals": ("request",),
    "notes": ("at_ns", "incident, at_ns"),
    "evidence": ("at_ns", "incident, at_ns"),
    "recordings": ("action",),
}
MORE_INDEXES = (
    "create index actions_risk on actions (risk, started_ns)",
    "create index results_state on results (state)",
)
"""What lists are filtered by."""
UNIQUE = {"output": "action, seq"}
HEAD = (
    "create table chain_head (only integer primary key check (only = 1), position integer not null, "
    "hash text not null)",
    f"insert into chain_head values (1, 0, '{GENESIS}')",  # noqa: S608  our own constant
)
"""Where the chain ends: bookkeeping, so that a tail that was cut off is missed."""

ACTION_STATES = (
    "create view action_states as select a.rowid as place, a.*, s.user, s.host, s.tty, s.sudo_user, "
    "s.key_fingerprint, r.ended_ns, r.state, r.exit_status, r.signal, r.error, r.output_sha256, r.output_bytes, "
    "r.output_kept, r.stdout_sha256, r.stdout_bytes, r.stderr_sha256, r.stderr_bytes, r.cut as output_cuts "
    "from actions a left join sessions s on s.id = a.session "
    "left join results r on r.id = (select max(id) from results where action = a.id)"
)
"""Each action with who was at the keyboard and how it ended; the newest result counts."""


def create_table(table: str) -> str:
    """Return the SQL that makes a record table."""
    return f"create table {table} ({TABLES[table]}, {CHAINED})"


def create_indexes(table: str) -> Iterator[str]:
    """Yield the SQL that makes a table's indexes."""
    for number, columns in enumerate(INDEXES.get(table, ())):
        yield f"create index {table}_{number} on {table} ({columns})"
    if table in UNIQUE:
        yield f"create unique index {table}_unique on {table} ({UNIQUE[table]})"


def triggers() -> dict[str, str]:
    """Return the SQL of every trigger that keeps records as they are, by the trigger's name.

    `insert or replace` deletes without asking the trigger for that, hence one that looks for what it would replace.
    """
    made = {}
    for table in RECORDS:
        refuse = f"begin select raise(abort, 'records of {table} are never changed'); end"
        made[f"{table}_no_update"] = f"create trigger {table}_no_update before update on {table} {refuse}"
        made[f"{table}_no_delete"] = f"create trigger {table}_no_delete before delete on {table} {refuse}"
        same = "position = new.position or rowid = new.rowid"
        same += " or (action = new.action and seq = new.seq)" if table == "output" else " or id = new.id"
        replaced = f"when exists (select 1 from {table} where {same})"  # noqa: S608  our own names
        name = f"{table}_no_replace"
        made[name] = f"create trigger {name} before insert on {table} {replaced} {refuse}"
    return made
