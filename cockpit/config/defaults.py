"""The sources that run when nobody named any: what is useful on any machine."""

from __future__ import annotations

import shutil

from cockpit.config.settings import SourceEntry


def default_sources() -> tuple[SourceEntry, ...]:
    """Return this machine's health, its log files, its journal where there is one, and the OTLP receiver."""
    kinds = ["host", "files", "otlp"]
    if shutil.which("journalctl"):
        kinds.insert(2, "journald")
    return tuple(SourceEntry(name=kind, kind=kind) for kind in kinds)
