"""Each measurement runs through with tiny parameters; what it measures then means nothing, and isn't looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="the measurements drive a PTY")
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "name", ["start", "idle", "keys", "sweep", "search", "guard", "door", "remote", "flood", "logs"]
)
def test_runs(name: str, tmp_path: Path) -> None:
    # Without peers, which take their time; a terminal's shell is found by PATH.
    path = os.environ["PATH"] if name == "flood" else "/nonexistent"
    env = {**os.environ, "PATH": path, "TMPDIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", name],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    table = [line for line in ended.stdout.splitlines() if line.startswith("|")]
    assert len(table) > 3
    assert all(line.count("|") == table[0].count("|") for line in table)
    assert "**failed**" not in ended.stdout
