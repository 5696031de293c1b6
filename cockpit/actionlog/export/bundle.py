"""A bundle that proves itself: a tar file with the records, what they printed, a report, and a signed manifest.

- `chain.jsonl` holds every position from the first exported record to the last, so that the chain can be recomputed
  as `cockpit/actionlog/chain.py` defines it. A line is a record, `{"position", "table", "hash", "row"}`, or a run of
  records that were left out, `{"left_out": {"first", "last", "hash", "canonical_sha256"}}`: the hash of its last
  record, from which the chain goes on, and the digest of the run's canonical rows one after another. The first line,
  `{"before", "stated"}`, is the hash before all that, and the positions that checkpoints speak of.
- `output/ACTION/NUMBER.zst` (or `.raw`) and `evidence/ID.zst` (or `.raw`) are bytes as they are stored; the SHA-256
  of each is in its record.
- `files/SHA256` is a fetched file, which a record of evidence names by that digest; see `files.py`.
- `manifest.json` comes after all that it names with size and SHA-256, and `manifest.json.sig` is its signature.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from cockpit.actionlog.chain import CONTENT, canonical_row
from cockpit.actionlog.export import html
from cockpit.actionlog.export.facts import Facts
from cockpit.actionlog.export.files import FilesOf, LeftOut, Readable
from cockpit.actionlog.export.place import Place
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.actionlog.prune import hash_at
from cockpit.errors import ActionLogError
from cockpit.guard import signing

FORMAT = 1
CHAIN, REPORT, SIGNERS = "chain.jsonl", "report.html", "allowed_signers"
MANIFEST, SIGNATURE, README = "manifest.json", "manifest.json.sig", "README.txt"
_README = f"""An excerpt of a cockpit's action log.

  cockpit log verify BUNDLE.tar --allowed-signers FILE

