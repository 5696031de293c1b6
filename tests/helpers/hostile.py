"""Text as an enemy would send it, and what of it must never be drawn."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

PIECES = (
    "\x1b[2J", "\x1b]52;c;aGk=\x07", "\x1b]8;;http://x\x1b\\", "\x9b31m", "\x90q\x9c", "\x00", "\x07", "\x08", "\r",
    "\n", "\t", "\x7f", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\u2029",
    "e\u0301" * 5, "[red]x[/]", "[/]", "[@click=app.quit]x[/]", "[", "]", "\\[", "{", "%s", "$text", "漢字",
    "👩\u200d👩", "\u0e33", "ﷺ", "x" * 500,
)  # fmt: skip

texts = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(st.characters(exclude_categories=["Cs"]), max_size=6)),
    max_size=5,
).map("".join)
"""Texts of control sequences, markup, bidirectional marks, wide and combining characters, and anything else.

Lone surrogates are not among them: the intake lets none through.
"""
numbers = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324]),
)
times = st.one_of(
    st.integers(min_value=-(2**63), max_value=2**63 - 1),
    st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63), 253_402_300_800_000_000_000]),
)
tables = st.dictionaries(texts, texts, max_size=3)
_DIRECTING = set(range(0x202A, 0x202F)) | set(range(0x2066, 0x206A)) | {0x200E, 0x200F, 0x061C}


def raw_in(drawn: str) -> list[str]:
    """Return the characters that a terminal would not take for text, lines' ends aside."""
    return [
        character
        for character in drawn
        if character != "\n"
        and (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or ord(character) in _DIRECTING)
    ]
