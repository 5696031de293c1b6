"""Evidence that is too large for the log's database: files beside it, named by the SHA-256 of what they hold.

The record of such a piece of evidence is a row like any other; its content is a `Manifest`, which says which file it
is and what that file hashes to, so the chain protects the file as well. A file is written under a name of its own
in `partial/` until it is whole, and stays there when a transfer breaks, so that it can be gone on with.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from cockpit.errors import ActionLogError

FOLDER = "evidence"
"""The folder beside the log."""
MEDIA_TYPE = "application/vnd.cockpit.file+json"
"""The media type of a piece of evidence whose content is a `Manifest`."""
PARTIAL_DAYS = 7
"""Days for which a transfer that broke can be gone on with."""
BLOCK = 1 << 20
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
"""A SHA-256 in hexadecimal, which is a file's name as well: nothing else may be one."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What a file of the evidence store is.

    Attributes:
        host: The target that it was fetched from.
        path: Its path there.
        size: Bytes there.
        modified: When it was last changed there, in seconds since the epoch.
        sha256: Of its bytes there.
        kept_sha256: Of the file that is kept: another where secrets were cut out of it.
        kept_size: Its bytes.
        cut: Secrets that were cut.
    """

    host: str
    path: str
    size: int
    modified: int
    sha256: str
    kept_sha256: Digest
    kept_size: int
    cut: int = 0


class EvidenceFiles:
    """The files beside a log.

    Args:
        log: The log's own file.
    """

    def __init__(self, log: Path) -> None:
        self.folder = log.with_name(FOLDER)
        self._partial = self.folder / "partial"

    def path(self, sha256: str) -> Path:
        """Return where the file of a hash is, or would be."""
        return self.folder / sha256[:2] / sha256

    def partial(self, *about: object) -> Path:
        """Return the file in which a transfer is under way; the same for the same words about it.

        Raises:
            ActionLogError: The folder can't be made.
        """
        name = hashlib.sha256("\0".join(map(str, about)).encode(errors="surrogateescape")).hexdigest()
        self._make(self._partial)
        self._sweep()
        return self._partial / name

    def keep(self, whole: Path, sha256: str) -> Path:
        """Move a whole file into the store, on the disk when this returns, and return where it is.

        Raises:
            ActionLogError: It can't be moved.
        """
        kept = self.path(sha256)
        self._make(kept.parent)
        try:
            with whole.open("rb") as file:
                os.fsync(file.fileno())
            whole.chmod(0o400)
            whole.replace(kept)
        except OSError as error:
            raise ActionLogError(f"evidence can't be kept: {error.strerror}", where=str(kept)) from None
        return kept

    def wrong(self, manifests: Iterable[tuple[str, Manifest]]) -> Iterator[tuple[str, str, str]]:
        """Yield (id, `dropped` or `edited`, a sentence) for evidence whose file isn't what its record says."""
        for name, manifest in manifests:
            path = self.path(manifest.kept_sha256)
            try:
                found = hashed(path)
            except FileNotFoundError:
                yield name, "dropped", f"its file {path} is gone"
            except OSError as error:
                yield name, "dropped", f"its file {path} can't be read: {error.strerror}"
            else:
                if found != manifest.kept_sha256:
                    yield name, "edited", f"its file {path} was changed"

    def drop_unnamed(self, named: Iterable[str]) -> int:
        """Remove the files that no record names any more, and return how many."""
        kept, count = set(named), 0
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)
                count += 1
        return count

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ActionLogError(f"can't be made: {error.strerror}", where=str(folder)) from None

    def _sweep(self) -> None:
        """Remove transfers that nobody went on with."""
        oldest = time.time() - PARTIAL_DAYS * 86_400
        for path in self._partial.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)


def manifest_of(body: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ActionLogError: It is none.
    """
    try:
        return msgspec.json.decode(body, type=Manifest)
    except msgspec.DecodeError as error:
        raise ActionLogError(f"that is no manifest of a file: {error}", where="evidence") from None


def hashed(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
