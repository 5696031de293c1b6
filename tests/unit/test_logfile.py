from __future__ import annotations

import logging
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cockpit import logfile
from tests.helpers.plugins import install

STUCK = """
import asyncio
import time

from cockpit.signals import HealthSample
from cockpit.source import Options, Source


class Stuck(Source):
    kind = "stuck"
    summary = "a thread that nobody can end"
    options_type = Options
    emits = frozenset({HealthSample})

    async def run(self, emit):
        await emit([])
        await asyncio.to_thread(time.sleep, 30)

    async def check(self):
        await asyncio.to_thread(time.sleep, 30)
        return "never"
"""


def test_what_is_logged_is_kept_clean_and_for_its_user_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("cockpit.probe")
    with logfile.kept_in(tmp_path / "data"):
        assert not (tmp_path / "data").exists()
        try:
            raise ValueError("\x1b]0;owned\x07")
        except ValueError:
            log.exception("source %s failed", "x")
    log.warning("after")
    kept = tmp_path / "data" / "cockpit.log"
    text = kept.read_text()
    assert "source x failed\nTraceback" in text
    assert "\x1b" not in text
    assert "after" not in text
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert capsys.readouterr().err in ("", "after\n")


def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "LARGEST", 1_000)
    file = logfile.LogFile(tmp_path)
    for _ in range(50):
        file.write("x" * 200)
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 3_000


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "cockpit.log").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"):
        logfile.LogFile(tmp_path).write("x")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("verb", [("snapshot", "--for", "0.5"), ("doctor", "--timeout", "0.5", "stuck")])
def test_a_thread_that_is_stuck_holds_nobody_up(
    verb: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, code=STUCK, kind="stuck", name="Stuck")
    site = next(tmp_path.glob("site-*"))
    config = tmp_path / "c.toml"
    config.write_text('default_sources = false\n\n[[sources]]\nname = "stuck"\nkind = "stuck"\n')
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / "data"))
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cockpit", "--config", str(config), *verb],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert time.monotonic() - started < 8
    assert "stuck" in done.stdout
    assert "blocks" not in done.stdout
