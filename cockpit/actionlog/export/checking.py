"""Checks a bundle on a machine that has nothing else: in one pass, unpacking nothing, with bounded memory.

A bundle comes from elsewhere, so that nothing in it is taken at its word: every size is bounded, every line has to be
of the form, and what it says of itself counts only as far as a signature vouches for it.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import UNSET, Struct

from cockpit.actionlog import checkpoints
from cockpit.actionlog.chain import RECORDS, link
from cockpit.actionlog.checkpoints import Checkpoint
from cockpit.actionlog.export import bundle
from cockpit.actionlog.export.bundle import Line, Manifest
from cockpit.actionlog.export.files import FOLDER, LARGEST, manifest_in
from cockpit.actionlog.export.files import name_of as file_name
from cockpit.actionlog.files import MEDIA_TYPE
from cockpit.actionlog.files import Manifest as FileManifest
from cockpit.actionlog.verify import MOST_SIGNATURES
from cockpit.errors import ActionLogError, CockpitError, SignatureError, UsageError
from cockpit.guard import signing

_READ = 1 << 20
_LONGEST_LINE = 64 << 20
_LARGEST = {bundle.MANIFEST: 512 << 20, bundle.SIGNATURE: 64 * 1024, bundle.SIGNERS: 1 << 20}
"""Bytes of the members that are held in memory."""
MOST_NAMED = 20
"""Files that are not there and are named."""
_SQLITE = b"SQLite format 3\0"


class Vouched(Struct, frozen=True):
    """Records that a signed checkpoint vouches for: those that lead up to what it states without a gap."""

    first: int
    last: int
    by: str


class BundleReport(Struct, frozen=True, kw_only=True):
    """What came of checking a bundle.

    Attributes:
        sound: Whether it is as it was exported, and every record in it follows from the one before.
        bad: The first thing that is wrong.
        made_at: When it was exported.
        made_by: Who exported it.
        first: The first position of the chain that it holds.
        last: The last one.
        hash: The hash there.
        records: Records whose hash was recomputed.
        left_out: Records that it carries no more of than where the chain goes on after them.
        contents: Outputs and pieces of evidence that are what their records say.
        files: Fetched files that are what their records say.
        signed_by: Who signed the manifest, by the list that was given.
        vouched: What checkpoints vouch for that somebody on the list signed, whoever signed the manifest.
        warnings: What could not be checked, and what is unwise.
    """

    sound: bool
    bad: str | None
    made_at: str | None
    made_by: str | None
    first: int | None
    last: int | None
    hash: str | None
    records: int
    left_out: int
    contents: int
    files: int
    signed_by: str | None
    vouched: tuple[Vouched, ...]
    warnings: tuple[str, ...]


class _Wrong(Exception):
    """What is wrong with the bundle, in a sentence."""


def is_bundle(path: Path) -> bool:
    """Return whether a file is a tar file rather than a log."""
    try:
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) == _SQLITE:
                return False
        return tarfile.is_tarfile(path)
    except OSError:
        return False


async def check(path: Path, *, allowed_signers: Path | None = None) -> BundleReport:
    """Check a bundle.

    Args:
        path: The file.
        allowed_signers: Whose signatures count; without it none is checked.

    Raises:
        CockpitError: It can't be read.
    """
    import asyncio

    walk = _Walk()
    signed_by, vouched = None, list[Vouched]()
    try:
        await asyncio.to_thread(walk.go, path)
        if allowed_signers is None:
            walk.warnings.append(
                "no signature was checked, as it is not known whose count (--allowed-signers): somebody could have "
                "made the whole of it"
            )
        else:
            signed_by = await _signer(walk, allowed_signers)
            vouched = await _vouched(walk, allowed_signers)
    except _Wrong as wrong:
        walk.bad = str(wrong)
    return walk.report(signed_by, vouched)


class _Walk:
    """What is learned on the way through the members."""

    def __init__(self) -> None:
        self.bad: str | None = None
        self.warnings: list[str] = []
        self.manifest: Manifest | None = None
        self.manifest_bytes = b""
        self.signature = ""
        self.chain = _Chain()
        self._contents = 0
        self._files = 0
        self._members: dict[str, tuple[int, str]] = {}

    def go(self, path: Path) -> None:
        """Read all members, then hold them against the manifest."""
        try:
            with tarfile.open(path, mode="r|*") as tar:
                for info in tar:
                    tar.members.clear()  # type: ignore[attr-defined]
                    self._member(info, tar.extractfile(info) if info.isreg() else None)
        except (tarfile.TarError, EOFError) as error:
            raise _Wrong(f"it is cut off or no tar file: {error}") from None
        except OSError as error:
            raise CockpitError(
                f"the bundle can't be read: {error.strerror or error}", where=str(path)
            ) from None
        self._settle()

    def _member(self, info: tarfile.TarInfo, file: IO[bytes] | None) -> None:
        name = info.name
        if file is None:
            raise _Wrong(f"{name!r} is no regular file")
        if name in self._members or (name in (bundle.MANIFEST, bundle.SIGNATURE) and self._has(name)):
            raise _Wrong(f"there are two members named {name!r}")
        if info.size > _LARGEST.get(name, info.size):
            raise _Wrong(f"{name!r} is larger than it can be")
        if name == bundle.MANIFEST:
            self.manifest_bytes = file.read()
            try:
                self.manifest = msgspec.json.decode(self.manifest_bytes, type=Manifest)
            except (msgspec.MsgspecError, RecursionError) as error:
                raise _Wrong(f"its manifest can't be read: {error}") from None
        elif name == bundle.SIGNATURE:
            self.signature = file.read().decode(errors="replace")
        else:
            reading = _Reading(file)
            if name == bundle.CHAIN:
                self.chain.walk(reading.lines())
            elif (row := self.chain.file_rows.get(name)) is not None:
                self.chain.note_file(row, reading.whole(LARGEST))
            reading.rest()
            digest = reading.digest.hexdigest()
            self._members[name] = (reading.size, digest)
            expected = self.chain.contents.pop(name, None)
            if expected is None and name.startswith(("output/", "evidence/", FOLDER)):
                raise _Wrong(f"{name} belongs to no record")
            if expected is not None and expected != digest:
                raise _Wrong(f"{name} is not what its record says")
            self._contents += expected is not None and not name.startswith(FOLDER)
            self._files += expected is not None and name.startswith(FOLDER)

    def _has(self, name: str) -> bool:
        return bool(self.manifest_bytes if name == bundle.MANIFEST else self.signature)

    def _settle(self) -> None:
        """Hold what was read against the manifest."""
        if self.manifest is None:
            raise _Wrong("it has no manifest: it is cut off, or no bundle of a cockpit")
        if self.manifest.cockpit_bundle != bundle.FORMAT:
            raise _Wrong("a newer cockpit made it")
        listed = {member.name: (member.size, member.sha256) for member in self.manifest.members}
        for name, is_there in self._members.items():
            if name not in listed:
                raise _Wrong(f"{name} was added: the manifest doesn't name it")
            if listed[name] != is_there:
                raise _Wrong(f"{name} was changed: its SHA-256 is not the manifest's")
        if missing := sorted(listed.keys() - self._members.keys()):
            raise _Wrong(f"{missing[0]} is missing")
        self._settle_chain(self.manifest)

    def _settle_chain(self, manifest: Manifest) -> None:
        chain, said = self.chain, manifest.chain
        if (chain.first, chain.position, chain.before, chain.hash, chain.records, chain.left_out) != (
            said.first,
            said.last,
            said.before,
            said.hash,
            said.records,
            said.left_out,
        ):
            raise _Wrong("the chain in it is not the range that the manifest says")
        gone = [name for name in chain.contents if not name.startswith(FOLDER)]
        if gone and manifest.head.with_output:
            self.warnings.append(f"the bytes of {len(gone)} records are not in it: they were pruned")
        self._warn_of_files(manifest)
        if said.left_out:
            self.warnings.append(
                f"{said.left_out:,} records in between are left out, and the chain is taken up again after them: "
                "that what is before and what is after belong together, the manifest's signature says alone"
            )

    def _warn_of_files(self, manifest: Manifest) -> None:
        """Name the fetched files that are not there, and say why where the exporter did."""
        said = {each.name: each.why for each in manifest.files_left_out}
        absent = [name for name in self.chain.contents if name.startswith(FOLDER)]
        for name in absent[:MOST_NAMED]:
            file = self.chain.files[name]
            why = said.get(name, "nothing says why")
            self.warnings.append(f"the file {file.host}:{file.path} ({name}) is not in it: {why}")
        if len(absent) > MOST_NAMED:
            self.warnings.append(f"{len(absent) - MOST_NAMED:,} more files are not in it")

    def report(self, signed_by: str | None, vouched: list[Vouched]) -> BundleReport:
        """Return what came of it."""
        head, chain = self.manifest.head if self.manifest else None, self.chain
        return BundleReport(
            sound=self.bad is None,
            bad=self.bad,
            made_at=head.made_at if head else None,
            made_by=head.made_by if head else None,
            first=chain.first,
            last=chain.position,
            hash=chain.hash,
            records=chain.records,
            left_out=chain.left_out,
            contents=self._contents,
            files=self._files,
            signed_by=signed_by,
            vouched=tuple(vouched),
            warnings=tuple(self.warnings),
        )


class _Chain:
    """Recomputes the chain from the lines."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.position: int | None = None
        self.before: str | None = None
        self.hash: str | None = None
        self.records = 0
        self.left_out = 0
        self.checkpoints: dict[int, Checkpoint] = {}
        """Of each stretch without a gap, by its first position, the newest signed one that states its hash."""
        self.contents: dict[str, str] = {}
        """Members that hold the bytes of records, and the digests that those say; what is found is taken out."""
        self.file_rows: dict[str, dict[str, Any]] = {}
        """Members that say what a fetched file is, and their records."""
        self.files: dict[str, FileManifest] = {}
        """Members that are fetched files, and what their records say of them."""
        self._stated: frozenset[int] = frozenset()
        self._hashes: dict[int, tuple[str, int | None]] = {}
        """Of a position that is stated, its hash and where the stretch began that leads to it; None within a gap."""
        self._since: int | None = None

    def walk(self, lines: Iterator[bytes]) -> None:
        """Go from line to line."""
        decoder = msgspec.json.Decoder(Line)
        for number, text in enumerate(lines, start=1):
            try:
                line = decoder.decode(text)
            except (msgspec.MsgspecError, RecursionError) as error:
                raise _Wrong(f"line {number} of {bundle.CHAIN} can't be read: {error}") from None
            if number == 1:
                self._begin(line)
            elif line.left_out is not UNSET:
                self._step_over(line.left_out)
            else:
                self._record(line)
            if self.position in self._stated and self.hash is not None:
                self._hashes[self.position] = self.hash, self._since

    def _begin(self, line: Line) -> None:
        if line.before is UNSET or line.stated is UNSET or not _is_hash(line.before):
            raise _Wrong(f"{bundle.CHAIN} does not begin as it should")
        self.hash = self.before = line.before
        self._stated = frozenset(line.stated)

    def _go_to(self, position: int) -> None:
        """Begin at a position, or go on at the one that follows."""
        if self.position is None:
            self.first = position
        elif position != self.position + 1:
            raise _Wrong(f"after position {self.position} of the chain comes {position}")

    def _step_over(self, run: bundle.Run) -> None:
        self._go_to(run.first)
        if run.last < run.first or not _is_hash(run.hash):
            raise _Wrong(f"the run of records left out at position {run.first} is none")
        self.left_out += run.last - run.first + 1
        self.position, self.hash, self._since = run.last, run.hash, None

    def _record(self, line: Line) -> None:
        position, table, row = line.position, line.table, line.row
        if position is UNSET or table is UNSET or row is UNSET or line.hash is UNSET:
            raise _Wrong(f"{bundle.CHAIN} has a line that is neither a record nor a run")
        if table not in RECORDS or row.get("position") != position:
            raise _Wrong(f"the record at position {position} is none")
        self._go_to(position)
        try:
            right = link(self.hash or "", table, row) == line.hash
        except (TypeError, ValueError):
            right = False
        if not right:
            name = row.get("id", row.get("action"))
            raise _Wrong(
                f"the record at position {position} ({table} {name}) was changed: its hash does not follow from what "
                "it says and from the record before it"
            )
        self.position, self.hash = position, line.hash
        self._since = self._since or position
        self.records += 1
        if table in ("output", "evidence"):
            self._note_content(table, row)
        elif table == "checkpoints":
            self._note_checkpoint(row)

    def _note_content(self, table: str, row: dict[str, Any]) -> None:
        try:
            name = bundle.name_of(table, row)
            self.contents[name] = str(row["sha256"])
            if table == "evidence" and row.get("media_type") == MEDIA_TYPE:
                self.file_rows[name] = row
        except (KeyError, ValueError, TypeError):
            raise _Wrong(f"the record at position {row['position']} has no bytes") from None

    def note_file(self, row: dict[str, Any], stored: bytes) -> None:
        """Learn from the content of a record which file belongs to it."""
        try:
            manifest = manifest_in(row, stored)
        except ActionLogError as error:
            raise _Wrong(f"the evidence {row.get('id')} names no file: {error.message}") from None
        name = file_name(manifest)
        self.files[name] = manifest
        self.contents[name] = manifest.kept_sha256

    def _note_checkpoint(self, row: dict[str, Any]) -> None:
        try:
            checkpoint = checkpoints.parse(str(row.get("statement")))
        except UsageError:
            return
        stated, since = self._hashes.get(checkpoint.position, (None, None))
        if stated is None:
            return  # of a position before this range
        if stated != checkpoint.hash:
            raise _Wrong(
                f"the checkpoint at position {row['position']} states another hash for position {checkpoint.position}"
            )
        newest = self.checkpoints.get(since) if since is not None else None
        if since is None or (newest is not None and newest.position >= checkpoint.position):
            return
        if isinstance(signature := row.get("signature"), str):
            self.checkpoints[since] = msgspec.structs.replace(checkpoint, signature=signature)


