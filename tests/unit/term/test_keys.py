"""Keys, mouse and paste, in the bytes that xterm sends for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.term import keys, mouse, paste
from cockpit.term.emulator import Modes, Mouse, MouseCode
from cockpit.term.mouse import Does

PLAIN = Modes()
APPLICATION = Modes(application_cursor=True)


@pytest.mark.parametrize(
    ("key", "character", "wanted"),
    [
        ("a", "a", b"a"),
        ("A", "A", b"A"),
        ("é", "é", "é".encode()),
        ("日", "日", "日".encode()),
        ("space", " ", b" "),
        ("plus", "+", b"+"),
        ("ctrl+a", "\x01", b"\x01"),
        ("ctrl+q", "\x11", b"\x11"),
        ("ctrl+p", "\x10", b"\x10"),
        ("ctrl+j", "\n", b"\n"),
        ("ctrl+@", "\0", b"\0"),
        ("ctrl+space", None, b"\0"),
        ("ctrl+backslash", "\x1c", b"\x1c"),
        ("ctrl+right_square_bracket", "\x1d", b"\x1d"),
        ("ctrl+circumflex_accent", "\x1e", b"\x1e"),
        ("ctrl+underscore", "\x1f", b"\x1f"),
        ("enter", "\r", b"\r"),
        ("tab", "\t", b"\t"),
        ("shift+tab", None, b"\x1b[Z"),
        ("escape", "\x1b", b"\x1b"),
        ("backspace", "\x7f", b"\x7f"),
        ("ctrl+backspace", None, b"\x08"),
        ("alt+a", "a", b"\x1ba"),
        ("alt+A", None, b"\x1bA"),
        ("alt+full_stop", ".", b"\x1b."),
        ("alt+backspace", None, b"\x1b\x7f"),
        ("alt+enter", None, b"\x1b\r"),
        ("alt+ctrl+a", None, b"\x1b\x01"),
        ("up", None, b"\x1b[A"),
        ("home", None, b"\x1b[H"),
        ("ctrl+left", None, b"\x1b[1;5D"),
        ("shift+up", None, b"\x1b[1;2A"),
        ("alt+ctrl+shift+right", None, b"\x1b[1;8C"),
        ("f1", None, b"\x1bOP"),
        ("shift+f3", None, b"\x1b[1;2R"),
        ("f5", None, b"\x1b[15~"),
        ("ctrl+f12", None, b"\x1b[24;5~"),
        ("delete", None, b"\x1b[3~"),
        ("shift+pageup", None, b"\x1b[5;2~"),
        ("super+hyper", None, b""),
    ],
)
def test_a_key_is_what_xterm_sends(key: str, character: str | None, wanted: bytes) -> None:
    assert keys.encode(key, character, PLAIN) == wanted


def test_the_application_cursor_mode_changes_the_arrows_alone() -> None:
    assert keys.encode("up", None, APPLICATION) == b"\x1bOA"
    assert keys.encode("ctrl+up", None, APPLICATION) == b"\x1b[1;5A"
    assert keys.encode("f1", None, APPLICATION) == b"\x1bOP"
    assert keys.encode("enter", "\r", Modes(newline=True)) == b"\r\n"


def test_focus_is_told_to_whom_asked() -> None:
    assert keys.focus(True, PLAIN) == b""
    assert keys.focus(True, Modes(focus=True)) == b"\x1b[I"
    assert keys.focus(False, Modes(focus=True)) == b"\x1b[O"


def asked(mode: Mouse, code: MouseCode = MouseCode.SGR) -> Modes:
    return Modes(mouse=mode, mouse_code=code)


def test_the_mouse_is_told_as_it_was_asked_for() -> None:
    assert mouse.encode(Does.PRESS, 0, 4, 2, PLAIN) == b""
    assert mouse.encode(Does.PRESS, 0, 4, 2, asked(Mouse.CLICKS)) == b"\x1b[<0;5;3M"
    assert mouse.encode(Does.RELEASE, 2, 4, 2, asked(Mouse.CLICKS), ctrl=True) == b"\x1b[<18;5;3m"
    assert mouse.encode(Does.MOVE, 0, 4, 2, asked(Mouse.CLICKS)) == b""
    assert mouse.encode(Does.MOVE, 0, 4, 2, asked(Mouse.DRAGS)) == b"\x1b[<32;5;3M"
    assert mouse.encode(Does.MOVE, 3, 4, 2, asked(Mouse.DRAGS)) == b""
    assert mouse.encode(Does.MOVE, 3, 4, 2, asked(Mouse.MOVES)) == b"\x1b[<35;5;3M"
    assert mouse.encode(Does.PRESS, mouse.DOWN, 0, 0, asked(Mouse.CLICKS)) == b"\x1b[<65;1;1M"
    assert mouse.encode(Does.RELEASE, 0, 0, 0, asked(Mouse.PRESSES)) == b""


def test_older_codes_have_their_bounds() -> None:
    assert mouse.encode(Does.PRESS, 0, 4, 2, asked(Mouse.CLICKS, MouseCode.LEGACY)) == b"\x1b[M %#"
    assert mouse.encode(Does.RELEASE, 0, 4, 2, asked(Mouse.CLICKS, MouseCode.LEGACY)) == b"\x1b[M#%#"
    assert mouse.encode(Does.PRESS, 0, 400, 2, asked(Mouse.CLICKS, MouseCode.LEGACY)) == b""
    assert mouse.encode(Does.PRESS, 0, 400, 2, asked(Mouse.CLICKS, MouseCode.UTF8)) == b"\x1b[M \xc6\xb1#"
    assert mouse.encode(Does.PRESS, 0, 400, 2, asked(Mouse.CLICKS, MouseCode.URXVT)) == b"\x1b[32;401;3M"


def test_the_wheel_is_arrows_for_who_knows_no_wheel() -> None:
    assert mouse.wheel(True, PLAIN) == b"\x1b[B"
    assert mouse.wheel(False, APPLICATION) == b"\x1bOA"


def test_a_paste_is_bracketed_where_the_program_knows_that() -> None:
    assert paste.encode("a\nb", PLAIN) == b"a\rb"
    assert paste.encode("a\r\nb", Modes(bracketed_paste=True)) == b"\x1b[200~a\rb\x1b[201~"
    assert paste.lines("a\nb\n") == 3
    assert paste.lines("a") == 1


@given(st.text())
def test_nothing_pasted_ends_its_brackets(text: str) -> None:
    data = paste.encode(text, Modes(bracketed_paste=True))
    assert data.count(b"\x1b") == 2
    assert b"\x03" not in data and b"\n" not in data
