from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.config.document import Document, KeyPath, dotted, key_lines
from cockpit.errors import ConfigError
from tests.helpers.examples import examples

TRICKY = '''\
top = 1 # comment with = and [x]
"quoted key" = "a # no comment"
'literal.key' = 'back\\slash'
a.b . "c.d" = 1

multi = """
[not.a.table]
x = 1
quote \\""" still ""inside"""""
raw = \'\'\'
[[neither]]\'\'\'\'\'
array = [
  1, # one ]
  "two ]",
  { deep = [3,
    4], other = { x.y = 5 } },
]
when = 2030-01-01 08:00:00Z
[ server . "x y" ]
z = {}

[[sources]]
name = "one"
[sources.sub]
k = 1
[[sources.checks]]
url = "a"
[[sources.checks]]
url = "b"
[[sources]]
name = "two"
[[sources.checks]]
url = "c"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1),
        (("quoted key",), 2),
        (("literal.key",), 3),
        (("a",), 4),
        (("a", "b", "c.d"), 4),
        (("multi",), 6),
        (("raw",), 10),
        (("array",), 12),
        (("array", 0), 13),
        (("array", 1), 14),
        (("array", 2), 15),
        (("array", 2, "deep", 1), 16),
        (("array", 2, "other", "x", "y"), 16),
        (("when",), 18),
        (("server", "x y"), 19),
        (("server", "x y", "z"), 20),
        (("sources",), 22),
        (("sources", 0, "name"), 23),
        (("sources", 0, "sub", "k"), 25),
        (("sources", 0, "checks", 0, "url"), 27),
        (("sources", 0, "checks", 1, "url"), 29),
        (("sources", 1), 30),
        (("sources", 1, "name"), 31),
        (("sources", 1, "checks", 0, "url"), 33),
    ],
)
def test_every_form_of_key_is_found_on_its_line(path: KeyPath, line: int) -> None:
    assert key_lines(TRICKY)[path] == line


def test_nothing_is_found_that_is_not_there() -> None:
    assert set(key_lines(TRICKY)) == set(paths(tomllib.loads(TRICKY)))


def paths(value: object, prefix: KeyPath = ()) -> list[KeyPath]:
    """Return the way to every value of a parsed document."""
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    found: list[KeyPath] = []
    for key, held in items:
        found += [(*prefix, key), *paths(held, (*prefix, key))]
    return found


SCALARS = st.one_of(
    st.integers(-(2**31), 2**31), st.booleans(), st.text(max_size=12), st.floats(allow_nan=False)
)
KEYS = st.text(min_size=1, max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda held: st.lists(held, max_size=3) | st.dictionaries(KEYS, held, max_size=3),
    max_leaves=12,
)


@settings(max_examples=examples(50), deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_all_values_of_any_document_are_found(content: dict[str, Any]) -> None:
    text = tomlkit.dumps(content).replace("\r\n", "\n")
    assert set(key_lines(text)) == set(paths(tomllib.loads(text)))


def test_windows_line_ends_count_as_one() -> None:
    document = Document(Path("c.toml"), "a = 1\r\nb = 2\r\n")
    assert document.line(("b",)) == 2


def test_a_key_that_is_missing_is_placed_at_the_table_around_it() -> None:
    document = Document(Path("c.toml"), "a = 1\n[t]\nb = 2\n")
    assert document.line(("t", "nothing", "here")) == 2
    assert document.line(("nothing",)) == 0


def test_paths_are_written_as_toml_writes_keys() -> None:
    assert dotted(("sources", 2, "headers", 'x "y"')) == 'sources[2].headers."x \\"y\\""'


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a = 1\nb = = 2\n", 2, "is no TOML at column 5"),
        ("a = 1\na = 2\n", 2, "is no TOML"),
        ('a = 1\n\nb = "open', 3, "is no TOML"),
        ("[a", 1, "is no TOML"),
    ],
)
def test_broken_toml_is_placed(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Document(tmp_path / "c.toml", text).parse()
    assert caught.value.line == line
    assert says in caught.value.message


def test_what_is_no_text_is_placed(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes(b'a = 1\nb = "\xff"\n')
    with pytest.raises(ConfigError, match=r"c\.toml:2: is no UTF-8 text"):
        Document.read(file)


def test_what_can_not_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        Document.read(tmp_path)
    (tmp_path / "big.toml").write_bytes(b"#" * (1 << 21))
    with pytest.raises(ConfigError, match="is larger than"):
        Document.read(tmp_path / "big.toml")


def test_deep_nesting_is_a_mistake_and_no_crash(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        Document(tmp_path / "c.toml", "a = " + "[" * 5000).parse()


def test_a_document_never_shows_its_text() -> None:
    assert "hunter2" not in repr(Document(Path("c.toml"), 'password = "hunter2"'))
