"""Keeps the garbage collector from going through all tests and modules again and again."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest

from cockpit.cost import OwnCost

ROOM = 64_000_000
"""Bytes that tests may leave in circles of objects before these are collected."""


class Heap:
    """A plugin that sets aside what there is before each test, so that collecting costs what the test made.

    With 9,500 tests collected, going through everything takes 0.2 s, and each app that starts asks for it. An app
    that ends gives back all that was set aside.
    """

    def __init__(self) -> None:
        self._cost = OwnCost()
        self._resident = 0

    @pytest.hookimpl
    def pytest_collection_finish(self) -> None:
        self._collect()
        gc.freeze()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            if self._cost.read()[1] > self._resident + ROOM:
                self._collect()
            gc.freeze()

    def _collect(self) -> None:
        gc.unfreeze()
        gc.collect()
        self._resident = self._cost.read()[1]
