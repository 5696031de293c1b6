"""`NO_COLOR`: the real screen without one colour, and the cursor still to be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from cockpit.signals import HealthSample, HealthState
from tests.helpers.screen import NOW, screen
from widgets.plain import NoColour


async def test_no_colour_is_drawn_and_the_cursor_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    rows = [
        HealthSample(at=NOW, subject=name, kind="host", state=state, reason="r", source="host")
        for name, state in (("alpha", HealthState.DOWN), ("beta", HealthState.OK))
    ]
    async with screen(tmp_path, batches=[("host", rows)]) as on:
        await on.drawn()
        strips = on.app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        assert styles and all(style.color is None and style.bgcolor is None for style in styles)
        cursor = next(strip for strip in strips[1:] if "alpha" in strip.text)
        assert any(segment.style and segment.style.reverse and "alpha" in segment.text for segment in cursor)
        other = next(strip for strip in strips[1:] if "beta" in strip.text)
        assert not any(segment.style and segment.style.reverse for segment in other if "beta" in segment.text)


def test_a_ground_that_strikes_is_reversed_and_weight_is_kept() -> None:
    black = Color.parse("#000000")
    segments = [
        Segment("a", Style.parse("bold red on #0a0a0a")),
        Segment("b", Style.parse("#000000 on #ffffff")),
        Segment("c", Style.parse("reverse white on #0a0a0a")),
        Segment("d", None),
    ]
    bare = NoColour().apply(segments, black)
    assert [bool(segment.style and segment.style.reverse) for segment in bare] == [False, True, True, False]
    assert bare[0].style is not None and bare[0].style.bold and bare[0].style.color is None