class _Reading:
    """Reads a member, digesting it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self._file = file

    def lines(self) -> Iterator[bytes]:
        """Yield its lines.

        Raises:
            _Wrong: One has no end.
        """
        rest = b""
        while data := self._next():
            *whole, rest = (rest + data).split(b"\n")
            yield from whole
            if len(rest) > _LONGEST_LINE:
                raise _Wrong(f"a line of {bundle.CHAIN} is too long")
        if rest:
            yield rest

    def whole(self, most: int) -> bytes:
        """Return all of it.

        Raises:
            _Wrong: It is longer than that.
        """
        data = b""
        while piece := self._next():
            data += piece
            if len(data) > most:
                raise _Wrong("a piece of evidence is larger than it can be")
        return data

    def rest(self) -> None:
        """Read to the end."""
        while self._next():
            pass

    def _next(self) -> bytes:
        data = self._file.read(_READ)
        self.digest.update(data)
        self.size += len(data)
        return data


def _is_hash(value: str) -> bool:
    return len(value) == 64 and not set(value) - set("0123456789abcdef")


async def _signer(walk: _Walk, allowed_signers: Path) -> str:
    """Return who signed the manifest."""
    if not walk.signature:
        raise _Wrong("its manifest is not signed")
    try:
        identity = await signing.signer(walk.signature, allowed_signers)
        await signing.verify(walk.manifest_bytes, walk.signature, identity, allowed_signers, signing.EXPORT)
    except SignatureError as error:
        raise _Wrong(f"its manifest is not vouched for: {error.message}") from None
    return identity


async def _vouched(walk: _Walk, allowed_signers: Path) -> list[Vouched]:
    """Return what good checkpoints vouch for, in the order of the chain."""
    vouched = []
    for since, checkpoint in sorted(walk.chain.checkpoints.items(), reverse=True)[:MOST_SIGNATURES]:
        signature, statement = checkpoint.signature or "", checkpoint.statement.encode()
        try:
            identity = await signing.signer(signature, allowed_signers)
        except SignatureError as error:
            walk.warnings.append(f"the checkpoint of position {checkpoint.position}: {error.message}")
            continue
        try:
            await signing.verify(statement, signature, identity, allowed_signers, signing.CHECKPOINT)
        except SignatureError as error:
            raise _Wrong(
                f"the checkpoint of position {checkpoint.position} is not what {identity} signed: {error.message}"
            ) from None
        vouched.append(Vouched(since, checkpoint.position, identity))
    return vouched[::-1]
