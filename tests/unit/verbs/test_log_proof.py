"""`cockpit log verify`, `checkpoint` and `prune`, and `cockpit note`, as a person or a script calls them."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.verbs import logproof
from tests.helpers.cockpit_cli import HERE, actions, cockpit, environment
from tests.helpers.keys import allow, make_key, needs_ssh_keygen


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def tampered(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "actions.db", isolation_level=None)) as db:
        db.execute("drop trigger results_no_update")
        db.execute("update results set exit_status = 7")


def test_a_sound_log_is_0_and_another_is_1_and_none_is_4(data_dir: Path, tmp_path: Path) -> None:
    assert cockpit(data_dir, "log", "verify").returncode == 4
    assert cockpit(data_dir, "run", "--", "true").returncode == 0
    sound = cockpit(data_dir, "log", "verify")
    assert (sound.returncode, sound.stderr) == (0, b"")
    assert sound.stdout.startswith(b"sound: ")
    assert b"no signature vouches" in sound.stdout
    report = json.loads(cockpit(data_dir, "log", "verify", "--json").stdout)
    assert (report["sound"], report["bad"], report["records"]) == (True, None, 5)
    tampered(data_dir)
    bad = cockpit(data_dir, "log", "verify", str(data_dir / "actions.db"), "--json")
    assert bad.returncode == 1
    found = json.loads(bad.stdout)["bad"]
    assert (found["what"], found["table"], found["position"]) == ("edited", "results", 3)
    assert b"NOT SOUND" in cockpit(data_dir, "log", "verify").stdout
    (tmp_path / "rubbish").write_bytes(b"x" * 5000)
    unreadable = cockpit(data_dir, "log", "verify", str(tmp_path / "rubbish"))
    assert unreadable.returncode == 4
    assert b"Traceback" not in unreadable.stderr


@needs_ssh_keygen
def test_the_whole_way_with_a_key(data_dir: Path, tmp_path: Path) -> None:
    key = make_key(tmp_path, "ann")
    allowed = allow(tmp_path, ann=key)
    config = tmp_path / "cockpit.toml"
    config.write_text(f'{HERE}[log]\nsigning_key = "{key}"\nallowed_signers = "allowed_signers"\n')
    assert cockpit(data_dir, "run", "--", "true").returncode == 0
    assert cockpit(data_dir, "note", "--incident", "INC-1", "saw it, token=abcdef123").returncode == 0
    printed = cockpit(data_dir, "log", "checkpoint")
    assert b"BEGIN SSH SIGNATURE" in printed.stdout
    kept = tmp_path / "kept"
    kept.write_bytes(printed.stdout)
    held = cockpit(data_dir, "log", "verify", "--checkpoint", str(kept))
    assert held.returncode == 0
    assert b"signed by ann@example.com up to position" in held.stdout
    pruned = cockpit(data_dir, "log", "prune", "--before", "2099-01-01", "--reason", "enough", "--json")
    assert json.loads(pruned.stdout)["counts"]["sessions"] == 3
    after = json.loads(cockpit(data_dir, "log", "verify", "--json", "--checkpoint", str(kept)).stdout)
    assert after["sound"], after
    assert after["tombstones"][0]["signed_by"] == "ann@example.com"
    elsewhere = cockpit(data_dir, "log", "verify", "--allowed-signers", str(allowed), cwd=data_dir)
    assert elsewhere.returncode == 0
    (tmp_path / "cockpit.toml").write_text(f'{HERE}[log]\nallowed_signers = "allowed_signers"\n')
    refused = cockpit(data_dir, "log", "prune", "--before", "2099-01-01", "--reason", "more")
    assert refused.returncode == 2
    assert b"signing_key" in refused.stderr


def test_a_checkpoint_without_a_key_says_so(data_dir: Path) -> None:
    answer = cockpit(data_dir, "log", "checkpoint", "--json")
    document = json.loads(answer.stdout)
    assert document["signature"] is None
    assert document["hash"] in document["statement"]
    assert b"no signing_key" in answer.stderr


def test_a_checkpoint_goes_to_syslog(data_dir: Path, tmp_path: Path) -> None:
    address = tmp_path / "syslog"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as taking:
        taking.bind(str(address))
        taking.settimeout(5)
        answer = cockpit(data_dir, "log", "checkpoint", "--json", "--syslog", str(address))
        assert answer.returncode == 0, answer.stderr
        message = taking.recv(4096)
    assert json.loads(answer.stdout)["hash"].encode() in message
    assert b"cockpit: action log checkpoint position" in message
    gone = cockpit(data_dir, "log", "checkpoint", "--syslog", str(tmp_path / "nobody"))
    assert gone.returncode == 1
    assert b"can't be sent to syslog" in gone.stderr
    assert b"Traceback" not in gone.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("log", "prune", "--before", "yesterday", "--reason", "r"), b"no date"),
        (("log", "prune", "--before", "2020-01-01", "--reason", " "), b"reason"),
        (("log", "prune", "--before", "2020-01-01"), b"--reason"),
        (("log", "verify", "--checkpoint", "/nowhere"), b"can't be read"),
        (("log", "checkpoint", "--syslog", "host:port"), b"no address"),
        (("note", " "), b"empty"),
        (("note", "x", "--action", "zzz"), b"no action begins"),
    ],
)
def test_wrong_usage_is_2(data_dir: Path, words: tuple[str, ...], said: bytes) -> None:
    answer = cockpit(data_dir, *words)
    assert answer.returncode == 2, answer
    assert said in answer.stderr
    assert b"Traceback" not in answer.stderr


def test_a_note_is_kept_without_its_secrets(data_dir: Path) -> None:
    cockpit(data_dir, "run", "--", "echo", "x")
    [action] = actions(data_dir)
    words = (
        "note",
        "--json",
        "--incident",
        "INC-3",
        "--action",
        action["id"][:20],
        "rolled back,",
        "password: hunter2-of-ann",
    )
    note = json.loads(cockpit(data_dir, *words).stdout)
    assert note["text"] == "rolled back, password: [redacted:password]"
    assert (note["incident"], note["action"]) == ("INC-3", action["id"])
    assert (
        b"hunter2" not in (data_dir / "actions.db").read_bytes() + (data_dir / "actions.db-wal").read_bytes()
    )


def test_what_the_configuration_calls_secret_is_cut(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-a-file-9\n")
    (tmp_path / "cockpit.toml").write_text(
        f'{HERE}[[sources]]\nname = "p"\nkind = "prometheus"\nurl = "http://127.0.0.1:1"\n'
        'bearer = { file = "secret" }\n'
        '[[sources]]\nname = "q"\nkind = "prometheus"\nurl = "http://127.0.0.1:1"\nbearer = { env = "Q_TOKEN" }\n'
    )
    prefix = ("env", "Q_TOKEN=from-the-environment")
    environment(data_dir)
    line = "echo from-a-file-9 and from-the-environment"
    answer = cockpit(data_dir, "run", "--json", "--shell", line, prefix=prefix)
    action = json.loads(answer.stdout)
    assert action["shell"] == "echo [redacted:known-secret] and [redacted:known-secret]"
    assert action["redacted"] == 8  # two each in the argv, the shell line, the guard's reason and the output
    shown = cockpit(data_dir, "log", "show", "--output", action["id"])
    assert shown.stdout.endswith(b"\n[redacted:known-secret] and [redacted:known-secret]\n")


def test_the_verbs_are_named_where_the_parser_has_them() -> None:
    import argparse

    below = argparse.ArgumentParser().add_subparsers()
    logproof.add(below)
    assert tuple(below.choices) == logproof.VERBS
