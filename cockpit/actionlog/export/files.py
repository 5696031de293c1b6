"""The fetched files in a bundle: which go in and which are left out, and that each is what its record says.

A member `files/SHA256` is a file of the evidence store as it lies beside the log. What it has to hash to is said by
the manifest in its record, which the chain protects, so that a file proves itself as output does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Protocol

from msgspec import Struct

from cockpit.actionlog.capture import unpack
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.actionlog.files import MEDIA_TYPE, EvidenceFiles, Manifest, hashed, manifest_of
from cockpit.errors import ActionLogError

FOLDER = "files/"
MOST = 1 << 30
"""Bytes of a file that goes into a bundle, where nothing else is asked for."""
LARGEST = 1 << 20
"""Bytes of a manifest, which is held in memory."""


class Readable(Protocol):
    """What a member is read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, none at the end."""
        ...


class LeftOut(Struct, frozen=True, kw_only=True):
    """A file that a record names and that is not in the bundle.

    Attributes:
        name: The member that it would be.
        place: Where it was fetched from, `HOST:PATH`.
        size: Its bytes.
        why: Why it is not there.
    """

    name: str
    place: str
    size: int
    why: str

    def __str__(self) -> str:
        return f"{self.place} ({self.size:,} bytes, {self.name}) is not in it: {self.why}"


class FilesOf:
    """The files that the chosen evidence names.

    Args:
        snapshot: Of the log; is told how far reading has come.
        most: Bytes of a file that goes in; 0 leaves all of them out.

    Attributes:
        left_out: What was left out so far.
    """

    def __init__(self, snapshot: Snapshot, *, most: int) -> None:
        self.left_out: list[LeftOut] = []
        self._snapshot = snapshot
        self._store = EvidenceFiles(snapshot.path)
        rows = snapshot.select(
            "select id from evidence where media_type = :type and body is not null "
            "and position in (select position from temp.chosen) order by position",
            type=MEDIA_TYPE,
        )
        named = (manifest_of(snapshot.evidence_body(row["id"])) for row in rows)
        self._files = {name_of(manifest): manifest for manifest in named}
        self._most = most
        snapshot.more(sum(each.kept_size for each in self._files.values() if each.kept_size <= most))

    def members(self) -> Iterator[tuple[str, Readable, int, str]]:
        """Yield (name, file, bytes, SHA-256) of each file that goes in, open while it is looked at.

        Raises:
            ActionLogError: One can't be read.
        """
        for name, manifest in self._files.items():
            why = self._why_not(manifest)
            if why:
                place = f"{manifest.host}:{manifest.path}"
                self.left_out.append(LeftOut(name=name, place=place, size=manifest.kept_size, why=why))
                continue
            path = self._store.path(manifest.kept_sha256)
            try:
                with path.open("rb") as file:
                    yield name, _Stepping(file, self._snapshot), manifest.kept_size, manifest.kept_sha256
            except OSError as error:
                raise ActionLogError(
                    f"can't be read: {error.strerror or error}",
                    where=str(path),
                    remedy="leave the files out with --files none",
                ) from None

    def _why_not(self, manifest: Manifest) -> str:
        """Return why a file is left out; empty where it goes in."""
        if not self._most:
            return "files were not asked for"
        if manifest.kept_size > self._most:
            return f"it is larger than the {self._most:,} bytes that were asked for"
        path = self._store.path(manifest.kept_sha256)
        try:
            if path.stat().st_size == manifest.kept_size and hashed(path) == manifest.kept_sha256:
                return ""
        except FileNotFoundError:
            return "it was gone"
        except OSError as error:
            return f"it could not be read: {error.strerror}"
        return "it was changed, and is no more what its record says"


class _Stepping:
    """Says how far reading a file has come."""

    def __init__(self, file: IO[bytes], snapshot: Snapshot) -> None:
        self._file = file
        self._snapshot = snapshot

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._snapshot.step(len(data))
        return data


def name_of(manifest: Manifest) -> str:
    """Return the name of the member that holds a file."""
    return f"{FOLDER}{manifest.kept_sha256}"


def manifest_in(row: dict[str, Any], stored: bytes) -> Manifest:
    """Return what a record of evidence says of its file.

    Args:
        row: The record.
        stored: Its content, as it is stored.

    Raises:
        ActionLogError: That is no manifest.
    """
    try:
        return manifest_of(unpack(str(row["codec"]), int(row["size"]), stored))
    except ValueError as error:
        raise ActionLogError(f"that is no manifest of a file: {error}", where=str(row.get("id"))) from None
