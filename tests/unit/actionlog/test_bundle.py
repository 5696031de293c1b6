"""A bundle proves itself on a machine that has nothing else, and whatever is done to one is told."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cockpit.actionlog import chain
from cockpit.actionlog.export import bundle
from cockpit.actionlog.export.checking import BundleReport, check, is_bundle
from cockpit.actionlog.filters import Filter
from cockpit.actionlog.log import ActionLog
from cockpit.errors import SignatureError
from cockpit.guard import signing
from tests.helpers.exports import exported
from tests.helpers.keys import allow, make_key, needs_ssh_keygen
from tests.helpers.log_filling import act

Members = dict[str, bytes]
INCIDENT = Filter(incident="INC-1")


async def filled(path: Path, key: Path | None = None) -> None:
    """Write an incident among other things, in two sessions."""
    for turn in range(2):
        log = ActionLog.open(path, signing_key=key)
        await act(log, "before")
        action = await act(log, "rm", "-rf", "x", incident="INC-1", output=[b"gone\n" * 100, b"\xff" * 10])
        await log.note("a note", action=action)
        await act(log, "in between", output=[b"not yours"])
        await log.evidence("logs", "lines", b"line\n" * 100 * (turn + 1), incident="INC-1")
        log.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    asyncio.run(filled(folder / "actions.db"))
    exported(folder / "actions.db", folder / "x.tar", "tar", filters=INCIDENT)
    return folder / "x.tar"


def checked(path: Path, allowed_signers: Path | None = None) -> BundleReport:
    return asyncio.run(check(path, allowed_signers=allowed_signers))


def unpacked(path: Path) -> Members:
    with tarfile.open(path) as tar:
        return {info.name: (tar.extractfile(info) or io.BytesIO()).read() for info in tar}


def packed(members: Members, path: Path) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def restated(members: Members) -> Members:
    """Make the manifest say again what is there, as somebody without a key can."""
    manifest = json.loads(members["manifest.json"])
    inside = {name: data for name, data in members.items() if not name.startswith("manifest.json")}
    manifest["members"] = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in inside.items()
    ]
    rest = {name: data for name, data in members.items() if name == "manifest.json.sig"}
    return {**inside, "manifest.json": json.dumps(manifest).encode(), **rest}


def lines_of(members: Members) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members["chain.jsonl"].splitlines()]


def with_lines(members: Members, lines: list[dict[str, Any]]) -> Members:
    said = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return restated({name: said if name == "chain.jsonl" else data for name, data in members.items()})


def test_it_is_sound_and_holds_no_more_than_was_chosen(whole: Path) -> None:
    report = checked(whole)
    assert (report.sound, report.bad) == (True, None)
    assert report.contents == 4
    assert report.left_out > 0
    members = unpacked(whole)
    lines = lines_of(members)
    rows = [line["row"] for line in lines if "row" in line]
    assert report.records == len(rows)
    assert b"in between" not in b"".join(members.values())
    assert b"not yours" not in b"".join(members.values())
    assert {row["argv"] for row in rows if "argv" in row} == {'["rm", "-rf", "x"]'}
    assert list(members)[-1] == "manifest.json"
    assert is_bundle(whole)
    assert not is_bundle(whole.with_name("actions.db"))


def test_what_is_left_out_can_be_held_against_the_log(whole: Path) -> None:
    """The canonical rows of a run, digested one after another, are what the log has there."""
    from cockpit.actionlog.export.snapshot import Snapshot

    snapshot = Snapshot(whole.with_name("actions.db"), Filter())
    snapshot.choose()
    runs = [line["left_out"] for line in lines_of(unpacked(whole)) if "left_out" in line]
    assert runs
    for run in runs:
        digest = hashlib.sha256()
        for _, table, row in snapshot.rows(between=(run["first"], run["last"])):
            digest.update(chain.canonical_row(table, row))
            assert row["hash"]
        assert digest.hexdigest() == run["canonical_sha256"]
        assert row["hash"] == run["hash"]
    snapshot.close()


def edit_reason(members: Members) -> Members:
    lines = lines_of(members)
    next(line for line in lines if line.get("table") == "actions")["row"]["argv"] = '["true"]'
    return with_lines(members, lines)


def drop_line(members: Members) -> Members:
    lines = lines_of(members)
    del lines[next(number for number, line in enumerate(lines) if line.get("table") == "results")]
    return with_lines(members, lines)


def swap_lines(members: Members) -> Members:
    lines = lines_of(members)
    lines[1], lines[2] = lines[2], lines[1]
    return with_lines(members, lines)


def other_output(members: Members) -> Members:
    name = next(name for name in members if name.startswith("output/"))
    return restated({**members, name: b"other"})


def strange_output(members: Members) -> Members:
    return restated({"output/x/000000.raw": b"x", **members})


def hide_row(members: Members) -> Members:
    lines = lines_of(members)
    number = next(number for number, line in enumerate(lines) if line.get("table") == "notes")
    position, digest = lines[number]["position"], lines[number]["hash"]
    lines[number] = {
        "left_out": {"first": position, "last": position, "hash": digest, "canonical_sha256": "0" * 64}
    }
    return with_lines(members, lines)


def without(name: str) -> Callable[[Members], Members]:
    return lambda members: {key: data for key, data in members.items() if key != name}


def changed(name: str, data: bytes) -> Callable[[Members], Members]:
    return lambda members: {**members, name: data}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed("report.html", b"x"), "report.html was changed"),
        (changed("extra", b"x"), "extra was added"),
        (without("report.html"), "report.html is missing"),
        (without("manifest.json"), "no manifest"),
        (without("chain.jsonl"), "belongs to no record"),
        (changed("manifest.json", b"{}"), "manifest can't be read"),
        (changed("manifest.json", b"[" * 100_000), "manifest can't be read"),
        (changed("chain.jsonl", b"[\n"), "line 1 of chain.jsonl can't be read"),
        (changed("chain.jsonl", b"{}\n"), "does not begin"),
        (edit_reason, "was changed: its hash does not follow"),
        (drop_line, "after position"),
        (swap_lines, "is none"),
        (other_output, "is not what its record says"),
        (strange_output, "belongs to no record"),
        (hide_row, "not the range that the manifest says"),
    ],
)
def test_whatever_was_done_to_it_is_told(
    whole: Path, tmp_path: Path, change: Callable[[Members], Members], said: str
) -> None:
    report = checked(packed(change(unpacked(whole)), tmp_path / "y.tar"))
    assert not report.sound
    assert said in (report.bad or "") or change is swap_lines


def test_a_bundle_that_is_cut_off_anywhere_is_told(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    for size in (0, 100, 512, 3000, len(data) // 2, len(data) - 10_240):
        (tmp_path / "cut.tar").write_bytes(data[:size])
        assert not checked(tmp_path / "cut.tar").sound, size


def test_what_is_no_file_and_what_is_there_twice_is_told(whole: Path, tmp_path: Path) -> None:
    for kind in ("link", "twice", "manifest twice"):
        path = tmp_path / f"{kind}.tar"
        with tarfile.open(path, "w") as tar:
            for name, data in unpacked(whole).items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
                if name == {"twice": "report.html", "manifest twice": "manifest.json"}.get(kind):
                    tar.addfile(info, io.BytesIO(data))
            if kind == "link":
                link = tarfile.TarInfo("link")
                link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(link)
        report = checked(path)
        assert not report.sound
        assert "regular" in (report.bad or "") or "two members" in (report.bad or "")


@needs_ssh_keygen
def test_only_a_signature_that_counts_makes_a_rebuilt_one_impossible(tmp_path: Path) -> None:
    key, stranger = make_key(tmp_path, "ann"), make_key(tmp_path, "eve")
    allowed = allow(tmp_path, ann=key)
    asyncio.run(filled(tmp_path / "actions.db", key))
    path = tmp_path / "x.tar"
    exported(tmp_path / "actions.db", path, "tar", filters=INCIDENT, signing_key=key, allowed_signers=allowed)
    report = checked(path, allowed)
    assert (report.bad, report.signed_by) == (None, "ann@example.com")
    members = unpacked(path)
    assert members["allowed_signers"] == allowed.read_bytes()
    gaps = [line["left_out"] for line in lines_of(members) if "left_out" in line]
    assert gaps
    assert report.vouched
    for one in report.vouched:
        assert one.by == "ann@example.com"
        assert not [gap for gap in gaps if gap["last"] >= one.first and gap["first"] <= one.last]

    unstated = rechained(members)
    forged = packed(unstated, tmp_path / "z.tar")
    assert checked(forged).sound  # nobody was asked whose signature counts
    assert "vouched for" in (checked(forged, allowed).bad or "")
    unsigned = packed(without("manifest.json.sig")(unstated), tmp_path / "u.tar")
    assert "not signed" in (checked(unsigned, allowed).bad or "")
    theirs = asyncio.run(signing.sign(unstated["manifest.json"], stranger, signing.EXPORT))
    signed = packed({**unstated, "manifest.json.sig": theirs.encode()}, tmp_path / "s.tar")
    assert "vouched for" in (checked(signed, allowed).bad or "")
    wrong = asyncio.run(signing.sign(members["manifest.json"], key, signing.CHECKPOINT))
    other = packed({**members, "manifest.json.sig": wrong.encode()}, tmp_path / "w.tar")
    assert "vouched for" in (checked(other, allowed).bad or "")


@needs_ssh_keygen
def test_a_checkpoint_vouches_for_all_that_leads_to_it_without_a_gap(tmp_path: Path) -> None:
    key = make_key(tmp_path, "ann")
    allowed = allow(tmp_path, ann=key)
    asyncio.run(filled(tmp_path / "actions.db", key))
    exported(tmp_path / "actions.db", tmp_path / "x.tar", "tar", signing_key=key)
    report = checked(tmp_path / "x.tar", allowed)
    [one] = report.vouched
    assert (one.first, report.last) == (1, one.last + 1)
    rebuilt = packed(rechained(unpacked(tmp_path / "x.tar")), tmp_path / "y.tar")
    assert "states another hash" in (checked(rebuilt).bad or "")


def rechained(members: Members) -> Members:
    """Change an action and make the chain follow from it, as somebody without a key can."""
    lines = lines_of(members)
    digest = lines[0]["before"]
    for line in lines[1:]:
        if "left_out" in line:
            digest = line["left_out"]["hash"]
            continue
        if line["table"] == "actions":
            line["row"]["argv"] = '["true"]'
        digest = line["hash"] = chain.link(digest, line["table"], line["row"])
    manifest = json.loads(members["manifest.json"])
    manifest["chain"]["hash"] = digest
    return with_lines({**members, "manifest.json": json.dumps(manifest).encode()}, lines)


@needs_ssh_keygen
def test_ssh_keygen_and_sha256sum_alone_verify_it(tmp_path: Path) -> None:
    key = make_key(tmp_path, "ann")
    asyncio.run(filled(tmp_path / "actions.db"))
    exported(tmp_path / "actions.db", tmp_path / "x.tar", "tar", signing_key=key)
    members = unpacked(tmp_path / "x.tar")
    for name in ("manifest.json", "manifest.json.sig", "allowed_signers"):
        (tmp_path / name).write_bytes(members[name])
    words = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", "ann@desk", "-n", signing.EXPORT]
    said = subprocess.run(
        [*words, "-s", "manifest.json.sig"], cwd=tmp_path, input=members["manifest.json"], capture_output=True
    )
    assert said.returncode == 0, said.stderr
    for member in json.loads(members["manifest.json"])["members"]:
        assert hashlib.sha256(members[member["name"]]).hexdigest() == member["sha256"]
        assert len(members[member["name"]]) == member["size"]
    assert checked(tmp_path / "x.tar", tmp_path / "allowed_signers").signed_by == "ann@desk"


def test_a_key_that_can_not_sign_leaves_no_bundle(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(SignatureError):
        exported(whole.with_name("actions.db"), tmp_path / "x.tar", "tar", signing_key=tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


async def test_a_pruned_log_still_makes_a_sound_bundle(tmp_path: Path) -> None:
    path = tmp_path / "actions.db"
    await filled(path)
    log = ActionLog.open(path)
    await act(log, "kept", output=[b"kept"])
    await log.prune(9 * 10**18, reason="age", output_only=True)
    log.close()
    await asyncio.to_thread(exported, path, tmp_path / "x.tar", "tar")
    report = await check(tmp_path / "x.tar")
    assert (report.bad, report.left_out) == (None, 0)
    assert any("were pruned" in warning for warning in report.warnings)
    log = ActionLog.open(path)
    await log.prune(9 * 10**18, reason="age")
    await act(log, "newest", output=[b"newest"])
    log.close()
    await asyncio.to_thread(exported, path, tmp_path / "y.tar", "tar")
    report = await check(tmp_path / "y.tar")
    assert (report.bad, report.contents) == (None, 1)
    assert bundle.CHAIN in unpacked(tmp_path / "y.tar")


def test_without_output_the_records_are_there_and_the_bytes_are_not(whole: Path, tmp_path: Path) -> None:
    exported(whole.with_name("actions.db"), tmp_path / "x.tar", "tar", with_output=False)
    report = checked(tmp_path / "x.tar")
    assert (report.bad, report.contents, report.left_out) == (None, 2, 0)
    assert not [name for name in unpacked(tmp_path / "x.tar") if name.startswith("output/")]
