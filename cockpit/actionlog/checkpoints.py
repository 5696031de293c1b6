"""Statements of where the chain stood: signed, they show later whether what came before was rebuilt or cut off.

A checkpoint says a position and its hash, and with that everything up to there. It is a record of the log itself,
and it lies beside the log, where `verify` looks; printed by `cockpit log checkpoint` and kept elsewhere it is worth
more.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from cockpit.actionlog.chain import Head, append
from cockpit.actionlog.database import immediate
from cockpit.errors import SignatureError, UsageError
from cockpit.signals import rfc3339

if TYPE_CHECKING:
    from sqlite_utils import Database

UNSIGNED = "not signed: no signing_key is configured"
_TITLE = "cockpit action log checkpoint 1"
_STATEMENT = re.compile(
    rf"{_TITLE}\nposition (?P<position>[0-9]{{1,18}})\nhash (?P<hash>[0-9a-f]{{64}})\n"
    r"at (?P<at>[0-9TZ:.-]{20,40})\nsession (?P<session>[0-9A-Z]{26})\nhost (?P<host>[^\n]{1,255})\n"
)
_SIGNATURE = re.compile(r"-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]+-----END SSH SIGNATURE-----\n?")
LARGEST = 64 * 1024
"""Bytes that are read of a checkpoint's file."""


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A statement, and a signature over exactly its bytes.

    Attributes:
        statement: The text that is signed.
        position: The record it speaks of; 0 where the log was empty.
        hash: That record's hash.
        at: When it was made, RFC 3339 in UTC.
        session: Whose it is.
        key_fingerprint: Of the key that signed it; None where none did.
        signature: In OpenSSH's armour, namespace `cockpit-checkpoint@cockpit`; None where it isn't signed.
        remark: Why it isn't signed.
    """

    statement: str
    position: int
    hash: str
    at: str
    session: str
    key_fingerprint: str | None = None
    signature: str | None = None
    remark: str | None = None

    def text(self) -> str:
        """Return it as it is printed and kept elsewhere."""
        return f"{self.statement}{self.signature or f'# {self.remark}'}".rstrip("\n") + "\n"


def state(at: Head, session: str, host: str) -> Checkpoint:
    """Return an unsigned statement of where the chain stands."""
    now = rfc3339(time.time_ns())
    safe = re.sub(r"[^\x21-\x7e]", "_", host) or "_"
    text = f"{_TITLE}\nposition {at.position}\nhash {at.hash}\nat {now}\nsession {session}\nhost {safe}\n"
    return Checkpoint(
        statement=text, position=at.position, hash=at.hash, at=now, session=session, remark=UNSIGNED
    )


async def signed(checkpoint: Checkpoint, key: Path | None) -> Checkpoint:
    """Return a checkpoint signed; unsigned, with the reason, where that can't be done."""
    from msgspec.structs import replace

    from cockpit.guard import signing

    if key is None:
        return checkpoint
    try:
        signature = await signing.sign(checkpoint.statement.encode(), key, signing.CHECKPOINT)
        return replace(
            checkpoint,
            signature=signature,
            key_fingerprint=signing.fingerprint_of(signature),
            remark=None,
        )
    except SignatureError as error:
        return replace(checkpoint, remark=f"not signed: {error}")


def keep(db: Database, path: Path, checkpoint: Checkpoint) -> None:
    """Record a checkpoint in the log, and lay it beside it."""
    with immediate(db):
        record(db, checkpoint)
    lay_beside(path, checkpoint)


def record(db: Database, checkpoint: Checkpoint) -> None:
    """Append a checkpoint to the log, within a transaction."""
    append(
        db,
        "checkpoints",
        {
            "session": checkpoint.session,
            "at_ns": time.time_ns(),
            "of_position": checkpoint.position,
            "of_hash": checkpoint.hash,
            "statement": checkpoint.statement,
            "key_fingerprint": checkpoint.key_fingerprint,
            "signature": checkpoint.signature,
            "remark": checkpoint.remark,
        },
    )


def beside(path: Path) -> Path:
    """Return the file that holds the newest checkpoint of the log at `path`."""
    return path.with_name(f"{path.name}.checkpoint")


def lay_beside(path: Path, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint in a file of its own, unless a newer one is there."""
    place = beside(path)
    with contextlib.suppress(OSError, UsageError):
        if parse(place.read_text()).position >= checkpoint.position:
            return
    new = place.with_name(f"{place.name}.{os.getpid()}")
    with contextlib.suppress(OSError):  # the log holds it as well
        new.touch(mode=0o600)
        new.write_text(checkpoint.text())
        new.replace(place)


def parse(text: str) -> Checkpoint:
    """Read a checkpoint as it was printed, as text or as JSON.

    Raises:
        UsageError: It is none.
    """
    signature: str | None
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else {}
        statement, signature = document.get("statement", text), document.get("signature")
    except (ValueError, RecursionError):
        statement, signature = text, None
    found = _STATEMENT.match(statement) if isinstance(statement, str) else None
    if found is None:
        raise UsageError("it is no checkpoint", remedy="one is what `cockpit log checkpoint` prints")
    if not isinstance(signature, str):
        armour = _SIGNATURE.search(text) if statement is text else None
        signature = armour[0] if armour else None
    return Checkpoint(
        statement=found[0],
        position=int(found["position"]),
        hash=found["hash"],
        at=found["at"],
        session=found["session"],
        signature=signature,
    )


def read(file: Path) -> Checkpoint:
    """Read a checkpoint's file.

    Raises:
        UsageError: It can't be read, or is none.
    """
    try:
        with file.open("rb") as opened:
            return parse(opened.read(LARGEST).decode(errors="replace"))
    except OSError as error:
        raise UsageError(f"the checkpoint can't be read: {error.strerror}", where=str(file)) from None
    except UsageError as error:
        raise UsageError(error.message, where=str(file), remedy=error.remedy) from None
