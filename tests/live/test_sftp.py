"""Files fetched from and put on a real OpenSSH server behind a bastion."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.cockpit_cli import COCKPIT, actions, cockpit, environment
from tests.helpers.ssh_lab import SshLab, ssh_lab
from tests.live.servers import program, wait_for

SECRET = "password=hunter2secret99"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    program("sshd", "openssh-server")
    with ssh_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def data(tmp_path: Path, lab: SshLab) -> Path:
    (tmp_path / "cockpit.toml").write_text(
        f'[ssh]\nconfig = "{lab.config}"\n'
        '[[targets]]\nname = "one"\nenvironment = "development"\n'
        '[[targets]]\nname = "two"\nenvironment = "staging"\n'
    )
    return tmp_path / "data"


def run(data: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    return cockpit(data, *args, "--config", str(data.parent / "cockpit.toml"))


def there(tmp_path: Path) -> Path:
    """Make what a host has; the lab's hosts see this machine's files."""
    folder = tmp_path / "host"
    (folder / "sub").mkdir(parents=True)
    (folder / "app.log").write_text(f"one\n{SECRET}\ntwo\n")
    (folder / "sub" / "odd\x1b]0;x\x07 name").write_bytes(b"\0\1\2")
    (folder / "empty.log").touch()
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    return folder


def test_a_directory_is_fetched_as_evidence(data: Path, tmp_path: Path) -> None:
    folder = there(tmp_path)
    answer = run(data, "fetch", f"one:{folder}", "--incident", "INC-7")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.decode().splitlines()
    assert len(lines) == 3
    digest = hashlib.sha256((folder / "app.log").read_bytes()).hexdigest()
    assert f"{folder}/app.log · {len((folder / 'app.log').read_bytes())} bytes · sha256 {digest}" in lines[0]
    assert "1 secrets cut out" in lines[0]
    assert b"\x1b" not in answer.stdout + answer.stderr
    assert "left out: a link" in answer.stderr.decode() and "left out: a pipe" in answer.stderr.decode()
    (action,) = actions(data)
    assert (action["kind"], action["risk"], action["state"]) == ("fetch", "read", "done")
    assert action["incident"] == "INC-7"
    assert not any(SECRET.encode() in each.read_bytes() for each in data.rglob("*") if each.is_file())


def test_a_glob_and_a_path_that_overlap_bring_a_file_once(data: Path, tmp_path: Path) -> None:
    folder = there(tmp_path)
    answer = run(data, "fetch", f"one:{folder}/*.log", f"one:{folder}/app.log")
    assert answer.stdout.decode().count("app.log ·") == 1
    assert answer.stdout.decode().count("empty.log ·") == 1


def test_what_is_not_there_fails_and_the_rest_comes(data: Path, tmp_path: Path) -> None:
    folder = there(tmp_path)
    answer = run(data, "fetch", f"one:{folder}/no-such", f"one:{folder}/app.log")
    assert answer.returncode == 1
    assert b"no-such" in answer.stderr
    assert b"app.log \xc2\xb7" in answer.stdout


def test_more_than_the_limit_is_not_begun(data: Path, tmp_path: Path) -> None:
    folder = there(tmp_path)
    (folder / "large").write_bytes(bytes(5000))
    answer = run(data, "fetch", f"one:{folder}/large", "--limit", "1K")
    assert answer.returncode == 1
    assert b"--limit" in answer.stderr
    assert not list((data / "evidence").glob("??/*"))


def test_verify_tells_of_a_file_that_was_changed_or_is_gone(data: Path, tmp_path: Path) -> None:
    folder = there(tmp_path)
    run(data, "fetch", f"one:{folder}/app.log")
    assert run(data, "log", "verify").returncode == 0
    (kept,) = (data / "evidence").glob("??/*")
    kept.chmod(0o600)
    kept.write_bytes(b"something else")
    answer = run(data, "log", "verify")
    assert answer.returncode == 1 and b"edited" in answer.stdout
    kept.unlink()
    answer = run(data, "log", "verify")
    assert answer.returncode == 1 and b"dropped" in answer.stdout


def test_pruned_evidence_takes_its_file_along(data: Path, tmp_path: Path) -> None:
    run(data, "fetch", f"one:{there(tmp_path)}/app.log")
    assert list((data / "evidence").glob("??/*"))
    answer = run(data, "log", "prune", "--before", "2100-01-01", "--reason", "over")
    assert answer.returncode == 0, answer.stderr
    assert not list((data / "evidence").glob("??/*"))


def test_a_fetch_that_was_stopped_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(random.Random(1).randbytes(1_000_000) * 200)
    argv = [*COCKPIT, "fetch", f"one:{large}", "--config", str(tmp_path / "cockpit.toml")]
    process = subprocess.Popen(argv, env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    partial = data / "evidence" / "partial"
    wait_for(lambda: any(each.stat().st_size > 20_000_000 for each in partial.glob("*")), what="a part of it")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    (action,) = actions(data)
    assert action["state"] == "cancelled"
    answer = run(data, "fetch", f"one:{large}")
    assert answer.returncode == 0, answer.stderr
    assert b"resumed at" in answer.stdout
    assert hashlib.sha256(large.read_bytes()).hexdigest().encode() in answer.stdout
    assert not list(partial.glob("*"))


def test_another_file_of_the_same_size_is_not_gone_on_with(data: Path, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(1000))
    os.utime(large, (1, 1))
    from cockpit.actionlog.files import EvidenceFiles

    broken = EvidenceFiles(data / "actions.db").partial("one", str(large), 1000, 1)
    broken.write_bytes(b"x" * 500)
    answer = run(data, "fetch", f"one:{large}")
    assert answer.returncode == 0 and b"resumed" not in answer.stdout
    assert hashlib.sha256(bytes(1000)).hexdigest().encode() in answer.stdout


def test_an_upload_is_a_change_and_stands_whole_or_not_at_all(data: Path, tmp_path: Path) -> None:
    local, target = tmp_path / "fix.conf", tmp_path / "host"
    target.mkdir()
    local.write_bytes(random.Random(2).randbytes(700_000))
    answer = run(data, "put", str(local), f"two:{target}")
    assert answer.returncode == 3 and b"--confirm two" in answer.stderr
    assert not list(target.iterdir())
    answer = run(data, "put", str(local), f"two:{target}", "--confirm", "two")
    assert answer.returncode == 0, answer.stderr
    assert [each.name for each in target.iterdir()] == ["fix.conf"]
    assert (target / "fix.conf").read_bytes() == local.read_bytes()
    assert [each["risk"] for each in actions(data)] == ["change", "change"]


def test_an_upload_replaces_nothing_unless_told(data: Path, tmp_path: Path) -> None:
    local, target = tmp_path / "new", tmp_path / "old"
    local.write_bytes(b"new")
    target.write_bytes(b"old")
    answer = run(data, "put", str(local), f"one:{target}")
    assert answer.returncode == 1 and b"--overwrite" in answer.stderr
    assert target.read_bytes() == b"old"
    answer = run(data, "put", "--overwrite", str(local), f"one:{target}", "--confirm", "one")
    assert answer.returncode == 0, answer.stderr
    assert target.read_bytes() == b"new"
    assert json.loads(run(data, "log", "list", "--json", "--limit", "1").stdout)[0]["risk"] == "destructive"


def test_a_disk_that_is_full_there_leaves_nothing_behind(data: Path, tmp_path: Path) -> None:
    local = tmp_path / "x"
    local.write_bytes(b"x")
    answer = run(data, "put", str(local), "one:/proc/version")
    assert answer.returncode == 1
    answer = run(data, "put", str(local), "one:/proc/no-such-place")
    assert answer.returncode == 1 and b"/proc/no-such-place" in answer.stderr


def test_a_host_that_does_not_answer_is_said(data: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (tmp_path / "ssh_config").write_text(f"Host gone\n HostName 127.0.0.1\n Port {port}\n")
    (tmp_path / "cockpit.toml").write_text(f'[ssh]\nconfig = "{tmp_path / "ssh_config"}"\n')
    began = time.monotonic()
    answer = run(data, "fetch", "gone:/etc/hostname")
    assert answer.returncode == 1 and b"gone" in answer.stderr
    assert time.monotonic() - began < 10
