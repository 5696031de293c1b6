"""A verb without a screen imports what it takes, and no more: at a thousand lines that is all of its time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import json, sys
from cockpit.cli import main
status = main(sys.argv[1:])
print(json.dumps([status, sorted(sys.modules)]), file=sys.stderr)
"""
JSON_LINES = '{"time":"2026-03-01T00:00:00Z","level":30,"name":"web","msg":"x"}\n' * 50
SYSLOG = "Jan  5 10:00:00 web-1 sshd[100]: Accepted key\n" * 50
SCREEN = ("textual", "rich", "asyncio", "ssl", "httpx", "asyncssh", "sqlite3")
"""What no verb of logs has a use for."""


def modules(folder: Path, *argv: str) -> frozenset[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("COV", "COCKPIT_"))}
    env |= {"COCKPIT_DATA_DIR": str(folder / "data"), "XDG_CONFIG_HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *argv], env=env, cwd=folder, capture_output=True, text=True, check=True
    )
    status, found = json.loads(done.stderr)
    assert status == 0
    return frozenset(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web.json").write_text(JSON_LINES)
    (tmp_path / "auth.log").write_text(SYSLOG)
    (tmp_path / "own.toml").write_text(
        '[[formats]]\nname = "own"\npattern = "(?P<time>) own "\ntime = "iso"\n'
    )
    return tmp_path


def test_sql_over_json_lines_does_without_numpy_and_the_package_around_duckdb(folder: Path) -> None:
    found = modules(folder, "logs", "sql", "select name, count(*) from logs group by name", "web.json")
    assert "_duckdb" in found
    unused = ("numpy", "duckdb", "hyperscan", "cockpit.config", "cockpit.formats.declared", "zoneinfo")
    assert not found & {*SCREEN, *unused, "cockpit.verbs.run"}


@pytest.mark.parametrize("part", [("grep", "key"), ("count",), ("histogram",), ("patterns",), ("merge",)])
def test_other_verbs_do_without_what_is_for_the_screen(folder: Path, part: tuple[str, ...]) -> None:
    found = modules(folder, "logs", *part, "auth.log")
    assert not found & {*SCREEN, "_duckdb", "cockpit.config", "cockpit.stores.logs.store"}


def test_formats_of_ones_own_do_without_asyncio(folder: Path) -> None:
    found = modules(folder, "--config", "own.toml", "logs", "grep", "key", "auth.log")
    assert "cockpit.config" in found
    assert not found & set(SCREEN)
