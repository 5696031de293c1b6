"""The screen without colour, for `NO_COLOR`: shapes and weights carry everything (https://no-color.org)."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

STRIKING = 0.25
"""How much brighter or darker than what is around it a ground must be to be shown reversed, out of 1."""


class NoColour(LineFilter):
    """Takes every colour out, and reverses what stood on a ground that strikes the eye, such as the cursor's row.

    Textual's own filter for `NO_COLOR` turns colours into greys, which are colours still to a terminal.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without colour."""
        around = round(background.brightness, 2)
        return [
            Segment(text, None if style is None else _bare(style, around), control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def _bare(style: Style, around: float) -> Style:
    strikes = style.bgcolor is not None and abs(_brightness(style.bgcolor) - around) > STRIKING
    return Style(
        bold=style.bold,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
        dim=style.dim,
        reverse=bool(style.reverse) != strikes,
        link=style.link,
        meta=style.meta,
    )


def _brightness(colour: RichColor) -> float:
    return Color.from_rich_color(colour).brightness
