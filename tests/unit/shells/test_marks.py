"""Marks are told from output, wherever pieces end, and only by their nonce."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.shells.marks import LONGEST, Mark, MarkKind, MarkParser

NONCE = "3f9a77c1"
STREAM = (
    b"hi\x1b]133;A;3f9a77c1\x07$ \x1b]133;A;other\x07\x1b]633;E;echo \\x3b\\x5c \xc3\xa9;3f9a77c1\x1b\\x"
    b"\x1b]133;C;3f9a77c1\x07 \x1b]13\x1b]133;D;5;3f9a77c1\x07\x1b]0;t\x07\x1b]633;zz\x01q\x1b"
)
PARTS = [
    b"hi",
    Mark(MarkKind.PROMPT),
    b"$ \x1b]133;A;other\x07",
    Mark(MarkKind.LINE, "echo ;\\ é"),
    b"x",
    Mark(MarkKind.STARTED),
    b" \x1b]13",
    Mark(MarkKind.READY, "5"),
    b"\x1b]0;t\x07\x1b]633;zz\x01q\x1b",
]


def parsed(pieces: list[bytes]) -> list[bytes | Mark]:
    parser = MarkParser(NONCE)
    found: list[bytes | Mark] = []
    for part in [*(part for piece in pieces for part in parser.feed(piece)), parser.finish()]:
        if isinstance(part, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += part
        elif part:
            found.append(part)
    return found


def test_marks_come_out_and_all_else_stays() -> None:
    assert parsed([STREAM]) == PARTS


@settings(deadline=None)
@given(st.sets(st.integers(0, len(STREAM))))
def test_where_pieces_end_changes_nothing(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    assert parsed([STREAM[a:b] for a, b in pairwise(places)]) == PARTS


@settings(deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_what_knows_no_nonce_passes_through_as_it_is(data: bytes, cuts: list[int]) -> None:
    data = data.replace(NONCE.encode(), b"") + b"\x1b]633;E;rm -rf /;guess\x07"
    places = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    assert (
        b"".join(
            part if isinstance(part, bytes) else b"MARK"
            for part in parsed([data[a:b] for a, b in pairwise(places)])
        )
        == data
    )


def test_a_mark_that_never_ends_is_let_go() -> None:
    endless = b"\x1b]633;E;" + b"x" * (LONGEST + 10)
    parser = MarkParser(NONCE)
    shown = b"".join(
        part
        for at in range(0, len(endless), 4096)
        for part in parser.feed(endless[at : at + 4096])
        if isinstance(part, bytes)
    )
    assert len(shown) > LONGEST
