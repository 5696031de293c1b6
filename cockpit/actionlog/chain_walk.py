"""Goes through the whole chain and names the first record that is not as it was written.

Nothing is written, and memory is bounded: records are read in the order of their positions, some at a time.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.actionlog import checkpoints, schema, tables
from cockpit.actionlog.chain import CONTENT, GENESIS, RECORDS, link
from cockpit.actionlog.checkpoints import Checkpoint
from cockpit.actionlog.database import connect_to_read, errors_mapped
from cockpit.actionlog.findings import Bad
from cockpit.errors import ActionLogError, UsageError

if TYPE_CHECKING:
    from sqlite_utils import Database


class Walk:
    """What is learned on the way through the chain."""

    def __init__(self, stated: Sequence[tuple[str, Checkpoint]]) -> None:
        self.bad: Bad | None = None
        self.records = 0
        self.position = 0
        self.hash = GENESIS
        self.warnings: list[str] = []
        self.tombstones: list[dict[str, Any]] = []
        self.checkpoints: list[Checkpoint] = []
        """Signed ones, of the log itself and from elsewhere, in the order of what they state."""
        self.stated = list(stated)
        """Every statement that the chain is held against, and where it comes from."""
        self.by_position: dict[int, list[tuple[str, Checkpoint]]] = defaultdict(list)
        for origin, checkpoint in stated:
            self.by_position[checkpoint.position].append((origin, checkpoint))


def walked(path: Path, elsewhere: Sequence[Checkpoint]) -> Walk:
    """Go through a log's chain up to the first record that is wrong; blocks.

    Args:
        path: The log.
        elsewhere: Checkpoints that were kept apart from it.

    Raises:
        ActionLogError: It can't be read, or is no action log with a chain.
    """
    if not path.exists():
        raise ActionLogError("there is no action log", where=str(path), remedy="name it, or say --data-dir")
    with errors_mapped(path):
        db = connect_to_read(path)
        try:
            if schema.chained_records.__name__ in schema.pending(db):
                raise ActionLogError(
                    "it has no hash chain yet",
                    where=str(path),
                    remedy="`cockpit log list` brings it up to date",
                )
            # Read before the log is: what is written meanwhile must not look as if it were missing from it.
            beside = list(_beside(path))
            if list(db.query("select 1 from sqlite_master where type = 'table' and name = 'excerpt'")):
                raise ActionLogError(
                    "it is an excerpt: records are left out, and nothing can be told from it by itself",
                    where=str(path),
                    remedy="`cockpit log export --format tar` makes what can be verified anywhere",
                )
            db.execute("begin")  # one moment of the file, whoever writes meanwhile
            given = [("the checkpoint given", one) for one in elsewhere]
            walk = Walk([*_own_statements(db), *beside, *given])
            _go(db, walk)
            _look_at_triggers(db, walk)
        finally:
            db.close()
    return walk


def _own_statements(db: Database) -> Iterator[tuple[str, Checkpoint]]:
    for row in db.query("select * from checkpoints order by position"):
        try:
            parsed = checkpoints.parse(row["statement"])
        except UsageError:
            continue  # its row was edited, which the chain tells
        yield f"the checkpoint at position {row['position']}", _with(parsed, row["signature"])


def _beside(path: Path) -> Iterator[tuple[str, Checkpoint]]:
    try:
        yield (
            f"the checkpoint in {checkpoints.beside(path).name}",
            checkpoints.read(checkpoints.beside(path)),
        )
    except UsageError:
        return


def _with(checkpoint: Checkpoint, signature: str | None) -> Checkpoint:
    from msgspec.structs import replace

    return replace(checkpoint, signature=signature)


def _records(db: Database) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
    """Yield every record in the order of the chain, with its table; those that share a position together."""

    def of(rank: int, table: str) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
        for row in db.query(f"select * from {table} order by position"):  # noqa: S608  our own names
            place = row["position"]
            yield (place if isinstance(place, int) else 0), rank, table, row

    return heapq.merge(*(of(rank, table) for rank, table in enumerate(RECORDS)), key=lambda item: item[:2])


def _go(db: Database, walk: Walk) -> None:
    """Walk from record to record until one is wrong."""
    tombstones = list(db.query("select * from tombstones order by position"))
    runs = {run[0]: run for row in tombstones if row["kind"] == "sessions" for run in _runs_of(row)}
    dropped = [(row["first"], row["last"]) for row in tombstones if row["kind"] == "output"]
    _check_stated(walk, 0)
    for position, _, table, row in _records(db):
        while walk.bad is None and walk.position + 1 < position:
            _cross_gap(walk, runs, position, table, row)
        if walk.bad is None:
            walk.bad = _wrong_with(db, walk, table, row, dropped)
        if walk.bad is not None:
            return
        walk.records += 1
        _step(walk, position, row["hash"])
        if table == "tombstones":
            walk.tombstones.append(row)
    _cross_tail(db, walk, runs)


def _runs_of(row: dict[str, Any]) -> list[list[Any]]:
    """Return the runs that a tombstone names; none where it was edited so that they can't be read."""
    runs = read_json(row["runs"], [])
    fit = [run for run in runs if isinstance(run, list) and len(run) == 4] if isinstance(runs, list) else []
    return [run for run in fit if isinstance(run[0], int) and isinstance(run[1], int) and _is_hash(run[3])]


