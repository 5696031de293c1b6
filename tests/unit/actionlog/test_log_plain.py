"""Output as text: no control sequence and no control character comes through, whatever the pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.actionlog.plain import HELD, Sequences, Text, drawing, plain, words
from cockpit.actionlog.records import Chunk
from cockpit.actions.transport import Stream

HOSTILE = "a\x1b[31mb\x1b[0m\x1b]0;title\x07c\x1b]52;c;aGk=\x1b\\d\x1bP1$r\x1b\\e\x1b[6nf\x1b(Bg\x9b2Jh\x1b]8;;http://x\x1b\\i"


def in_pieces(text: str, cuts: list[int], sequences: Sequences) -> str:
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(places)]
    return "".join(sequences.feed(piece) for piece in pieces) + sequences.feed("", last=True)


@given(st.lists(st.integers(0, len(HOSTILE)), max_size=6))
def test_sequences_go_however_they_are_cut(cuts: list[int]) -> None:
    assert in_pieces(HOSTILE, cuts, Sequences()) == "abcdefghi"


@given(st.lists(st.integers(0, len(HOSTILE)), max_size=6))
def test_what_draws_may_stay_and_what_asks_or_reaches_out_goes(cuts: list[int]) -> None:
    kept = in_pieces(HOSTILE, cuts, Sequences(drawing))
    assert kept == "a\x1b[31mb\x1b[0mcdef\x1b(Bg" + "hi"


sequences_and_text = st.text(
    st.sampled_from("\x1b[]P\\;0123456789mJn?\x07\x9b\x9d\x9cab\n\r\b\x00é"), max_size=30
)


@given(sequences_and_text, st.lists(st.integers(0, 30), max_size=5))
def test_pieces_make_no_difference(text: str, cuts: list[int]) -> None:
    assert in_pieces(text, cuts, Sequences()) == in_pieces(text, [], Sequences())
    assert in_pieces(text, cuts, Sequences(drawing)) == in_pieces(text, [], Sequences(drawing))


@given(st.lists(st.binary(max_size=20) | sequences_and_text.map(str.encode), max_size=5))
def test_no_control_character_comes_through(pieces: list[bytes]) -> None:
    text = Text()
    said = "".join(text.feed(piece) for piece in pieces) + text.feed(b"", last=True)
    assert all(char in "\n\t" or (char >= " " and not "\x7f" <= char <= "\x9f") for char in said)


@given(
    st.text(
        st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Cn", "Co"]),
        max_size=50,
    )
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert Text().feed(text.encode(), last=True) == text


@pytest.mark.parametrize("pieces", [("a\r\nb\rc",), ("a\r", "\nb", "\rc"), ("a", "\r", "\n", "b\r", "c")])
def test_a_carriage_return_begins_a_line(pieces: tuple[str, ...]) -> None:
    text = Text()
    assert "".join(text.feed(piece.encode()) for piece in pieces) + text.feed(b"", last=True) == "a\nb\nc"


def test_an_endless_sequence_is_not_held_for_ever() -> None:
    sequences = Sequences()
    for _ in range(50):
        assert sequences.feed("\x1b[" + "1;" * HELD) == ""
        assert len(sequences._held) <= 2 * HELD
        sequences.feed("m")
    assert sequences.feed("\x1b]0;") == ""
    for _ in range(50):
        assert sequences.feed("x" * HELD) == ""
        assert not sequences._held
    assert sequences.feed("\x07after") == "after"


def test_the_streams_do_not_mix() -> None:
    chunks = [
        Chunk(at=1, stream=Stream.STDOUT, data=b"\xc3"),
        Chunk(at=2, stream=Stream.STDERR, data=b"err\x1b[3"),
        Chunk(at=3, stream=Stream.STDOUT, data=b"\xa9"),
        Chunk(at=4, stream=Stream.STDERR, data=b"1mor"),
    ]
    assert [(chunk.stream, text) for chunk, text in plain(chunks)] == [
        (Stream.STDERR, "err"),
        (Stream.STDOUT, "é"),
        (Stream.STDERR, "or"),
    ]


def test_words_of_what_is_no_text_are_none() -> None:
    assert words(b"\x1b[1mplain\x1b[0m text") == "plain text"
    assert words(bytes(100)) == words(b"\xff\xfe" * 50) == ""
