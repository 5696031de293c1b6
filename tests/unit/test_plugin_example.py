"""The plugin that `docs/plugins.md` walks through: shown whole, found, built, and true to its contract."""

from __future__ import annotations

import ast
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from cockpit import registry
from cockpit.config.settings import SourceEntry
from cockpit.process import capture
from cockpit.testing import check_source

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/cockpit-spool"
PAGE = ROOT / "docs/plugins.md"

SHOWN = re.compile(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_page_shows_every_file_of_the_example_whole() -> None:
    shown = dict(SHOWN.findall(PAGE.read_text()))
    files = {file.name: file.read_text() for file in EXAMPLE.iterdir() if file.is_file()}
    assert shown == files


def test_the_source_is_about_forty_lines_of_code() -> None:
    text = (EXAMPLE / "cockpit_spool.py").read_text()
    comments: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            comments.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    code = [
        line for number, line in enumerate(text.splitlines(), 1) if line.strip() and number not in comments
    ]
    assert len(code) <= 50


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the example as pip would: its module and its metadata in a folder on the path."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    metadata = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    shutil.copy(EXAMPLE / "cockpit_spool.py", site)
    header = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(header)
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    )
    (metadata / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "cockpit_spool", raising=False)
    return site


async def test_installed_it_is_found_configured_and_keeps_the_contract(installed: Path) -> None:
    spool = installed.parent / "spool"
    spool.mkdir()
    (spool / "letter").touch()
    (table,) = tomllib.loads((EXAMPLE / "cockpit.toml").read_text())["sources"]
    name, kind = table.pop("name"), table.pop("kind")
    assert kind in registry.names()
    assert registry.distribution(kind) == "cockpit-spool 1.0.0"
    entry = SourceEntry(name=name, kind=kind, options={**table, "folder": str(spool), "interval": 0.1})
    report = await check_source(lambda: registry.build(entry), seconds=0.3)
    assert report.signals >= 2


async def test_its_own_tests_pass(installed: Path) -> None:
    shutil.copy(EXAMPLE / "test_cockpit_spool.py", installed)
    shutil.copy(EXAMPLE / "pyproject.toml", installed)
    tests = str(installed / "test_cockpit_spool.py")
    status, out, errors = await capture(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(installed), tests),
        timeout=60,
    )
    assert status == 0, (out + errors).decode()
    assert b"3 passed" in out
