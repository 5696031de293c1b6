"""Verifies a log: the chain record by record, then who vouches for what was pruned and for where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cockpit.actionlog.chain_walk import Walk, read_json, walked
from cockpit.actionlog.checkpoints import Checkpoint
from cockpit.actionlog.findings import Bad, Pruned, Report
from cockpit.errors import SignatureError

MOST_SIGNATURES = 20
"""Signed checkpoints that are tried, newest first, until one is of somebody who may sign."""


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

    walk = await asyncio.to_thread(walked, path, elsewhere)
    return await _with_signatures(walk, allowed_signers)


async def _with_signatures(walk: Walk, allowed_signers: Path | None) -> Report:
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


async def _newest_signed(walk: Walk, allowed_signers: Path) -> tuple[int | None, str | None]:
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
    said = read_json(row["statement"], None)
    names = ("kind", "reason", "counts", "runs", "first", "last")
    columns = {name: row[name] for name in names} | {
        name: read_json(row[name], None) for name in ("counts", "runs")
    }
    if not isinstance(said, dict) or any(said.get(name) != columns[name] for name in names):
        raise SignatureError("its columns are not what was signed")


def _pruned(row: dict[str, Any], signer: str | None) -> Pruned:
    return Pruned(
        position=row["position"],
        kind=row["kind"],
        at_ns=row["at_ns"],
        reason=row["reason"],
        counts=read_json(row["counts"], {}),
        signed_by=signer,
    )
