"""What holds for every test.

With `COCKPIT_LIVE=required`, nothing is skipped because it is not installed; with `HYPOTHESIS_PROFILE=thorough`,
properties are tried on ten times as many examples (`tests.helpers.examples`).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

from tests.helpers.examples import examples
from tests.helpers.heap import Heap
from tests.helpers.rest import Rest

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)
REQUIRED = os.environ.get("COCKPIT_LIVE") == "required"

settings.register_profile("here", max_examples=examples(50))
settings.load_profile("here")


def pytest_configure(config: pytest.Config) -> None:
    _hear_signals()
    config.pluginmanager.register(Heap(), "heap")
    patch = pytest.MonkeyPatch()
    Rest().install(patch)
    config.add_cleanup(patch.undo)


def pytest_xdist_auto_num_workers() -> int:
    """Start three workers on two cores: about half of a test's time is waiting for servers and programs."""
    return (os.cpu_count() or 1) * 3 // 2


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files that have nothing to run alone when only that is asked for: collecting takes 10 s."""
    if config.option.markexpr != "alone" or not collection_path.match("test_*.py"):
        return None
    return True if b"mark.alone" not in collection_path.read_bytes() else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _demanded((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _demanded((yield))


def _demanded(report: R) -> R:
    """Make a failure of a skip for something that is not installed."""
    if REQUIRED and report.skipped and "not installed" in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"COCKPIT_LIVE=required, but {report.longrepr}"
    return report


def _hear_signals() -> None:
    """Undo what `nohup` and a shell's background jobs leave: signals ignored, in programs that tests start as well.

    A handler isn't inherited: with one that does nothing, `nohup` still protects the run itself.
    """
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)
