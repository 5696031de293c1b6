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

from msgspec import Struct

from cockpit.actionlog import checkpoints, schema, tables
from cockpit.actionlog.chain import CONTENT, GENESIS, RECORDS, link
from cockpit.actionlog.checkpoints import Checkpoint
from cockpit.actionlog.database import connect_to_read, errors_mapped
from cockpit.errors import ActionLogError, SignatureError, UsageError

if TYPE_CHECKING:
    from sqlite_utils import Database


MOST_SIGNATURES = 20
"""Signed checkpoints that are tried, newest first, until one is of somebody who may sign."""


class Bad(Struct, frozen=True, kw_only=True):
    """The first thing that is wrong.

    Attributes:
        table: Where; empty where it is about the file as a whole.
        id: Which row, as people name it.
        position: Which place of the chain.
        what: `edited`, `deleted`, `inserted`, `reordered`, `truncated`, `rebuilt`, `dropped` or `forged`.
        detail: What exactly, in a sentence.
    """

    table: str
    id: str
    position: int
    what: str
    detail: str


class Pruned(Struct, frozen=True, kw_only=True):
    """What a tombstone says is not protected, or not there any more."""

    position: int
    kind: str
    at_ns: int
    reason: str
    counts: dict[str, int]
    signed_by: str | None


class Report(Struct, frozen=True, kw_only=True):
    """What came of a verification.

    Attributes:
        sound: Whether every record is as it was written, as far as that can be told.
        records: How many there are.
        position: Where the chain ends.
        hash: The hash there.
        bad: The first thing that is wrong.
        tombstones: What was pruned, and what predates the chain.
        signed_until: The position up to which the newest good signature vouches; None without one.
        signed_by: Whose that is.
        warnings: What is unwise, or could not be checked.
    """

    sound: bool
    records: int
    position: int
    hash: str
    bad: Bad | None
    tombstones: tuple[Pruned, ...]
    signed_until: int | None
    signed_by: str | None
    warnings: tuple[str, ...]


async def verify(
    path: Path, *, allowed_signers: Path | None = None, elsewhere: Sequence[Checkpoint] = ()
) -> Report:
    """Verify a log.

    Args:
        path: The file.
        allowed_signers: Whose signatures count; without it none is checked.
        elsewhere: Checkpoints that were kept apart from the log.

    Raises:
        ActionLogError: It can't be read, or is no action log with a chain.
    """
    import asyncio

    walk = await asyncio.to_thread(_walked, path, elsewhere)
    return await _with_signatures(walk, allowed_signers)


class _Walk:
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


def _walked(path: Path, elsewhere: Sequence[Checkpoint]) -> _Walk:
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
            walk = _Walk([*_own_statements(db), *beside, *given])
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


def _go(db: Database, walk: _Walk) -> None:
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
    runs = _read_json(row["runs"], [])
    fit = [run for run in runs if isinstance(run, list) and len(run) == 4] if isinstance(runs, list) else []
    return [run for run in fit if isinstance(run[0], int) and isinstance(run[1], int) and _is_hash(run[3])]


