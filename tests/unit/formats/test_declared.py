from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from cockpit import config
from cockpit.config.formats import read_formats
from cockpit.errors import ConfigErrors, UsageError
from cockpit.formats.catalogue import format_named, known_formats
from cockpit.formats.declaration import Declaration
from cockpit.formats.declared import DeclaredFormat
from cockpit.formats.detect import detect
from tests.helpers.log_samples import moment

TILL = r"""
name = "till"
pattern = '(?P<time>) \[(?P<level>[A-Z])\] till=(?P<till>\d+) '
time = "%d.%m.%Y %H:%M:%S,%f"
zone = "Europe/Berlin"
levels = { I = "info", E = "error" }
fields = { till = "till.id:int" }
"""
LOG = (
    b"23.11.2026 23:15:23,123 [E] till=7 drawer stuck\n  at drawer 2\n23.11.2026 23:15:24,5 [I] till=8 open\n"
)
OBSERVED = moment("2026-11-23T22:30:00+00:00")


def test_a_format_of_ones_own_takes_a_few_lines(tmp_path: Path) -> None:
    file = tmp_path / "till.toml"
    file.write_text(TILL)
    own = read_formats(file)
    found = detect(LOG, observed=OBSERVED, own=own)
    assert found.name == "till"
    columns = found.columns(memoryview(LOG), observed=OBSERVED)
    assert columns.times.tolist() == [
        moment("2026-11-23T22:15:23.123+00:00"),
        moment("2026-11-23T22:15:24.5+00:00"),
    ]
    assert columns.levels.tolist() == [17, 9]
    record = found.record("23.11.2026 23:15:23,123 [E] till=7 drawer stuck\n  at drawer 2", observed=OBSERVED)
    assert record.body == "drawer stuck\n  at drawer 2"
    assert record.attributes == {"till.id": 7}


def test_formats_stand_in_the_configuration_as_well(tmp_path: Path) -> None:
    file = tmp_path / "cockpit.toml"
    file.write_text("[[formats]]" + TILL)
    assert [declaration.name for declaration in config.load(str(file)).formats] == ["till"]


@pytest.mark.parametrize(
    ("key", "line", "said"),
    [
        ("pattern", "pattern = '(?P<time>) ('", "not a regular expression"),
        ("pattern", "pattern = '(?P<time>)(a+)+$'", "may never end"),
        ("pattern", "pattern = '(?P<when>) '", "no group (?P<time>)"),
        ("time", 'time = "%Y-%m-%d"', "no %H or %k"),
        ("time", 'time = "%Y-%q"', "%q is no directive"),
        ("time", 'time = "%Y-%m-%d %H:%M %m"', "say the same thing"),
        ("zone", 'zone = "Europe/Nowhere"', "no time zone"),
        ("levels", 'levels = { I = "loud" }', "which is no level"),
        ("body", 'body = "text"', "no group 'text'"),
        ("patern", 'patern = "x"', "did you mean pattern?"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(tmp_path: Path, key: str, line: str, said: str) -> None:
    lines = [each for each in TILL.strip().splitlines() if not each.startswith(f"{key} =")]
    file = tmp_path / "f.toml"
    file.write_text("\n".join([*lines, line]))
    with pytest.raises(ConfigErrors) as caught:
        read_formats(file)
    text = str(caught.value)
    assert said in text
    assert f"{file}:{len(lines) + 1}: {key}" in text


def test_names_are_given_once(tmp_path: Path) -> None:
    file = tmp_path / "f.toml"
    file.write_text(("[[formats]]" + TILL) * 2)
    with pytest.raises(ConfigErrors, match="names another format"):
        read_formats(file)


def test_an_expression_that_gives_back_is_run_line_by_line() -> None:
    declared = Declaration(name="x", pattern=r"(?P<tag>.*): (?P<level>\w+) ", rest="")
    known = DeclaredFormat(declared)
    data = b"a: b: ERROR x\nno\nc: info y"
    columns = known.columns(memoryview(data), observed=OBSERVED)
    assert columns.starts.tolist() == [0, 17]
    assert columns.levels.tolist() == [17, 9]
    assert (columns.times == -1).all()


def test_lines_that_do_not_fit_may_stand_alone() -> None:
    known = DeclaredFormat(Declaration(name="x", pattern=r"\d+ ", unmatched="own"))
    columns = known.columns(memoryview(b"1 a\n  b\n\n[warn] c\n"), observed=OBSERVED)
    assert columns.starts.tolist() == [0, 4, 9]
    assert columns.levels.tolist() == [0, 0, 13]
    assert columns.starts.dtype == np.uint32


def test_a_name_that_is_none_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="syslog-3164"):
        format_named("nonsense")


def test_what_the_documentation_shows_is_so(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
    declared, log = re.search(r"```toml\n(.*?)```.*?```\n(.*?)```", text, re.DOTALL).groups()  # type: ignore[union-attr]
    file = tmp_path / "f.toml"
    file.write_text(declared)
    found = detect(log.encode(), observed=OBSERVED, own=read_formats(file))
    columns = found.columns(memoryview(log.encode()), observed=OBSERVED)
    assert (found.name, len(columns), columns.levels.tolist()) == ("till", 2, [17, 9])
    listed = {
        name
        for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        for name in re.findall(r"`([\w-]+)`", row)
    }
    assert listed == {known.name for known in known_formats()}
