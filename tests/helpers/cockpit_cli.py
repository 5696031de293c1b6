"""Runs the real `cockpit` command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.helpers import ready_cockpit

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
    """Run a verb to its end; in a process that has everything imported, where nothing goes before the command."""
    env, folder = environment(data_dir), cwd or data_dir.parent
    if not prefix and preexec_fn is None:
        return run_verb(args, env=env, cwd=folder)
    return subprocess.run(
        [*prefix, *COCKPIT, *args],
        env=env,
        cwd=folder,
        capture_output=True,
        timeout=30,
        preexec_fn=preexec_fn,
    )


def run_verb(
    args: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float = 30
) -> subprocess.CompletedProcess[bytes]:
    """Run a verb, with nothing to read, in a process that has everything imported, where there can be one."""
    answer = ready_cockpit.run(args, env=env, cwd=cwd, timeout=timeout)
    if answer is not None:
        return answer
    argv = [*COCKPIT, *args]
    return subprocess.run(
        argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout
    )


def actions(data_dir: Path, *filters: str) -> list[dict[str, Any]]:
    """Return what `cockpit log list --json` prints."""
    answer = cockpit(data_dir, "log", "list", "--json", *filters)
    assert answer.returncode == 0, answer.stderr
    listed: list[dict[str, Any]] = json.loads(answer.stdout)
    return listed
