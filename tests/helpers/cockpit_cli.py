"""Runs the real `cockpit` command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

COCKPIT = (sys.executable, "-m", "cockpit")


HERE = '[[targets]]\nname = "local"\nenvironment = "development"\n'
"""The user's own configuration: this machine is for development, so that what a test runs is let run."""


def environment(data_dir: Path) -> dict[str, str]:
    """Return an environment in which nothing of this machine's user is read or written."""
    own = data_dir.parent / "config" / "cockpit" / "cockpit.toml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(HERE)
    foreign = ("COCKPIT_", "XDG_", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "COCKPIT_DATA_DIR": str(data_dir), "XDG_CONFIG_HOME": str(data_dir.parent / "config")}


def cockpit(
    data_dir: Path,
    *args: str,
    prefix: Sequence[str] = (),
    cwd: Path | None = None,
    preexec_fn: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a verb to its end."""
    return subprocess.run(
        [*prefix, *COCKPIT, *args],
        env=environment(data_dir),
        cwd=cwd or data_dir.parent,
        capture_output=True,
        timeout=30,
        preexec_fn=preexec_fn,
    )


def actions(data_dir: Path, *filters: str) -> list[dict[str, Any]]:
    """Return what `cockpit log list --json` prints."""
    answer = cockpit(data_dir, "log", "list", "--json", *filters)
    assert answer.returncode == 0, answer.stderr
    listed: list[dict[str, Any]] = json.loads(answer.stdout)
    return listed
