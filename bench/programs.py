"""What is measured: the cockpit, an empty Textual app, and peers where they are installed."""

from __future__ import annotations

import compileall
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("cockpit", "widgets", "sources")
EMPTY = "from textual.app import App\nApp().run()"
PEERS: Mapping[str, tuple[str, ...]] = {
    "btop": ("btop",),
    "glances": ("glances", "--disable-check-update"),
    "posting": ("posting",),
    "harlequin": ("harlequin",),
    "dolphie": ("dolphie",),
}
"""Programs for a terminal that can be started without a server; dolphie shows its host prompt."""


@dataclass(frozen=True)
class Program:
    """Something to run in a terminal."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


def cockpit(home: Path, config: Path | None = None) -> Program:
    """Return the cockpit with a home of its own, with its default sources or a configuration.

    It is compiled, as installed programs are: where `PYTHONDONTWRITEBYTECODE` is set, a checkout would compile its 84
    modules at every start, which takes half as long as an empty app does.
    """
    for package in PACKAGES:
        compileall.compile_dir(Path(__file__).parents[1] / package, quiet=2)
    script = Path(sys.executable).with_name("cockpit")
    argv = [str(script)] if script.exists() else [sys.executable, "-m", "cockpit"]
    env = {"COCKPIT_DATA_DIR": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}
    if config is not None:
        env["COCKPIT_CONFIG"] = str(config)
    return Program("cockpit", argv, env)


def empty() -> Program:
    """Return a Textual app that shows nothing: what any Textual program costs at the least."""
    return Program("empty Textual app", [sys.executable, "-c", EMPTY])


def peers(home: Path, folder: str) -> tuple[list[Program], list[str]]:
    """Return the peers that are installed, on PATH or in a folder, and the names of those that are not."""
    path = os.pathsep.join(filter(None, [folder, os.environ.get("PATH", "")]))
    found, absent = [], []
    for name, (program, *arguments) in PEERS.items():
        if where := shutil.which(program, path=path):
            found.append(
                Program(name, [where, *arguments], {"HOME": str(home), "XDG_CONFIG_HOME": str(home)})
            )
        else:
            absent.append(name)
    return found, absent
