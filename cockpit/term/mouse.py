"""From what the mouse does to the bytes that a program asked to be told of it with. Pure."""

from __future__ import annotations

from enum import Enum

from cockpit.term.emulator import Modes, Mouse, MouseCode

UP, DOWN, LEFT, RIGHT = 64, 65, 66, 67
"""The wheel's buttons; 0, 1 and 2 are left, middle and right, 3 is none."""
ARROWS = 3
"""Arrow keys that a turn of the wheel is, where a full-screen program knows of no wheel."""
LEGACY_MOST = 223
UTF8_MOST = 2015


class Does(Enum):
    """What is done with a button."""

    PRESS = 1
    RELEASE = 2
    MOVE = 3


def wants(does: Does, button: int, mode: Mouse) -> bool:
    """Tell whether a program wants to know of something."""
    if mode is Mouse.OFF:
        return False
    if does is Does.MOVE:
        return mode is Mouse.MOVES or (mode is Mouse.DRAGS and button < 3)
    return does is Does.PRESS or mode is not Mouse.PRESSES


def encode(
    does: Does,
    button: int,
    column: int,
    row: int,
    modes: Modes,
    *,
    shift: bool = False,
    alt: bool = False,
    ctrl: bool = False,
) -> bytes:
    """Return the report of something; nothing where the program does not want to know, or its code can't say it.

    Args:
        does: What is done.
        button: With which button.
        column: Where, in cells from 0.
        row: Where, in cells from 0.
        modes: What the program asked for.
        shift: Whether shift is held.
        alt: Whether alt is held.
        ctrl: Whether ctrl is held.
    """
    if not wants(does, button, modes.mouse):
        return b""
    code = button + 32 * (does is Does.MOVE)
    if modes.mouse is not Mouse.PRESSES:
        code += 4 * shift + 8 * alt + 16 * ctrl
    x, y = column + 1, row + 1
    if modes.mouse_code is MouseCode.SGR:
        return f"\x1b[<{code};{x};{y}{'m' if does is Does.RELEASE else 'M'}".encode()
    if does is Does.RELEASE:
        code = code & ~3 | 3
    if modes.mouse_code is MouseCode.URXVT:
        return f"\x1b[{code + 32};{x};{y}M".encode()
    most = UTF8_MOST if modes.mouse_code is MouseCode.UTF8 else LEGACY_MOST
    if max(x, y) > most:
        return b""
    values = (code + 32, x + 32, y + 32)
    if modes.mouse_code is MouseCode.UTF8:
        return b"\x1b[M" + "".join(map(chr, values)).encode()
    return b"\x1b[M" + bytes(values)


def wheel(down: bool, modes: Modes) -> bytes:
    """Return arrow keys for a turn of the wheel, for a full-screen program that knows of no mouse."""
    return (b"\x1bO" if modes.application_cursor else b"\x1b[") + (b"B" if down else b"A")
