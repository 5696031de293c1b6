"""The cockpit's themes: one dark, one light, and one a person can't mistake for anything but production."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="cockpit-dark",
    primary="#5fafd7",
    secondary="#87afaf",
    accent="#d7af5f",
    foreground="#d0d0d0",
    background="#101418",
    surface="#101418",
    panel="#232b33",
    boost="#1a2027",
    success="#5faf5f",
    warning="#d7af00",
    error="#ff5f5f",
    dark=True,
)
LIGHT = Theme(
    name="cockpit-light",
    primary="#005f87",
    secondary="#4e6e6e",
    accent="#875f00",
    foreground="#1c1c1c",
    background="#fafafa",
    surface="#fafafa",
    panel="#e4e4e4",
    boost="#eeeeee",
    success="#007000",
    warning="#8a5a00",
    error="#b00020",
    dark=False,
)
PRODUCTION = Theme(
    name="cockpit-production",
    primary="#ff8787",
    secondary="#af8787",
    accent="#ffaf5f",
    foreground="#dadada",
    background="#160c0c",
    surface="#160c0c",
    panel="#3a1f1f",
    boost="#241414",
    success="#5faf5f",
    warning="#d7af00",
    error="#ff5f5f",
    dark=True,
)
THEMES = (DARK, LIGHT, PRODUCTION)
