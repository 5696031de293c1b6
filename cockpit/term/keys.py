"""From a key to the bytes that a program expects of it, as xterm sends them. Pure.

Keys have the names that the rest of the cockpit calls them by, such as `ctrl+shift+left`, `f5` or `alt+a`.
"""

from __future__ import annotations

from cockpit.term.emulator import Modes

CURSOR = {
    "up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F", "begin": "E",
}  # fmt: skip
"""Keys that end in a letter, and change with the application cursor mode."""
FUNCTION = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
NUMBERED = {
    "insert": 2, "delete": 3, "pageup": 5, "pagedown": 6, "f5": 15, "f6": 17, "f7": 18, "f8": 19, "f9": 20,
    "f10": 21, "f11": 23, "f12": 24, "f13": 25, "f14": 26, "f15": 28, "f16": 29, "f17": 31, "f18": 32, "f19": 33,
    "f20": 34,
}  # fmt: skip
"""Keys that are a number and a tilde."""
NAMED = {"enter": "\r", "tab": "\t", "escape": "\x1b", "backspace": "\x7f", "space": " "}
CONTROL = {
    "@": "\0", "space": "\0", "at": "\0", "left_square_bracket": "\x1b", "backslash": "\x1c",
    "right_square_bracket": "\x1d", "circumflex_accent": "\x1e", "underscore": "\x1f", "slash": "\x1f",
    "minus": "\x1f", "question_mark": "\x7f", "backspace": "\x08", "tab": "\t", "enter": "\r", "escape": "\x1b",
    "2": "\0", "3": "\x1b", "4": "\x1c", "5": "\x1d", "6": "\x1e", "7": "\x1f", "8": "\x7f",
}  # fmt: skip
"""What ctrl makes of keys that are no letters."""
KEYPAD = {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete"}


def encode(key: str, character: str | None, modes: Modes) -> bytes:
    """Return the bytes of a key; none for one that a terminal of this kind cannot send.

    Args:
        key: Its name with its modifiers.
        character: What it types, where it types anything.
        modes: What the program asked of keys.
    """
    *before, name = key.split("+") if len(key) > 1 else [key]
    modifiers = frozenset(before)
    number = 1 + ("shift" in modifiers) + 2 * ("alt" in modifiers) + 4 * ("ctrl" in modifiers)
    if (letter := CURSOR.get(name)) is not None:
        if number > 1:
            return f"\x1b[1;{number}{letter}".encode()
        return f"\x1b{'O' if modes.application_cursor else '['}{letter}".encode()
    if (letter := FUNCTION.get(name)) is not None:
        return (f"\x1b[1;{number}{letter}" if number > 1 else f"\x1bO{letter}").encode()
    if (code := NUMBERED.get(name)) is not None:
        return (f"\x1b[{code};{number}~" if number > 1 else f"\x1b[{code}~").encode()
    text = _text(name, character, modifiers, modes)
    if text and "alt" in modifiers:
        text = "\x1b" + text
    return text.encode("utf-8", "surrogatepass") if text else b""


def _text(name: str, character: str | None, modifiers: frozenset[str], modes: Modes) -> str:
    """Return what a key types, without what alt makes of it."""
    if "ctrl" in modifiers:
        if len(name) == 1 and name.isascii() and name.isalpha():
            return chr(ord(name.lower()) & 0x1F)
        return CONTROL.get(name, "")
    if name == "tab" and "shift" in modifiers:
        return "\x1b[Z"
    if name == "enter":
        return "\r\n" if modes.newline else "\r"
    if name in NAMED:
        return NAMED[name]
    if character and (character.isprintable() or len(character) == 1):
        return character
    return name.upper() if len(name) == 1 and "shift" in modifiers else name if len(name) == 1 else ""


def focus(gained: bool, modes: Modes) -> bytes:
    """Return what a program is told when its terminal gains or loses the focus; nothing where it did not ask."""
    if not modes.focus:
        return b""
    return b"\x1b[I" if gained else b"\x1b[O"