def _step(walk: Walk, position: int, digest: str) -> None:
    walk.position, walk.hash = position, digest
    _check_stated(walk, position)


def _check_stated(walk: Walk, position: int) -> None:
    for origin, checkpoint in walk.by_position.pop(position, ()):
        if checkpoint.hash != walk.hash:
            detail = f"{origin} states another hash for it: the chain was rebuilt, or this is another log"
            walk.bad = walk.bad or Bad(table="", id="", position=position, what="rebuilt", detail=detail)
        elif checkpoint.signature:
            walk.checkpoints.append(checkpoint)


def _cross_gap(
    walk: Walk, runs: dict[int, list[Any]], position: int, table: str, row: dict[str, Any]
) -> None:
    """Step over what a tombstone says was pruned; without one it was deleted."""
    run = runs.get(walk.position + 1)
    if run is None or run[1] >= position or run[2] != walk.hash:
        missing = position - walk.position - 1
        which = f"position {walk.position + 1}" if missing == 1 else f"{missing} positions before it"
        detail = f"{which} of the chain {'is' if missing == 1 else 'are'} missing, and no tombstone says why"
        walk.bad = Bad(
            table=table, id=name_of(table, row), position=walk.position + 1, what="deleted", detail=detail
        )
        return
    _step(walk, run[1], run[3])


def _cross_tail(db: Database, walk: Walk, runs: dict[int, list[Any]]) -> None:
    """Look for what should be there after the last record."""
    position, digest = db.execute("select position, hash from chain_head").fetchone()
    if position > walk.position:
        detail = f"the log was written up to position {position}, and ends at {walk.position}"
        walk.bad = walk.bad or Bad(
            table="", id="", position=walk.position + 1, what="truncated", detail=detail
        )
    elif (position, digest) != (walk.position, walk.hash):
        detail = "the end of the chain is recorded otherwise: records were added past the cockpit"
        walk.bad = walk.bad or Bad(table="", id="", position=walk.position, what="inserted", detail=detail)
    for states in sorted(walk.by_position):
        origin, _ = walk.by_position[states][0]
        if states <= walk.position:
            walk.warnings.append(
                f"{origin} states position {states}, which was pruned: it can't be held against it"
            )
            continue
        detail = f"{origin} states position {states}, and the log ends at {walk.position}"
        walk.bad = walk.bad or Bad(
            table="", id="", position=walk.position + 1, what="truncated", detail=detail
        )


