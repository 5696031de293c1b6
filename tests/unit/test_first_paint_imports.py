"""Nothing heavy is imported before the first paint: together it would cost more than the paint itself."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "asyncssh",
    "cockpit.actionlog.timeline",
    "cockpit.stores.logs.query",
    "cockpit.stores.logs.ring.packing",
    "cryptography",
    "dns",
    "google.protobuf",
    "grpc",
    "h11",
    "httpx",
    "importlib.metadata",
    "kubernetes",
    "numpy",
    "opentelemetry",
    "plotext",
    "psutil",
    "sources",
    "sqlite3",
    "sqlite_utils",
    "tomlkit",
    "widgets.alert_detail",
    "widgets.plot",
    "widgets.silence",
    "widgets.ssh_questions",
    "widgets.timeline",
    "widgets.timeline_row",
    "widgets.traces_detail",
    "widgets.traces_view",
    "widgets.waterfall",
)
CHILD = """
import functools, json, os, sys
from textual.app import App
import cockpit.app
from cockpit.cli import main

def painted(self):
    with open(os.environ["TOLD"], "w") as out:
        json.dump(sorted(sys.modules), out)
    os._exit(0)

cockpit.app.CockpitApp._begin = painted
cockpit.app.CockpitApp.run = functools.partialmethod(App.run, headless=True)
main([])
"""
"""Runs the command without a verb, to the callback that Textual makes after the first frame."""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """What a cockpit with its default configuration has imported when its first frame stands."""
    home = tmp_path_factory.mktemp("home")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("COV", "COCKPIT_"))}
    told = home / "modules.json"
    env |= {"COCKPIT_DATA_DIR": str(home / "data"), "XDG_CONFIG_HOME": str(home), "TOLD": str(told)}
    ours, theirs = pty.openpty()  # the command asks for a terminal, though nothing is drawn on it
    try:
        ended = subprocess.run(
            [sys.executable, "-c", CHILD], env=env, cwd=home, stdin=theirs, stdout=theirs, stderr=theirs,
            timeout=60, check=False,
        )  # fmt: skip
        assert told.exists(), os.read(ours, 65536).decode() if ended.returncode else "the screen never stood"
    finally:
        os.close(ours)
        os.close(theirs)
    return frozenset(json.loads(told.read_text()))


@pytest.mark.parametrize("name", HEAVY)
def test_not_before_the_first_paint(modules: frozenset[str], name: str) -> None:
    assert name not in modules


def test_the_screen_stood(modules: frozenset[str]) -> None:
    assert {"cockpit.app", "widgets.logs", "textual.drivers.headless_driver"} <= modules


def test_a_command_line_that_opens_the_action_log_does_without_numpy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from cockpit.actionlog.database import connect; "
        f"connect(Path({str(tmp_path / 'x.db')!r})); print('numpy' in sys.modules); import numpy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
