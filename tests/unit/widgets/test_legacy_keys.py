"""Alt keys as older terminals send them, read by Textual's parser."""

from __future__ import annotations

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key

from widgets.legacy_keys import legible


def heard(data: str) -> list[str]:
    return [event.key for event in XTermParser(False).feed(legible(data)) if isinstance(event, Key)]


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        ("\x1ba", ["alt+a"]),
        ("\x1bf\x1bf\x1bf", ["alt+f"] * 3),
        ("\x1b.", ["alt+full_stop"]),
        ("x\x1bB", ["x", "alt+B"]),
        ("\x1b[A", ["up"]),
        ("\x1bOA", ["up"]),
        ("\x1b[1;3C", ["alt+right"]),
    ],
)
def test_alt_keys_are_heard_at_once(data: str, keys: list[str]) -> None:
    assert heard(data) == keys


@pytest.mark.parametrize(
    "data", ["\x1b", "\x1b]11;rgb:1/1/1\x1b\\", "\x1bP1$r0m\x1b\\", "\x1b[200~\x1ba\x1b[201~", "abc", "\x1bO"]
)
def test_all_else_is_left_alone(data: str) -> None:
    assert legible(data) == data