checks all of it on any machine: every member against {MANIFEST}, the signature of {MANIFEST}, every exported record
against the hash chain, what commands printed and the fetched files against their records, and the checkpoints.
By hand:

  ssh-keygen -Y verify -f FILE -I NAME -n {signing.EXPORT} -s {SIGNATURE} < {MANIFEST}
  sha256sum {CHAIN} {REPORT} files/*

FILE lists whose signatures you trust, a line `NAME ssh-ed25519 KEY`. The file {SIGNERS} in here, if there is one, is
what the exporter trusted: it proves nothing until you have compared it with what you know.
{REPORT} is to be read in a browser; `zstd -d` unpacks what commands printed. A file in files/ is named by its
SHA-256; the evidence that names it says where it is from, and {MANIFEST} which files were left out, and why.
"""


class Member(Struct, frozen=True):
    """A file in the bundle."""

    name: str
    size: int
    sha256: str


class Run(Struct, frozen=True, kw_only=True):
    """Records that were left out between exported ones; without a digest they had been pruned from the log before."""

    first: int
    last: int
    hash: str
    canonical_sha256: str | None = None


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of `chain.jsonl`: a record, or a run of those left out."""

    position: int | UnsetType = UNSET
    table: str | UnsetType = UNSET
    hash: str | UnsetType = UNSET
    row: dict[str, int | str] | UnsetType = UNSET
    left_out: Run | UnsetType = UNSET
    before: str | UnsetType = UNSET
    stated: tuple[int, ...] | UnsetType = UNSET


class Range(Struct, frozen=True, kw_only=True):
    """The part of the chain that a bundle holds.

    Attributes:
        first: Its first position.
        last: Its last one.
        before: The hash before the first.
        hash: The hash of the last.
        records: How many records are in it whole.
        left_out: How many are not.
    """

    first: int
    last: int
    before: str
    hash: str
    records: int
    left_out: int


class Manifest(Struct, frozen=True, kw_only=True):
    """What is in a bundle, and which of the fetched files are not."""

    cockpit_bundle: int
    head: Facts
    chain: Range
    members: tuple[Member, ...]
    files_left_out: tuple[LeftOut, ...] = ()


class Bundle:
    """A tar file that is written in one go, and remembers what is in it."""

    def __init__(self, place: Place) -> None:
        self.members: list[Member] = []
        self._place = place
        self._tar = tarfile.open(fileobj=_Writing(place), mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, name: str, data: bytes) -> None:
        """Add a member that is small."""
        self._add(name, io.BytesIO(data), len(data))

    def add_text(self, name: str, pieces: Iterable[str | bytes]) -> None:
        """Add a member whose size is known only when all of it is there: it is written aside first."""
        with tempfile.TemporaryFile(dir=self._place.folder) as aside:
            for piece in pieces:
                aside.write(piece if isinstance(piece, bytes) else piece.encode())
            size = aside.tell()
            aside.seek(0)
            self._add(name, aside, size)

    def add_file(self, name: str, file: Readable, size: int, sha256: str) -> None:
        """Add a member of any size that has to be what it is said to be.

        Raises:
            ActionLogError: It isn't: it was changed meanwhile.
        """
        try:
            self._add(name, file, size)
        except OSError as error:
            raise ActionLogError(f"{name} can't be read: {error.strerror or error}") from None
        if self.members[-1].sha256 != sha256:
            raise ActionLogError(f"{name} was changed while it was read", remedy="export once more")

    def close(self) -> None:
        """Write the end of the tar file."""
        self._tar.close()

    def _add(self, name: str, source: Readable, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(time.time())
        hashing = _Hashing(source)
        self._tar.addfile(info, hashing)
        self._tar.members.clear()  # type: ignore[attr-defined]  # else it remembers each of a million
        self.members.append(Member(name, size, hashing.digest.hexdigest()))


class _Hashing(io.RawIOBase):
    """Digests what is read from a file."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data


class _Writing(io.RawIOBase):
    """A place, as a tar file wants it."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def write(self, data: Any) -> int:
        return self._place.write(bytes(data))


def write(
    snapshot: Snapshot,
    facts: Facts,
    place: Place,
    *,
    signing_key: Path | None,
    allowed_signers: Path | None,
    most: int,
) -> tuple[LeftOut, ...]:
    """Write a bundle, and return which of the fetched files are not in it.

    Args:
        snapshot: What was chosen.
        facts: Its head.
        place: Where to.
        signing_key: What it is signed with, if anything.
        allowed_signers: The list of signers that goes in.
        most: Bytes of a fetched file that goes in; 0 for none.

    Raises:
        SignatureError: There is a key, and nothing can be signed with it.
        CockpitError: It can't be written.
        ActionLogError: The log can't be read.
    """
    _reach_a_checkpoint(snapshot)
    bundle = Bundle(place)
    bundle.add(README, _README.encode())
    chain = _Chain(snapshot)
    bundle.add_text(CHAIN, chain.lines())
    for name, data in _contents(snapshot, facts):
        bundle.add(name, data)
    files = FilesOf(snapshot, most=most)
    for name, file, size, sha256 in files.members():
        bundle.add_file(name, file, size, sha256)
    bundle.add_text(REPORT, html.page(snapshot, facts))
    signers = _signers(facts, signing_key, allowed_signers)
    if signers:
        bundle.add(SIGNERS, signers)
    manifest = Manifest(
        cockpit_bundle=FORMAT,
        head=facts,
        chain=chain.range(),
        members=tuple(bundle.members),
        files_left_out=tuple(files.left_out),
    )
    said = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    bundle.add(MANIFEST, said)
    if signing_key is not None:
        signature = asyncio.run(signing.sign(said, signing_key, signing.EXPORT))
        bundle.add(SIGNATURE, signature.encode())
    bundle.close()
    return manifest.files_left_out


def _signers(facts: Facts, signing_key: Path | None, allowed_signers: Path | None) -> bytes:
    """Return who the exporter says may sign: the configured list, else the key that this is signed with."""
    if allowed_signers is not None:
        try:
            return allowed_signers.read_bytes()[: 1 << 20]
        except OSError:
            pass  # the list is for those who verify; what is wrong with it, `cockpit log verify` says
    if signing_key is None:
        return b""
    proof = asyncio.run(signing.sign(b"", signing_key, signing.EXPORT))
    return f"{facts.made_by.split()[0]} {signing.public_key_of(proof)}\n".encode()


def _reach_a_checkpoint(snapshot: Snapshot) -> None:
    """Take in the first checkpoint that covers all that is chosen, a signed one if there is any."""
    _, last = snapshot.ends()
    position = snapshot.value(
        "select position from checkpoints where of_position >= :last order by signature is null, position limit 1",
        last=last,
    )
    if position is not None:
        snapshot.extend_to(position)


def _contents(snapshot: Snapshot, facts: Facts) -> Iterator[tuple[str, bytes]]:
    """Yield the bytes of output and evidence, and their names."""
    for table in ("output", "evidence") if facts.with_output else ("evidence",):
        for _, _, row in snapshot.rows((table,)):
            data = row[CONTENT[table]]
            if data is not None:
                yield name_of(table, row), data
            snapshot.step(row["size"])


def name_of(table: str, row: dict[str, Any]) -> str:
    """Return the name of the member that holds a record's bytes."""
    ending = "zst" if row["codec"] == "zstd" else "raw"
    if table == "output":
        return f"output/{row['action']}/{row['seq']:06}.{ending}"
    return f"evidence/{row['id']}.{ending}"


class _Chain:
    """Writes the exported range of the chain, and learns what is to be said of it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._first, self._last = snapshot.ends()
        self._before = self._hash_at(self._first - 1)
        self._hash = self._before
        self._records = 0
        self._stated = {row["of_position"] for row in snapshot.select("select of_position from checkpoints")}

    def range(self) -> Range:
        """Return what was written."""
        return Range(
            first=self._first,
            last=self._last,
            before=self._before,
            hash=self._hash,
            records=self._records,
            left_out=self._last - self._first + 1 - self._records,
        )

    def lines(self) -> Iterator[bytes]:
        """Yield the lines."""
        yield _encoded(Line(before=self._before, stated=tuple(sorted(self._stated))))
        expected, run = self._first, _OpenRun()
        for position, table, row in self._snapshot.rows(content=False, between=(self._first, self._last)):
            if position > expected:
                yield from run.close()
                gone = Run(first=expected, last=position - 1, hash=self._hash_at(position - 1))
                yield _encoded(Line(left_out=gone))
            expected = position + 1
            self._hash = row["hash"]
            if self._snapshot.is_chosen(position):
                yield from run.close()
                self._records += 1
                self._snapshot.step()
                said = {name: value for name, value in row.items() if value is not None and name != "hash"}
                yield _encoded(Line(position=position, table=table, hash=row["hash"], row=said))
            else:
                run.add(position, table, row)
                if position in self._stated:
                    yield from run.close()
        yield from run.close()

    def _hash_at(self, position: int) -> str:
        db = self._snapshot._db
        assert db is not None
        return hash_at(db, position)


class _OpenRun:
    """Records that are left out, so far."""

    def __init__(self) -> None:
        self._first = 0
        self._last = 0
        self._hash = ""
        self._digest = hashlib.sha256()

    def add(self, position: int, table: str, row: dict[str, Any]) -> None:
        """Take in the next one."""
        self._first = self._first or position
        self._last, self._hash = position, row["hash"]
        self._digest.update(canonical_row(table, row))

    def close(self) -> Iterator[bytes]:
        """Yield the line for the run, if there is one, and begin another."""
        if self._first:
            digest = self._digest.hexdigest()
            run = Run(first=self._first, last=self._last, hash=self._hash, canonical_sha256=digest)
            yield _encoded(Line(left_out=run))
            self._first, self._digest = 0, hashlib.sha256()


def _encoded(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"
