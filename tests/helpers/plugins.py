"""Plugins of strangers, installed as pip would: a module and a dist-info folder on the path."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

_NUMBER = itertools.count()

GOOD = '''
"""A plugin whose check says how it was configured."""

import asyncio
import time

from msgspec import Struct

from cockpit.errors import ConfigError, Unreachable
from cockpit.signals import HealthSample
from cockpit.source import FilePath, Options, Secret, Source


class Login(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is asking."""

    user: str = ""
    """The user."""
    password: Secret = Secret()
    """The password."""


class PondOptions(Options, frozen=True, kw_only=True):
    """Where the pond is."""

    url: str
    """Its address,
    scheme and all."""
    depth: int = 3
    """Metres."""
    login: Login = Login()
    """How to log in."""
    certificate: FilePath = ""
    """A PEM file."""
    tags: dict[str, str | Secret] = {}
    """What to say of it."""

    def __post_init__(self):
        if self.depth == 13:
            raise ValueError("thirteen metres bring bad luck")


class Pond(Source):
    kind = "pond"
    summary = "a pond of ducks"
    options_type = PondOptions
    emits = frozenset({HealthSample})

    def __init__(self, name, options):
        super().__init__(name, options)
        if options.url == "nowhere":
            raise ConfigError("is no place", key="url", remedy="name a place")
        if options.url == "broken":
            raise ZeroDivisionError("by zero")

    async def run(self, emit):
        await asyncio.Event().wait()

    async def check(self):
        if self.options.url == "refused":
            raise Unreachable("connection refused", where=self.name, remedy="start it")
        if self.options.url == "bug":
            raise KeyError("duck")
        if self.options.url == "waits":
            await asyncio.sleep(60)
        if self.options.url == "blocks":
            time.sleep(5)
        return f"{self.options.depth} metres of \\x1b[31mwater"
'''


def install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, code: str = GOOD, kind: str = "pond", name: str = "Pond"
) -> str:
    """Install a plugin and return its distribution's name."""
    number = next(_NUMBER)
    module, distribution = f"pond_{number}", f"cockpit-pond-{number}"
    site = folder / f"site-{number}"
    info = site / f"cockpit_pond_{number}-1.2.dist-info"
    info.mkdir(parents=True)
    (site / f"{module}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[cockpit.sources]\n{kind} = {module}:{name}\n")
    monkeypatch.syspath_prepend(str(site))
    return distribution
