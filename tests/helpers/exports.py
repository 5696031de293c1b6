"""Exports of a real log, made by the function behind `cockpit log export`."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from cockpit.actionlog.export.exporting import Form, export
from cockpit.actionlog.export.facts import gather
from cockpit.actionlog.export.files import MOST
from cockpit.actionlog.export.place import Place
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.actionlog.filters import Filter
from cockpit.actionlog.verify import verify


def exported(
    log: Path,
    to: Path,
    form: str,
    *,
    filters: Filter | None = None,
    with_output: bool = True,
    cast_version: int = 2,
    signing_key: Path | None = None,
    allowed_signers: Path | None = None,
    most: int = MOST,
) -> bytes:
    """Export what fits to a file and return its bytes."""
    snapshot = Snapshot(log, filters or Filter())
    try:
        snapshot.choose()
        facts = gather(
            snapshot,
            made_by="ann@desk",
            action="01ARYZ6S41TSV4RRFFQ69G5A01",
            with_output=with_output,
            verified=asyncio.run(verify(log)),
        )
        with Place(to) as place:
            form_ = Form(
                name=form,
                cast_version=cast_version,
                signing_key=signing_key,
                allowed_signers=allowed_signers,
                most=most,
            )
            export(snapshot, facts, form_, place)
            place.keep()
    finally:
        snapshot.close()
    data = to.read_bytes()
    assert place.sha256 == hashlib.sha256(data).hexdigest()
    assert place.size == len(data)
    assert [file.name for file in to.parent.iterdir() if file.name.endswith(".part")] == []
    return data
