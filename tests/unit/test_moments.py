"""Spans of time as people type them; moments are in `actionlog/test_search.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.moments import moment, span
from cockpit.signals import SECOND


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20m", 1200), (" 4 h", 14_400), ("2d", 172_800), ("1w", 604_800)]
)
def test_a_span(text: str, seconds: int) -> None:
    assert span(text) == seconds * SECOND
    assert moment(text, 10**18) == moment(f"-{text.strip()}", 10**18) == 10**18 - seconds * SECOND


@pytest.mark.parametrize("text", ["", "0m", "m", "5", "-5m", "5M", "1h30m", "123456s", "٥m", "5m\n5m"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(UsageError, match="is no span of time"):
        span(text)


@given(st.text())
def test_any_text_is_a_span_or_told(text: str) -> None:
    try:
        assert span(text) > 0
    except UsageError as error:
        assert error.remedy
