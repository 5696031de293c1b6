"""docs/configuration.md is held to the code: every key, its type, its default; and every example loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec import Struct

from cockpit import config, registry
from cockpit.config import describe
from cockpit.config.defaults import default_sources
from cockpit.config.options import read_options
from cockpit.config.settings import (
    File,
    GuardSettings,
    Limits,
    LogSettings,
    LogsSettings,
    OnCall,
    Screen,
    SourceTable,
    TerminalSettings,
)
from cockpit.errors import ConfigErrors
from cockpit.formats.declaration import Declaration
from cockpit.guard.settings import OwnRule
from cockpit.inventory.settings import InventoryTable
from cockpit.rules import ThresholdRule
from cockpit.targets import TargetRule

DOCUMENT = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", DOCUMENT, re.MULTILINE))
TABLES: dict[str, type[Struct]] = {
    "The whole file": File,
    "sources": SourceTable,
    "targets": TargetRule,
    "inventories": InventoryTable,
    "rules": ThresholdRule,
    "screen": Screen,
    "on_call": OnCall,
    "limits": Limits,
    "guard": GuardSettings,
    "guard.rules": OwnRule,
    "terminal": TerminalSettings,
    "log": LogSettings,
    "logs": LogsSettings,
    "formats": Declaration,
}


def rows(section: str) -> dict[str, list[str]]:
    """Return the cells of a section's reference, by key."""
    lines = [line for line in SECTIONS[section].splitlines() if re.match(r"\| `[a-z_]+` \| \w", line)]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in cells if len(row) == 4}


@pytest.mark.parametrize(("section", "struct"), TABLES.items(), ids=TABLES)
def test_every_key_is_documented_with_its_type_and_default(section: str, struct: type[Struct]) -> None:
    documented = rows(section)
    options = describe.options(struct)
    own = [option for option in options if not re.search(r"[.\[]", option.name)]
    assert list(documented) == [option.name for option in own]
    for option in own:
        type_text, default, what = documented[option.name]
        assert option.type.startswith(type_text)
        assert len(what) > 5
        if option.required:
            assert default == "required"
        elif default.startswith("`"):
            assert default == f"`{option.default}`"
        else:
            assert (
                not option.default
                or option.type == "a table"
                or (section, option.name) in (("sources", "name"), ("inventories", "name"))
            )


@pytest.mark.parametrize("example", re.findall(r"^```toml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL))
def test_every_example_loads(tmp_path: Path, example: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text(example)
    for entry in config.load(str(file)).sources:
        if entry.index >= 0:
            _, warnings = read_options(entry, registry.load(entry.kind).options_type)
            assert warnings == ()


def test_every_table_of_the_file_has_a_section() -> None:
    fields = {name for name in File.__struct_fields__ if not name.startswith("default_")}
    assert fields <= set(SECTIONS)


def test_the_default_sources_are_named() -> None:
    kinds = {entry.kind for entry in default_sources()} | {"journald"}
    assert all(f"`{kind}`" in SECTIONS["sources"] for kind in kinds)


def test_the_mistakes_shown_are_those_that_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [""] * 14
    lines[1:3] = ["[screen]", "frames_per_second = 60"]
    lines[4:7] = ["[[sources]]", 'name = "a"', 'kind = "prometeus"']
    lines[11:14] = ["[[targets]]", 'name = "b"', 'environment = "prod"']
    Path("cockpit.toml").write_text("\n".join(lines))
    with pytest.raises(ConfigErrors) as caught:
        config.load()
    assert [f"cockpit: {mistake}" for mistake in caught.value.mistakes] == [
        line for line in SECTIONS["Mistakes"].splitlines() if line.startswith("cockpit: ")
    ]
