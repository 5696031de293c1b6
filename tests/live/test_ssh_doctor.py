"""`cockpit doctor` connects to hosts for real, and says what ssh_config says of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from tests.helpers.ssh_lab import SSHD, USER, SshLab, ssh_lab
from tests.helpers.tcp_server import free_port

Doctor = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    if SSHD is None:
        pytest.skip("sshd is not installed (Debian package openssh-server)")
    with ssh_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def doctor(
    lab: SshLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SHELL", "/bin/sh")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    config = tmp_path / "ssh_config"
    config.write_text(
        f"Host closed\n  HostName 127.0.0.1\n  Port {free_port()}\nHost one\n  StrictHostKeyChecking no\n"
        f"  LocalForward 8080 localhost:80\nHost *\n  ConnectTimeout 60\n{lab.config.read_text()}"
    )

    def look(*names: str, targets: str = "", options: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
        (tmp_path / "c.toml").write_text(f'default_sources = false\n[ssh]\nconfig = "{config}"\n{targets}')
        status = main(["doctor", "--json", "--config", str(tmp_path / "c.toml"), *options, *names])
        return status, {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)}

    return look


def test_a_target_that_is_a_host_is_connected_to(doctor: Doctor) -> None:
    targets = '[[targets]]\nname = "one"\nenvironment = "staging"\n[[targets]]\nname = "tw*"\n'
    status, found = doctor(targets=targets)
    assert status == 0
    assert found["one"]["state"] == "ok"
    assert found["one"]["latency_ms"] > 0
    assert found["one"]["detail"].startswith("staging: ")
    assert " through bastion, SSH-2.0-OpenSSH_" in found["one"]["detail"]
    assert "options" not in found["one"]
    assert (found["tw*"]["state"], "a pattern" in found["tw*"]["detail"]) == ("disabled", True)


def test_a_host_that_can_not_be_reached_fails(doctor: Doctor) -> None:
    status, found = doctor(targets='[[targets]]\nname = "closed"\n[[targets]]\nname = "one"\n')
    assert status == 1
    assert (found["closed"]["state"], found["one"]["state"]) == ("failed", "ok")
    assert found["closed"]["error"]


def test_a_host_that_only_an_inventory_knows_is_tried_where_that_says(
    lab: SshLab, doctor: Doctor, tmp_path: Path
) -> None:
    address, port = lab.target_ports["two"]
    (tmp_path / "hosts.ini").write_text(
        f"[db]\ndb-1 ansible_host={address} ansible_port={port}\n[db:vars]\nansible_user={USER}\n"
    )
    tables = (
        '[[targets]]\nname = "@db"\nenvironment = "staging"\nvia = "bastion"\n[[targets]]\nname = "db-1"\n'
        f'[[inventories]]\nkind = "ansible"\npath = "{tmp_path}/hosts.ini"\n'
    )
    status, found = doctor(targets=tables)
    assert found["db-1"]["state"] == "ok", found
    assert f"{USER}@{address}:{port} through bastion" in found["db-1"]["detail"]
    assert (found["@db"]["state"], "a group" in found["@db"]["detail"], status) == ("disabled", True, 0)
    unnamed = tables.replace('[[targets]]\nname = "db-1"\n', "")
    status, found = doctor("db-1", targets=unnamed)
    assert (status, found["db-1"]["state"]) == (0, "ok"), found
    assert found["db-1"]["detail"].startswith(f"staging: {USER}@{address}:{port} through bastion")
    options = {each["option"]: each for each in found["db-1"]["options"]}
    assert options["hostname"]["cockpit"] == [address] and options["port"]["cockpit"] == [str(port)]


def test_an_unknown_key_is_not_asked_about(doctor: Doctor, tmp_path: Path) -> None:
    known, config = tmp_path / "known", tmp_path / "ssh_config"
    known.touch()
    config.write_text(f"UserKnownHostsFile {known}\n{config.read_text()}")
    status, found = doctor("bastion")
    assert (status, found["bastion"]["state"]) == (1, "failed")
    assert known.read_text() == ""


def test_a_host_that_no_rule_names_is_tried_and_its_options_shown(doctor: Doctor, tmp_path: Path) -> None:
    status, found = doctor("one")
    assert (status, list(found), found["one"]["state"]) == (0, ["one"], "ok")
    options = {each["option"]: each for each in found["one"]["options"]}
    assert options["hostname"]["openssh"] == options["hostname"]["cockpit"] == ["127.0.0.2"]
    assert options["hostname"]["state"] == "same"
    assert options["hostname"]["where"] == f"{tmp_path}/ssh_config:13"
    strict = options["stricthostkeychecking"]
    assert (strict["openssh"], strict["cockpit"], strict["state"]) == (["false"], ["ask"], "differs")
    assert "refuses a changed one" in strict["why"]
    assert (options["localforward"]["state"], options["localforward"]["cockpit"]) == ("unused", [])
    assert "forwards nothing" in options["localforward"]["why"]
    assert options["controlmaster"]["state"] == "unset"
    assert [name for name, each in options.items() if each["state"] == "differs"] == ["stricthostkeychecking"]


def test_without_openssh_ours_is_shown_alone(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nsenter", "ip"):  # the lab's
        if found := shutil.which(name):
            (tmp_path / "bin").mkdir(exist_ok=True)
            (tmp_path / "bin" / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    status, findings = doctor("one")
    assert status == 0
    assert "ssh: not found" in findings["one"]["options_error"]
    options = {each["option"]: each for each in findings["one"]["options"]}
    assert (options["hostname"]["openssh"], options["hostname"]["cockpit"]) == ([], ["127.0.0.2"])
    assert options["stricthostkeychecking"]["why"]
    assert options["localforward"]["why"]


def test_a_slip_of_the_pen_says_what_there_is(doctor: Doctor) -> None:
    status, found = doctor("closed", targets='[[targets]]\nname = "one"\n')
    assert status == 1
    assert "no source or target is called so; there are ssh_config, local, one" in found["closed"]["hint"]


def test_a_wrong_ssh_config_is_told_with_its_place(doctor: Doctor, tmp_path: Path) -> None:
    with (tmp_path / "ssh_config").open("a") as config:
        config.write("Prt 22\n")
    status, found = doctor("one")
    assert (status, found["one"]["state"], "options" in found["one"]) == (1, "failed", False)
    assert "is no option of ssh_config" in found["one"]["error"]
    assert f"{tmp_path}/ssh_config:" in found["one"]["error"]
    assert "did you mean port?" in found["one"]["hint"]


def test_people_see_marks_and_reasons(
    doctor: Doctor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    doctor("one")
    assert main(["doctor", "--config", str(tmp_path / "c.toml"), "one"]) == 0
    out = capsys.readouterr().out
    assert "one as `ssh -G one` has it" in out
    assert f"≠ stricthostkeychecking false   ({tmp_path}/ssh_config:5)\n    the cockpit: ask\n" in out
    assert "- localforward 8080 [localhost]:80" in out
    assert "  hostname 127.0.0.2 " in out
