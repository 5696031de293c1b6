"""A bundle holds the fetched files, each proved by its record; what is left out is named."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from cockpit.actionlog.export.checking import check
from cockpit.actionlog.files import MEDIA_TYPE, EvidenceFiles, Manifest, manifest_of
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.redacting import Cleaner, open_redactor
from cockpit.errors import ActionLogError
from cockpit.sftp.keeping import Keeping
from cockpit.sftp.remote import RemoteFile
from tests.helpers.cockpit_cli import cockpit
from tests.helpers.exports import exported

SMALL, LARGE = b"a line\n" * 100, bytes(range(256)) * 1000


def kept(log: Path, path: str, data: bytes) -> Manifest:
    """Keep a file as a fetch does."""
    file = RemoteFile(path=path, size=len(data), modified=1, mode=0o100644)
    keeping = Keeping(EvidenceFiles(log), Cleaner(open_redactor(log, tuple)), "web-1", file)
    keeping.open(go_on=False)
    keeping.take(data)
    manifest, _ = keeping.finish()
    keeping.close()
    return manifest


async def fetched(path: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """Write a log whose evidence names files."""
    log = ActionLog.open(path)
    for name, data in files:
        body = msgspec.json.encode(kept(path, name, data))
        await log.evidence("file", name, body, media_type=MEDIA_TYPE)
    await log.evidence("logs", "no file", b"{}")
    log.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "actions.db"
    asyncio.run(fetched(path, [("/var/log/a", SMALL), ("/core", LARGE), ("/var/log/copy of a", SMALL)]))
    return path


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {info.name: (tar.extractfile(info) or io.BytesIO()).read() for info in tar}


def test_each_file_is_in_it_once_and_proves_itself(log: Path, tmp_path: Path) -> None:
    exported(log, tmp_path / "x.tar", "tar")
    report = asyncio.run(check(tmp_path / "x.tar"))
    assert (report.bad, report.files, report.contents) == (None, 2, 4)
    assert not [warning for warning in report.warnings if "file" in warning]
    files = {name: data for name, data in members(tmp_path / "x.tar").items() if name.startswith("files/")}
    assert sorted(files.values(), key=len) == [SMALL, LARGE]
    assert all(EvidenceFiles(log).path(name[6:]).read_bytes() == data for name, data in files.items())


def test_one_byte_of_a_file_that_was_changed_is_told(log: Path, tmp_path: Path) -> None:
    exported(log, tmp_path / "x.tar", "tar")
    data = bytearray((tmp_path / "x.tar").read_bytes())
    at = data.index(LARGE) + len(LARGE) // 2
    data[at] ^= 1
    (tmp_path / "y.tar").write_bytes(data)
    said = cockpit(log.parent, "log", "verify", str(tmp_path / "y.tar"))
    assert said.returncode == 1
    assert b"NOT SOUND" in said.stdout and b"files/" in said.stdout
    assert b"is not what its record says" in said.stdout
    said = cockpit(log.parent, "log", "verify", str(tmp_path / "x.tar"))
    assert said.returncode == 0 and b"2 fetched files are what their records say" in said.stdout


def test_a_file_that_no_record_names_and_one_that_came_too_early_are_told(log: Path, tmp_path: Path) -> None:
    exported(log, tmp_path / "x.tar", "tar")
    inside = members(tmp_path / "x.tar")
    first = next(name for name in inside if name.startswith("files/"))
    for order in (
        {**inside, "files/" + "0" * 64: b"x"},
        {"chain.jsonl": inside["chain.jsonl"], first: inside[first], **inside},
    ):
        with tarfile.open(tmp_path / "y.tar", "w") as tar:
            for name, data in order.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        assert "belongs to no record" in (asyncio.run(check(tmp_path / "y.tar")).bad or "")


@pytest.mark.parametrize(
    ("most", "count", "why"), [(0, 0, "files were not asked for"), (1000, 1, "larger than the 1,000 bytes")]
)
def test_what_is_left_out_is_named_and_the_rest_is_sound(
    log: Path, tmp_path: Path, most: int, count: int, why: str
) -> None:
    exported(log, tmp_path / "x.tar", "tar", most=most)
    report = asyncio.run(check(tmp_path / "x.tar"))
    assert (report.bad, report.files) == (None, count)
    [warning] = [warning for warning in report.warnings if "/core" in warning]
    assert why in warning and "web-1:/core" in warning


def test_a_file_that_is_gone_or_was_changed_is_left_out_and_said_to_be(log: Path, tmp_path: Path) -> None:
    for manifest, change in zip(
        (kept(log, "a", SMALL), kept(log, "b", LARGE)), ("gone", "edit"), strict=True
    ):
        path = EvidenceFiles(log).path(manifest.kept_sha256)
        path.chmod(0o600)
        path.unlink() if change == "gone" else path.write_bytes(LARGE[:-1] + b"x")
    exported(log, tmp_path / "x.tar", "tar")
    said = json.loads(members(tmp_path / "x.tar")["manifest.json"])["files_left_out"]
    assert sorted(each["why"] for each in said) == [
        "it was changed, and is no more what its record says",
        "it was gone",
    ]
    assert asyncio.run(check(tmp_path / "x.tar")).files == 0


def test_the_verb_takes_a_size_and_says_what_it_left_out(log: Path, tmp_path: Path) -> None:
    words = ("log", "export", "--format", "tar", "--files", "1K", "--json", "-o", str(tmp_path / "x.tar"))
    said = cockpit(log.parent, *words)
    assert said.returncode == 0, said.stderr
    assert b"web-1:/core (256,000 bytes" in said.stderr
    assert [each["place"] for each in json.loads(said.stdout)["files_left_out"]] == ["web-1:/core"]
    said = cockpit(log.parent, "log", "export", "--format", "json", "--files", "none")
    assert said.returncode == 2 and b"only a bundle holds files" in said.stderr
    said = cockpit(log.parent, "log", "export", "--format", "tar", "--files", "few", "-o", "x")
    assert said.returncode == 2 and b"no size" in said.stderr


@pytest.mark.parametrize("name", ["../../etc/passwd", "0" * 63, "0" * 64 + "\n", "A" * 64])
def test_a_manifest_names_no_other_file(name: str) -> None:
    manifest = Manifest(
        host="h", path="/p", size=1, modified=1, sha256="", kept_sha256=name, kept_size=1, cut=0
    )
    with pytest.raises(ActionLogError, match="no manifest"):
        manifest_of(msgspec.json.encode(manifest))
