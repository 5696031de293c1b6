"""What holds for every test: with `COCKPIT_LIVE=required`, nothing is skipped because it is not installed."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)
REQUIRED = os.environ.get("COCKPIT_LIVE") == "required"


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
