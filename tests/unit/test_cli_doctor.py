from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from tests.helpers.plugins import install


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)
    monkeypatch.delenv("COCKPIT_CONFIG", raising=False)
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/bin/sh")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `doctor --json` over ponds at the given addresses; return the status, findings by name and stderr."""

    def look(*urls: str, more: str = "", options: tuple[str, ...] = ()) -> tuple[int, dict[str, Any], str]:
        tables = [f'[[sources]]\nname = "{url}"\nkind = "pond"\nurl = "{url}"\n' for url in urls]
        (tmp_path / "c.toml").write_text("default_sources = false\n" + "".join(tables) + more)
        status = main(["doctor", "--json", "--config", "c.toml", *options])
        out, err = capsys.readouterr()
        return status, {finding["name"]: finding for finding in json.loads(out)}, err

    return look


def test_what_works_is_said(doctor: Any) -> None:
    status, found, _ = doctor("x")
    assert status == 0
    assert found["x"] == {
        "name": "x",
        "kind": "pond",
        "state": "ok",
        "latency_ms": found["x"]["latency_ms"],
        "error": "",
        "hint": "",
        "detail": "3 metres of ␛[31mwater",
    }
    assert found["local"]["state"] == "ok"


def test_each_failure_says_what_and_what_to_do(doctor: Any) -> None:
    status, found, _ = doctor(
        "x", "refused", "bug", "nowhere", "broken", more='[[sources]]\nkind = "pond"\ndepht = 1\n'
    )
    assert status == 1
    assert found["x"]["state"] == "ok"
    assert (found["refused"]["error"], found["refused"]["hint"]) == ("connection refused", "start it")
    assert found["bug"]["error"] == "KeyError: 'duck'"
    assert "defect of the pond plugin" in found["bug"]["hint"]
    assert found["nowhere"]["error"] == "c.toml:17: sources[3].url: is no place"
    assert "can't be made: ZeroDivisionError: by zero" in found["broken"]["error"]
    assert found["pond"]["error"].splitlines() == [
        "c.toml:22: sources[5]: `url` is missing: a string",
        "c.toml:24: sources[5].depht: is no key known here (did you mean depth?)",
    ]


def test_sources_are_tried_at_once_and_for_a_bounded_time(
    doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.checkup.PATIENCE", 0.3)
    started = time.monotonic()
    status, found, _ = doctor("waits", "blocks", "x", options=("--timeout", "0.4"))
    assert time.monotonic() - started < 2.5
    assert status == 1
    assert found["waits"]["error"] == "no answer within 0.4 s"
    assert found["blocks"]["error"] == "no answer within 0.4 s; it blocks its event loop"
    assert found["x"]["state"] == "ok"


def test_a_disabled_source_is_not_tried(doctor: Any) -> None:
    status, found, _ = doctor(more='[[sources]]\nname = "off"\nkind = "pond"\nenabled = false\n')
    assert (status, found["off"]["state"]) == (0, "disabled")


def test_only_what_is_named_is_tried(doctor: Any) -> None:
    status, found, _ = doctor("x", "refused", options=("x",))
    assert (status, list(found)) == (0, ["x"])


def test_a_name_that_no_host_can_have_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "no;thing"]) == 1
    out = capsys.readouterr().out
    assert "is no host's name" in out
    assert "no source or target is called so; there are host, files," in out


def test_warnings_of_the_options_are_shown(doctor: Any) -> None:
    _, _, err = doctor("x", more='login = { password = "hunter2" }\n')
    assert "warning: c.toml:6: sources[0].login.password: a secret in the clear" in err
    assert "hunter2" not in err


def test_targets_are_listed_with_their_environment(doctor: Any) -> None:
    more = '[[targets]]\nname = "lo*"\nenvironment = "staging"\n[[targets]]\nname = "x"\n[[targets]]\nname = "db-*"\n'
    status, found, _ = doctor("x", more=more)
    assert status == 0
    assert found["lo*"]["detail"].startswith("staging: /bin/sh, action log in ")
    # A source that offers actions is a target by its own name, so "x" is both.
    assert found["x"]["detail"] == "production: the actions of x"
    assert (found["db-*"]["state"], found["db-*"]["kind"]) == ("disabled", "target")


def test_an_unnamed_machine_counts_as_production(doctor: Any) -> None:
    _, found, _ = doctor()
    assert found["local"]["detail"].startswith("production: ")
    assert "no [[targets]] entry names it" in found["local"]["detail"]


def test_trying_the_action_log_leaves_nothing_behind(doctor: Any, tmp_path: Path) -> None:
    doctor()
    assert list((tmp_path / "data").iterdir()) == []


def test_an_action_log_that_can_not_be_written_fails(doctor: Any, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, where a folder belongs")
    status, found, _ = doctor()
    assert status == 1
    assert "the action log can't be written" in found["local"]["error"]
    assert "--data-dir" in found["local"]["hint"]


def test_an_action_log_that_is_none_fails(doctor: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "actions.db").write_bytes(b"no database at all" * 100)
    status, found, _ = doctor()
    assert (status, "file is not a database" in found["local"]["error"]) == (1, True)


def test_an_action_log_in_use_is_no_failure(doctor: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "actions.db") as log:
        log.execute("PRAGMA journal_mode = wal")
        log.execute("CREATE TABLE t (x)")
        log.commit()
        status, _, _ = doctor()
    log.close()
    assert status == 0


def test_a_shell_that_is_not_there_fails(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/nosuch")
    _, found, _ = doctor()
    assert "there is no shell /bin/nosuch" in found["local"]["error"]


def test_people_get_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cockpit.toml").write_text(
        'default_sources = false\n[[sources]]\nkind = "pond"\nurl = "refused"\n'
        '[[sources]]\nname = "b"\nkind = "pond"\nurl = "x"\n'
    )
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "configuration: cockpit.toml"
    assert lines[2].split()[:3] == ["failed", "pond", "pond"]
    assert lines[2].endswith("connection refused")
    assert lines[3].strip() == "→ start it"
    assert lines[-1] == "3 ok, 1 failed"  # ssh_config is an inventory too
