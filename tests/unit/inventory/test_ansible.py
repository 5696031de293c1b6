"""Ansible's inventories, against what `ansible-inventory --list` says of the same files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cockpit.errors import InventoryError
from cockpit.inventory.ansible import read_ansible, read_printed
from cockpit.targets import Host

HERE = Path(__file__).parent
BOTH = pytest.mark.parametrize("name", ["fleet", "single.ini"])


def hosts(path: Path) -> dict[str, Host]:
    return {host.name: host for host in read_ansible(str(path)).hosts}


def said_by_ansible(name: str) -> str:
    """Return the committed answer; where Ansible is installed, that is what it says today as well."""
    kept = HERE.joinpath(name).with_suffix(".json").read_text()
    if program := shutil.which("ansible-inventory"):
        ran = subprocess.run(
            [program, "-i", str(HERE / name), "--list"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert json.loads(ran.stdout) == json.loads(kept)
    return kept


@BOTH
def test_the_variables_are_those_of_ansible(name: str) -> None:
    answer = json.loads(said_by_ansible(name))["_meta"]["hostvars"]
    ours = hosts(HERE / name)
    assert set(answer) - set(ours) <= {"thisone"}
    for host, variables in answer.items():
        if host in ours:
            wanted = variables.get("ansible_ssh_host") or variables.get("ansible_host", "")
            assert ours[host].host == wanted, host
            assert ours[host].user == variables.get("ansible_user", ""), host
            assert ours[host].port == int(
                variables.get("ansible_ssh_port") or variables.get("ansible_port", 0)
            ), host


@BOTH
def test_what_ansible_prints_means_the_same_hosts_and_groups(name: str) -> None:
    assert read_printed(said_by_ansible(name)).hosts == read_ansible(str(HERE / name)).hosts


def test_groups_of_groups() -> None:
    fleet = hosts(HERE / "fleet")
    assert fleet["web02.example"].groups == ("canary", "eu", "prod", "web")
    assert fleet["cache1"].groups == ("cache", "hot")
    assert fleet["bare.example"].groups == ()
    assert fleet["yaml-2"].groups == ("eu", "prod")
    assert fleet["deep-2"].groups == ("deeper", "nested")


def test_what_ssh_does_not_reach_is_left_out_and_said() -> None:
    reading = read_ansible(str(HERE / "fleet"))
    assert reading.remarks == ("'thisone' left out: ansible_connection says that SSH does not reach them",)
    assert {Path(name).name for name, _, _ in reading.stamps} >= {
        "10-hosts",
        "group_vars",
        "all.yml",
        "main.yml",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[web\nx", "line 1: a section's name ends with a bracket"),
        ("[web:odd]", r"line 1: a section is of hosts, :children or :vars, not :odd"),
        ("[a:vars]\nx=1", "line 1: no section declares the group 'a'"),
        ("[a:children]\nb", "line 2: no section declares the group 'b'"),
        ("[a]\nh x", r"line 2: expected name=value after the host, found 'x'"),
        ("[a]\n[a:vars]\nx", "line 3: expected name=value"),
        ("a[3:1]", r"line 1: the range '\[3:1\]' ends before it begins"),
        ('a "b', "line 1: No closing quotation"),
        ("[a:children]\nb\n[b:children]\na", "groups within themselves: a -> b -> a|b -> a -> b"),
        ("[a:children]\na", "line 2: puts the group 'a' into 'a'"),
        ("[a:children]\nall", "line 2: puts the group 'all' into 'a'"),
        ("a[1:9999999]", "stands for more than 100,000 hosts"),
        ("a[1:1000]b[1:1000]", "stands for more than 100,000 hosts"),
    ],
)
def test_mistakes_are_told_with_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "hosts.ini"
    file.write_text(text)
    with pytest.raises(InventoryError, match=said) as caught:
        read_ansible(str(file))
    assert caught.value.where == str(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "is no YAML"),
        ("- a", "expected groups"),
        ("plugin: amazon.aws.aws_ec2", "made by the plugin 'amazon.aws.aws_ec2'"),
        ("all: 3", "group 'all': expected a table"),
        ("all:\n  hosts: [a]", "group 'all': expected a table under hosts"),
        ("all:\n  hosts:\n    a: 3", "host 'a': expected a table"),
        ("x:\n  children:\n    x:", "puts the group 'x' into 'x'"),
        ("a: &a\n  children:\n    b:\n      children:\n        c: *a", "nested too deeply|within themselves"),
        ("[" * 5000, "nested too deeply"),
        ("a:\n" + "".join(" " * n + "a:\n" for n in range(1, 900)), "nested too deeply"),
        ("a: !!python/object/apply:os.system [touch x]", "group 'a'|None"),
    ],
)
def test_mistakes_in_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "hosts.yml"
    file.write_text(text)
    try:
        read = read_ansible(str(file))
    except InventoryError as error:
        assert re.search(said, str(error)), error
    else:
        assert read.hosts == () and "None" in said
    assert [path.name for path in tmp_path.iterdir()] == ["hosts.yml"]


def test_names_that_could_be_anything_else_are_left_out_and_said(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    bad = ["-oProxyCommand=x", "a b", "a\\nb", "a\\e[31mred", "a'b", "x" * 300, "$(x)", "@web", "a,b"]
    text = "all:\n  hosts:\n    good:\n" + "".join(f'    "{name}":\n' for name in bad)
    file.write_text(text + '  children:\n    "bad group":\n      hosts:\n        good:\n')
    reading = read_ansible(str(file))
    assert [(host.name, host.groups) for host in reading.hosts] == [("good", ())]
    assert "and 6 more left out: no name of a host may be so" in reading.remarks[0]
    assert "'bad group' not shown" in reading.remarks[1]
    assert all("\x1b" not in remark and "\n" not in remark for remark in reading.remarks)


def test_values_that_only_ansible_knows_or_that_make_no_sense_are_left_to_ssh_config(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text(
        'a ansible_host="{{ lookup(1) }}" ansible_port=99999\nb ansible_host=-oX ansible_user="x y"\n'
        "c ansible_port=0x10 ansible_user=me\n"
    )
    reading = read_ansible(str(file))
    assert [(each.name, each.host, each.user, each.port) for each in reading.hosts] == [
        ("a", "", "", 0), ("b", "", "", 0), ("c", "", "me", 16),
    ]  # fmt: skip
    assert "'a' has a template" in reading.remarks[0]
    assert "'a', 'b' has an address, user or port that can't be one" in reading.remarks[1]


def test_programs_are_not_run(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    file.chmod(0o755)
    with pytest.raises(InventoryError, match="is a program, which is not run") as caught:
        read_ansible(str(tmp_path))
    assert "ansible-inventory" in caught.value.remedy and not (tmp_path / "ran").exists()


def test_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="can't be read: No such file"):
        read_ansible(str(tmp_path / "none"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InventoryError, match="no regular file"):
        read_ansible(str(tmp_path / "pipe"))
    (tmp_path / "latin").write_bytes(b"a\nb\xff\n")
    with pytest.raises(InventoryError, match="line 2: is no UTF-8 text"):
        read_ansible(str(tmp_path / "latin"))


def test_many_hosts_in_many_groups_take_no_time_that_grows_with_their_product(tmp_path: Path) -> None:
    lines = ["[base]", "h[0001:2000]"]
    above = "base"
    for depth in range(300):
        lines += [f"[g{depth}:children]", above]
        above = f"g{depth}"
    (tmp_path / "hosts").write_text("\n".join(lines))
    found = read_ansible(str(tmp_path / "hosts")).hosts
    assert len(found) == 2000 and len(found[0].groups) == 301
