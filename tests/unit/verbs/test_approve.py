"""A second person's approval through the real command line, with real SSH keys and signatures."""

from __future__ import annotations

import getpass
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.cockpit_cli import actions, cockpit

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Return a data directory beside a configuration: production, with signers ann (the operator) and bob."""
    lines = []
    for name in ("ann", "bob", "eve"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name, "-C", name], check=True
        )
        if name != "eve":
            lines.append(f"{name}@example.com {(tmp_path / f'{name}.pub').read_text()}")
    (tmp_path / "signers").write_text("".join(lines))
    (tmp_path / "cockpit.toml").write_text(
        '[[targets]]\nname = "local"\nenvironment = "production"\n'
        f'[log]\nsigning_key = "{tmp_path}/ann"\nallowed_signers = "{tmp_path}/signers"\n'
    )
    return tmp_path / "data"


def run(data_dir: Path, *more: str) -> subprocess.CompletedProcess[bytes]:
    doomed = data_dir.parent / "doomed"
    doomed.touch()
    flags = ("--break-glass", "--incident", "INC-7", "--confirm", "local")
    return cockpit(data_dir, "run", *flags, *more, "--", "rm", str(doomed))


def asked(data_dir: Path) -> str:
    answer = run(data_dir)
    assert answer.returncode == 3 and b"cockpit approve 0" in answer.stderr
    listed: list[dict[str, Any]] = json.loads(cockpit(data_dir, "approve", "--json").stdout)
    assert listed[0]["risk"] == "destructive" and listed[0]["incident"] == "INC-7"
    return str(listed[0]["id"])


def approve(data_dir: Path, request: str, *more: str, key: str = "bob") -> subprocess.CompletedProcess[bytes]:
    return cockpit(data_dir, "approve", "--key", str(data_dir.parent / key), "--yes", *more, request)


def test_destruction_runs_once_under_another_persons_signature(data_dir: Path) -> None:
    request = asked(data_dir)
    assert (data_dir.parent / "doomed").exists()
    assert run(data_dir, "--approval", request).returncode == 3
    answer = approve(data_dir, request)
    assert answer.returncode == 0 and b"approved by bob@example.com" in answer.stdout, answer.stderr
    assert run(data_dir, "--approval", request).returncode == 0
    assert not (data_dir.parent / "doomed").exists()
    done = actions(data_dir)[0]
    assert (done["state"], done["approvals"], done["incident"]) == ("done", [request], "INC-7")
    assert f"approved by bob@example.com ({request})" in done["reasons"]
    again = run(data_dir, "--approval", request)
    assert again.returncode == 3 and b"used already" in again.stderr


def test_nobody_approves_their_own(data_dir: Path) -> None:
    request = asked(data_dir)
    own = approve(data_dir, request, key="ann")
    assert own.returncode == 3 and b"nobody approves their own" in own.stderr
    signers = data_dir.parent / "signers"
    signers.write_text(f"{getpass.getuser()}@example.com {(data_dir.parent / 'bob.pub').read_text()}")
    same = approve(data_dir, request)
    assert same.returncode == 3 and b"nobody approves their own" in same.stderr
    ann = (data_dir.parent / "ann.pub").read_text()
    signers.write_text(f"carl@example.com {(data_dir.parent / 'bob.pub').read_text()}carl@example.com {ann}")
    other = approve(data_dir, request)
    assert other.returncode == 3 and b"own key" in other.stderr
    assert run(data_dir, "--approval", request).returncode == 3
    assert (data_dir.parent / "doomed").exists()


def test_a_key_that_nobody_allowed_counts_for_nothing(data_dir: Path) -> None:
    request = asked(data_dir)
    answer = approve(data_dir, request, key="eve")
    assert answer.returncode == 1 and b"no key that is allowed" in answer.stderr
    assert run(data_dir, "--approval", request).returncode == 3


def test_an_approval_is_about_one_command(data_dir: Path) -> None:
    request = asked(data_dir)
    approve(data_dir, request)
    other = data_dir.parent / "other"
    other.touch()
    flags = ("--break-glass", "--incident", "INC-7", "--confirm", "local", "--approval", request)
    answer = cockpit(data_dir, "run", *flags, "--", "rm", str(other))
    assert answer.returncode == 3 and b"about another command" in answer.stderr and other.exists()


def test_a_no_is_a_no(data_dir: Path) -> None:
    request = asked(data_dir)
    assert approve(data_dir, request, "--refuse", "--remark", "not now").returncode == 0
    assert run(data_dir, "--approval", request).returncode == 3
    assert json.loads(cockpit(data_dir, "approve", "--json").stdout) == []


def test_a_signature_made_elsewhere_counts(data_dir: Path, tmp_path: Path) -> None:
    request = asked(data_dir)
    text = cockpit(data_dir, "approve", "--print", request).stdout
    (tmp_path / "request").write_bytes(text)
    namespace = "cockpit-approval@cockpit"
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", tmp_path / "bob", "-n", namespace, tmp_path / "request"],
        check=True,
    )
    answer = cockpit(data_dir, "approve", "--signature", str(tmp_path / "request.sig"), request)
    assert answer.returncode == 0, answer.stderr
    assert run(data_dir, "--approval", request).returncode == 0


def test_what_was_approved_beforehand_asks_nothing_and_runs_again_and_again(data_dir: Path) -> None:
    doomed = data_dir.parent / "doomed"
    key = str(data_dir.parent / "bob")
    words = ("approve", "--beforehand", "30", "--key", key, "--yes", "--", "rm", str(doomed))
    answer = cockpit(data_dir, *words)
    assert answer.returncode == 0, answer.stderr
    for _ in range(2):
        doomed.touch()
        assert cockpit(data_dir, "run", "--", "rm", str(doomed)).returncode == 0
        assert not doomed.exists()
    assert cockpit(data_dir, "run", "--", "rm", "-f", str(doomed)).returncode == 3
    newest = actions(data_dir)
    assert "bob@example.com beforehand" in " ".join(newest[1]["reasons"])


def test_a_request_that_was_changed_in_the_log_is_no_longer_approved(data_dir: Path) -> None:
    import sqlite3

    request = asked(data_dir)
    approve(data_dir, request)
    log = sqlite3.connect(data_dir / "actions.db")
    for (name,) in log.execute("select name from sqlite_master where type = 'trigger'").fetchall():
        log.execute(f"drop trigger {name}")
    log.execute("update approvals set asked = replace(asked, 'doomed', 'other') where kind = 'request'")
    log.commit()
    log.close()
    assert run(data_dir, "--approval", request).returncode in {1, 3, 4}
    assert (data_dir.parent / "doomed").exists()


def test_an_approval_of_a_command_on_several_hosts_is_about_those(data_dir: Path) -> None:
    doomed = data_dir.parent / "doomed"
    doomed.touch()
    hosts = "local,local"  # a list, though of one host alone

    def run_on(name: str, *more: str) -> subprocess.CompletedProcess[bytes]:
        flags = ("--target", name, "--break-glass", "--incident", "INC-7", "--confirm", name, *more)
        return cockpit(data_dir, "run", *flags, "--", "rm", str(doomed))

    assert run_on(hosts).returncode == 3
    [request] = json.loads(cockpit(data_dir, "approve", "--json").stdout)
    assert request["target"] == hosts and "1 host (1 production): local" in str(request)
    approve(data_dir, request["id"])
    other = run_on(f"{hosts},nowhere", "--approval", request["id"])
    assert other.returncode == 3 and b"about another command" in other.stderr and doomed.exists()
    done = run_on(hosts, "--approval", request["id"])
    assert done.returncode == 0, done.stderr
    assert not doomed.exists()
    each, above = actions(data_dir)[:2]
    assert (above["kind"], above["approvals"]) == ("fan-out", [request["id"]])
    assert (each["kind"], each["approvals"], each["state"]) == ("command", [request["id"]], "done")
