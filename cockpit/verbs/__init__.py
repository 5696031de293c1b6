"""The verbs of the command line, a module each.

A module has `add(subparsers)`, which adds a parser of its own name with its help and options, and
`main(args) -> int`, which returns the exit status and imports what it needs. `--config` and `--data-dir` are added
to every parser by `cockpit.cli`.
"""

from __future__ import annotations

VERBS = (
    "init",
    "doctor",
    "sources",
    "targets",
    "snapshot",
    "check",
    "run",
    "ssh",
    "fetch",
    "put",
    "approve",
    "log",
    "logs",
    "note",
)
"""In the order that `cockpit --help` lists them."""