def _read_json(text: object, otherwise: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else otherwise
    except (ValueError, RecursionError):
        return otherwise


def _step(walk: _Walk, position: int, digest: str) -> None:
    walk.position, walk.hash = position, digest
    _check_stated(walk, position)


def _check_stated(walk: _Walk, position: int) -> None:
    for origin, checkpoint in walk.by_position.pop(position, ()):
        if checkpoint.hash != walk.hash:
            detail = f"{origin} states another hash for it: the chain was rebuilt, or this is another log"
            walk.bad = walk.bad or Bad(table="", id="", position=position, what="rebuilt", detail=detail)
        elif checkpoint.signature:
            walk.checkpoints.append(checkpoint)


def _cross_gap(
    walk: _Walk, runs: dict[int, list[Any]], position: int, table: str, row: dict[str, Any]
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


def _cross_tail(db: Database, walk: _Walk, runs: dict[int, list[Any]]) -> None:
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
    db: Database, walk: _Walk, table: str, row: dict[str, Any], dropped: list[tuple[int, int]]
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


def _how_it_was_changed(db: Database, walk: _Walk, table: str, row: dict[str, Any]) -> tuple[str, str]:
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


def _look_at_triggers(db: Database, walk: _Walk) -> None:
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


async def _with_signatures(walk: _Walk, allowed_signers: Path | None) -> Report:
    """Check who vouches for what, and report."""
    from cockpit.guard import signing

    pruned: list[Pruned] = []
    by: str | None = None
    until: int | None = None
    for row in walk.tombstones:
        signer = None
        if row["kind"] != "migration" and allowed_signers is not None and walk.bad is None:
            try:
                signer = await _signed(row["statement"], row["signature"], allowed_signers, signing.TOMBSTONE)
                _must_say(row)
            except SignatureError as error:
                detail = f"what it says was pruned is not vouched for: {error.message}"
                walk.bad = Bad(
                    table="tombstones",
                    id=str(row["id"]),
                    position=row["position"],
                    what="forged",
                    detail=detail,
                )
        pruned.append(_pruned(row, signer))
    if allowed_signers is not None and walk.bad is None:
        until, by = await _newest_signed(walk, allowed_signers)
    elif walk.checkpoints:
        walk.warnings.append("no signature was checked: no allowed_signers is configured")
    return Report(
        sound=walk.bad is None,
        records=walk.records,
        position=walk.position,
        hash=walk.hash,
        bad=walk.bad,
        tombstones=tuple(pruned),
        signed_until=until,
        signed_by=by,
        warnings=tuple(walk.warnings),
    )


async def _newest_signed(walk: _Walk, allowed_signers: Path) -> tuple[int | None, str | None]:
    """Return which checkpoint's signature vouches for most, and whose it is; it vouches for all before it too."""
    from cockpit.guard import signing

    newest_first = sorted(walk.checkpoints, key=lambda one: -one.position)
    for checkpoint in newest_first[:MOST_SIGNATURES]:
        signature, statement = checkpoint.signature or "", checkpoint.statement.encode()
        try:
            identity = await signing.signer(signature, allowed_signers)
        except SignatureError as error:
            walk.warnings.append(f"the checkpoint of position {checkpoint.position}: {error.message}")
            continue
        try:
            await signing.verify(statement, signature, identity, allowed_signers, signing.CHECKPOINT)
        except SignatureError as error:
            what = f"the checkpoint of position {checkpoint.position} is not what {identity} signed: {error.message}"
            walk.bad = Bad(
                table="checkpoints", id="", position=checkpoint.position, what="forged", detail=what
            )
            return None, None
        return checkpoint.position, identity
    return None, None


async def _signed(statement: str, signature: str | None, allowed_signers: Path, namespace: str) -> str:
    """Return who signed a statement.

    Raises:
        SignatureError: Nobody who may did.
    """
    from cockpit.guard import signing

    if not signature:
        raise SignatureError("it is not signed")
    identity = await signing.signer(signature, allowed_signers)
    await signing.verify(statement.encode(), signature, identity, allowed_signers, namespace)
    return identity


def _must_say(row: dict[str, Any]) -> None:
    """Hold a tombstone's columns to the statement that was signed.

    Raises:
        SignatureError: They say something else.
    """
    said = _read_json(row["statement"], None)
    names = ("kind", "reason", "counts", "runs", "first", "last")
    columns = {name: row[name] for name in names} | {
        name: _read_json(row[name], None) for name in ("counts", "runs")
    }
    if not isinstance(said, dict) or any(said.get(name) != columns[name] for name in names):
        raise SignatureError("its columns are not what was signed")


def _pruned(row: dict[str, Any], signer: str | None) -> Pruned:
    return Pruned(
        position=row["position"],
        kind=row["kind"],
        at_ns=row["at_ns"],
        reason=row["reason"],
        counts=_read_json(row["counts"], {}),
        signed_by=signer,
    )
