"""What stands at the head of an export: who, when, where, about what, and how far the record can be trusted."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from msgspec import Struct

from cockpit import __version__
from cockpit.actionlog.checkpoints import Checkpoint
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.actionlog.findings import Report
from cockpit.signals import rfc3339

MOST_NAMES = 100
"""Names of one sort that are listed; more are counted."""


class Integrity(Struct, frozen=True, kw_only=True):
    """How far the record can be trusted.

    Attributes:
        position: Where the chain ended when this was exported.
        hash: The hash there.
        checkpoint: The newest checkpoint that the log holds, and its signature.
        verified: What verifying the whole log came to; None where that was not asked for.
    """

    position: int
    hash: str
    checkpoint: Checkpoint | None
    verified: Report | None


class Facts(Struct, frozen=True, kw_only=True):
    """The head of an export.

    Attributes:
        made_at: When, RFC 3339 in UTC.
        made_by: Who exported it.
        version: By which cockpit.
        action: The action in the log that says that this was exported.
        chosen: What was asked for, by the names of the filters.
        first_at: When the first action that is in it began.
        last_at: When the last one did.
        actors: Who acted.
        targets: Where, each as `name (environment)`.
        incidents: What for.
        counts: How many records of each sort.
        with_output: Whether what commands printed is in it.
    """

    made_at: str
    made_by: str
    version: str
    action: str
    chosen: dict[str, str]
    first_at: str | None
    last_at: str | None
    actors: tuple[str, ...]
    targets: tuple[str, ...]
    incidents: tuple[str, ...]
    counts: dict[str, int]
    with_output: bool
    integrity: Integrity


def chosen(snapshot: Snapshot) -> dict[str, str]:
    """Return what was asked for, as words."""
    asked: dict[str, Any] = msgspec.to_builtins(snapshot.filters)
    times = {name: asked.pop(f"{name}_ns") for name in ("since", "until")}
    said = {name: rfc3339(at) for name, at in times.items() if at is not None}
    return said | {name: value for name, value in asked.items() if value}


def gather(
    snapshot: Snapshot, *, made_by: str, action: str, with_output: bool, verified: Report | None
) -> Facts:
    """Return the facts about what was chosen.

    Args:
        snapshot: What was chosen.
        made_by: Who exports it.
        action: The record of the export.
        with_output: Whether output is in it.
        verified: What verifying the log came to.
    """
    begun = "select {0}(started_ns) from actions where position in (select position from temp.chosen)"
    first, last = snapshot.value(begun.format("min")), snapshot.value(begun.format("max"))
    end = snapshot.head()
    return Facts(
        made_at=rfc3339(time.time_ns()),
        made_by=made_by,
        version=__version__,
        action=action,
        chosen=chosen(snapshot),
        first_at=None if first is None else rfc3339(first),
        last_at=None if last is None else rfc3339(last),
        actors=_names(snapshot, "actor"),
        targets=_names(snapshot, "target || ' (' || environment || ')'"),
        incidents=_names(snapshot, "incident"),
        counts=dict(snapshot.counts),
        with_output=with_output,
        integrity=Integrity(
            position=end.position, hash=end.hash, checkpoint=_newest(snapshot), verified=verified
        ),
    )


def _names(snapshot: Snapshot, column: str) -> tuple[str, ...]:
    """Return the different values of a column, at most so many, and how many more there are."""
    which = f"from actions where position in (select position from temp.chosen) and {column} is not null"  # noqa: S608
    rows = snapshot.select(f"select distinct {column} as name {which} order by 1 limit {MOST_NAMES}")
    names = tuple(row["name"] for row in rows)
    count = snapshot.value(f"select count(distinct {column}) {which}") if len(names) == MOST_NAMES else 0
    return (*names, f"and {count - MOST_NAMES} more") if count > MOST_NAMES else names


def _newest(snapshot: Snapshot) -> Checkpoint | None:
    rows = snapshot.select(
        "select * from checkpoints order by signature is not null desc, of_position desc limit 1"
    )
    for row in rows:
        return Checkpoint(
            statement=row["statement"],
            position=row["of_position"],
            hash=row["of_hash"],
            at=rfc3339(row["at_ns"]),
            session=row["session"],
            key_fingerprint=row["key_fingerprint"],
            signature=row["signature"],
            remark=row["remark"],
        )
    return None


def trust(integrity: Integrity) -> list[tuple[str, str]]:
    """Return what is to be said about the record's integrity, each a name and a sentence."""
    said = [("chain", f"ended at position {integrity.position:,} with the hash {integrity.hash}")]
    checkpoint = integrity.checkpoint
    if checkpoint is not None:
        by = f"signed with {checkpoint.key_fingerprint}" if checkpoint.signature else "not signed"
        said.append(("checkpoint", f"of position {checkpoint.position:,}, {checkpoint.at}, {by}"))
    report = integrity.verified
    if report is None:
        said.append(("verification", "not done for this export"))
    elif report.bad is not None:
        bad = report.bad
        row = f" ({bad.table} {bad.id})" if bad.table else ""
        said.append(
            ("verification", f"NOT SOUND: at position {bad.position:,}{row}: {bad.what}: {bad.detail}")
        )
    else:
        until = (
            f"; signed by {report.signed_by} up to position {report.signed_until:,}"
            if report.signed_until is not None
            else "; no signature that was checked vouches for it"
        )
        said.append(
            ("verification", f"sound: all {report.records:,} records are as they were written{until}")
        )
    if report is not None:
        said += [("warning", warning) for warning in report.warnings]
        said += [("removed", f"{stone.kind}: {stone.reason}") for stone in report.tombstones]
    return said
