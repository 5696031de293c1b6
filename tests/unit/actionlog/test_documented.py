"""docs/actionlog.md is held to the code: every table and column, every kind, and the example."""

from __future__ import annotations

import re
from pathlib import Path

from cockpit.actionlog import chain, tables
from cockpit.actionlog.findings import Bad
from cockpit.actions.command import Kind

DOCUMENT = (Path(__file__).parents[3] / "docs" / "actionlog.md").read_text()
IN_ALL = {"id", "session", "cut", "cut_hmacs", "at_ns"}
"""Columns that are told of once, or that the table's neighbours have as well."""


def test_every_table_and_column_is_told_of() -> None:
    for table, columns in tables.TABLES.items():
        [line] = re.findall(rf"^\| `{table}` \|.*$", DOCUMENT, re.MULTILINE)
        names = {part.split()[0] for part in columns.split(",")} - IN_ALL
        told = set(re.findall(r"`([a-z0-9_]+)`", line))
        if table == "results":
            told |= {f"{stream}_{what}" for stream in ("stdout", "stderr") for what in ("sha256", "bytes")}
        assert names <= told, (table, names - told)


def test_the_example_is_what_is_made() -> None:
    row = {"id": "01", "position": 7, "text": "é", "hash": "x", "incident": None}
    assert chain.canonical_row("notes", row).decode() in DOCUMENT.splitlines()


def test_every_kind_of_action_and_of_finding_is_told_of() -> None:
    assert all(f"`{kind.value}`" in DOCUMENT for kind in Kind)
    findings = re.findall(r"`([a-z]+)`", Bad.__doc__ or "")
    assert len(findings) == 8
    assert all(f"`{what}`" in DOCUMENT for what in findings)
