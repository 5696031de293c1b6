from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from cockpit.config import describe
from cockpit.source import FilePath, Options, Secret
from cockpit.targets import Environment


class Inner(Struct, frozen=True, rename={"for_s": "for"}):
    """A table inside."""

    for_s: float = 1.0
    """Seconds."""


class Base(Options, frozen=True):
    """A base class."""

    kept: str = "base"
    """Of the base."""
    timeout: float = 9.0
    """Overridden, `with` marks."""


class Sample(Base, frozen=True, kw_only=True):
    """Every sort of option."""

    needed: int
    """Two
    lines."""
    undocumented: bool = True
    inner: Inner = Inner()
    """A table."""
    inners: tuple[str | Inner, ...] = ()
    """Tables."""
    by_name: dict[str, Inner] = {}
    """More tables."""
    password: Secret = Secret(clear="hunter2")
    """A secret."""


def test_options_come_with_the_string_under_each_field() -> None:
    docs = {option.name: option for option in describe.options(Sample)}
    assert docs["interval"].doc == "Seconds between two looks."
    assert docs["kept"].doc == "Of the base."
    assert docs["timeout"].doc == "Overridden, `with` marks."
    assert docs["timeout"].default == "9.0"
    assert docs["needed"].doc == "Two\nlines."
    assert docs["needed"].required
    assert docs["undocumented"].doc == ""


def test_tables_inside_are_described_by_how_one_gets_there() -> None:
    docs = {option.name: option for option in describe.options(Sample)}
    for name in ("inner.for", "inners[].for", "by_name.*.for"):
        assert (docs[name].doc, docs[name].default) == ("Seconds.", "1.0")


def test_a_default_secret_is_not_shown() -> None:
    assert "hunter2" not in repr(describe.options(Sample))


def test_a_class_without_source_has_no_docs() -> None:
    made: dict[str, Any] = {"Struct": Struct}
    exec('class Made(Struct):\n    a: int = 1\n    """Doc."""', made)
    (option,) = describe.options(made["Made"])
    assert (option.name, option.default, option.doc) == ("a", "1", "")


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (str, "a string"),
        (bool, "true or false"),
        (float | None, "a number"),
        (datetime, "a date and time"),
        (Any, "anything"),
        (FilePath, "a string"),
        (Annotated[int, Meta(ge=1)], "an integer of 1 or more"),
        (Annotated[float, Meta(gt=0)], "a number above 0"),
        (Annotated[int, Meta(le=9)], "an integer of 9 or less"),
        (Annotated[int, Meta(ge=1, le=10_000)], "an integer from 1 to 10,000"),
        (Literal["a", "b"], 'one of "a", "b"'),
        (Environment, 'one of "production", "disaster-recovery", "staging", "development"'),
        (tuple[str, ...], "a list of strings"),
        (list[bool], "a list of booleans"),
        (tuple[float, float], "a list of 2: a number, a number"),
        (tuple[str | Inner, ...], "a list of strings or tables"),
        (Mapping[str, str | Secret], "a table of strings or secrets"),
        (dict[str, Any], "a table of anything"),
        (Secret, "a secret"),
        (Inner, "a table"),
        (list, "a list"),
        (dict, "a table"),
    ],
)
def test_types_are_said_in_words(wanted: Any, text: str) -> None:
    assert describe.type_text(wanted) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('a "b"\n\x7f', '"a \\"b\\"\\n\\u007f"'),
        (True, "true"),
        (1.0, "1.0"),
        (Environment.STAGING, '"staging"'),
        ((), "[]"),
        (frozenset({"a"}), '["a"]'),
        ({"a b": 1, "c": None}, '{ "a b" = 1 }'),
        (Inner(), "{ for_s = 1.0 }"),
        (Secret(clear="x"), ""),
    ],
)
def test_defaults_are_said_in_toml(value: object, text: str) -> None:
    assert describe.toml_text(value) == text
