from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.actionlog.files import EvidenceFiles
from cockpit.actionlog.redacting import Cleaner, open_redactor
from cockpit.sftp.keeping import Keeping
from cockpit.sftp.remote import RemoteFile

SECRET = b"password=hunter2secret99"
LINES = st.lists(
    st.sampled_from([b"a line\n", SECRET + b"\n", b"\n", b"x" * 300 + b"\n", b"end"]), max_size=12
)


def keeping(folder: Path, data: bytes) -> Keeping:
    log = folder / "actions.db"
    file = RemoteFile(path="/var/log/app.log", size=len(data), modified=1, mode=0o100644)
    return Keeping(EvidenceFiles(log), Cleaner(open_redactor(log, tuple)), "web-1", file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(lines=LINES, at=st.integers(0, 4000), step=st.integers(1, 700))
def test_it_is_kept_whole_without_its_secrets_however_it_comes_and_breaks(
    tmp_path: Path, lines: list[bytes], at: int, step: int
) -> None:
    data = b"".join(lines)
    broken = keeping(tmp_path, data)
    broken.open(go_on=False)
    broken.take(data[:at])
    broken.close()
    again = keeping(tmp_path, data)
    here, tail = again.earlier()
    assert data[:here].endswith(tail)
    start = again.open(go_on=here > 0)
    for begin in range(start, len(data), step):
        again.take(data[begin : begin + step])
    manifest, path = again.finish()
    again.close()
    kept = path.read_bytes()
    assert manifest.sha256 == hashlib.sha256(data).hexdigest()
    assert manifest.kept_sha256 == hashlib.sha256(kept).hexdigest() == path.name
    assert (manifest.size, manifest.kept_size) == (len(data), len(kept))
    assert b"hunter2" not in kept
    assert manifest.cut == data.count(SECRET)
    assert kept == data or manifest.cut
    assert [each.name for each in (tmp_path / "evidence" / "partial").iterdir()] == []


def test_what_is_no_text_is_kept_as_it_is(tmp_path: Path) -> None:
    data = b"\x7fELF\0" + SECRET + b"\n"
    kept = keeping(tmp_path, data)
    kept.open(go_on=False)
    kept.take(data)
    manifest, path = kept.finish()
    assert path.read_bytes() == data
    assert manifest.cut == 0


def test_what_is_under_way_is_for_its_owner_alone(tmp_path: Path) -> None:
    kept = keeping(tmp_path, b"x")
    kept.open(go_on=False)
    kept.take(SECRET + b"\n")
    modes = {each.stat().st_mode & 0o777 for each in (tmp_path / "evidence" / "partial").iterdir()}
    assert modes == {0o600}
    kept.close()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"untouched")
    kept = keeping(tmp_path, b"x")
    kept._raw.symlink_to(other)
    with pytest.raises(OSError):
        kept.open(go_on=False)
    assert other.read_bytes() == b"untouched"