def _wrong_with(
    db: Database, walk: Walk, table: str, row: dict[str, Any], dropped: list[tuple[int, int]]
) -> Bad | None:
    """Say what is wrong with the next record, if anything is."""
    position = row["position"]

    def bad(what: str, detail: str) -> Bad:
        return Bad(table=table, id=name_of(table, row), position=walk.position + 1, what=what, detail=detail)

    if not isinstance(position, int) or position <= walk.position:
        return bad("inserted", f"its position {position!r} is another record's, or none")
    try:
        right = link(walk.hash, table, row) == row["hash"]
    except (TypeError, UnicodeEncodeError):
        right = False
    if not right:
        return bad(*_how_it_was_changed(db, walk, table, row))
    content = CONTENT.get(table)
    if content is None:
        return None
    stored = row[content]
    if stored is None and table == "output" and any(first <= position <= last for first, last in dropped):
        return None
    if stored is None:
        return bad("dropped", "its bytes are gone, and no tombstone says why")
    if not isinstance(stored, bytes) or hashlib.sha256(stored).hexdigest() != row["sha256"]:
        return bad("edited", f"its {content} is not what was written")
    return None


def _how_it_was_changed(db: Database, walk: Walk, table: str, row: dict[str, Any]) -> tuple[str, str]:
    """Tell, of a record whose hash is wrong, whether it stood elsewhere, was put in, or was edited."""
    if row["position"] > db.execute("select position from chain_head").fetchone()[0]:
        return "inserted", "the log was not written as far as that"
    for other_table, other in _all_at(db, row["position"]):
        if other_table != table and link(walk.hash, other_table, other) == other["hash"]:
            return "inserted", f"a record of {other_table} was written at that position"
    home = _home_of(db, table, row)
    if home is not None:
        return "reordered", f"it was written at position {home}"
    for other_table, other in _all_at(db, walk.position + 2):
        if link(walk.hash, other_table, {**other, "position": walk.position + 1}) == other["hash"]:
            return "inserted", "the record after it follows from the one before it"
    return "edited", "its hash does not follow from what it says and from the record before it"


def _home_of(db: Database, table: str, row: dict[str, Any]) -> int | None:
    """Return the position at which a record was written, where that is another than the one it has."""
    before = GENESIS
    for position, _, _, other in _records(db):
        if not _is_hash(other["hash"]):
            continue
        # Of two neighbours that changed places, the one before is found where the other stands now.
        for previous in (before, other["hash"]) if position != row["position"] else ():
            try:
                if link(previous, table, {**row, "position": position}) in (row["hash"], other["hash"]):
                    return position
            except (TypeError, UnicodeEncodeError):
                return None
        before = other["hash"]
    return None


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")


def _all_at(db: Database, position: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for table in RECORDS:
        for row in db.query(f"select * from {table} where position = ?", [position]):  # noqa: S608  our own names
            yield table, row


def name_of(table: str, row: dict[str, Any]) -> str:
    """Return what a row is called: its id, or for output the action and the number of the chunk."""
    return f"{row['action']}/{row['seq']}" if table == "output" else str(row.get("id"))


def _look_at_triggers(db: Database, walk: Walk) -> None:
    wanted = tables.triggers()
    there = {
        row["name"]: row["sql"]
        for row in db.query("select name, sql from sqlite_master where type = 'trigger'")
    }
    if missing := sorted(name for name, sql in wanted.items() if there.get(name, "").lower() != sql.lower()):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        walk.warnings.append(
            f"the trigger {missing[0]}{more} is gone or changed; rows may be changed unhindered"
        )


def read_json(text: object, otherwise: Any) -> Any:
    """Return what a column holds as JSON, or something else where it was edited so that it can't be read."""
    try:
        return json.loads(text) if isinstance(text, str) else otherwise
    except (ValueError, RecursionError):
        return otherwise
