"""An expression run on all lines at once finds what `re` finds in each; a level looked for in all likewise."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.formats.catalogue import declarations
from cockpit.formats.expression import steps_of
from cockpit.formats.level_scan import spoken_words
from cockpit.formats.level_search import FEW, LARGE, find_levels
from cockpit.formats.levels import WINDOW, find_level, forms
from cockpit.formats.lockstep import match_all
from cockpit.formats.piece import Piece

FITTING = [
    r"a+b",
    r"(?P<x>a*)(?P<y>b{1,3})c?",
    r"(?P<x>[^ ]+) (?P<y>\d{2,4})(?!\d)",
    r"(?:(?P<x>a)b)?(?P<y>c|d)",
    r"(?P<x>\w+)(?=[ :])(?P<y>.*)",
    r"(?!ab|c)(?P<x>[a-c]++)(?P<y>c)?",
    r"\[?(?P<x>[^\]]*)\]?(?:-|[A-Z]+ )?(?P<y>\s*)",
    r"(?P<x>(?:a|bc)?)(?P<y>[x-z]{0,40})",
]
UNFIT = [
    r"a+ab",
    r"(?:ab)*c",
    r"(?P<x>.*): ",
    r"(a|ab)c",
    r"a+?b",
    r"\bab",
    r"(?P<x>a)(?P=x)",
    r"[^b]{2}",
    "é",
]
TEXTS = st.text(alphabet="aabbcd xyz12:[]-A \té", max_size=40).map(str.encode) | st.binary(max_size=20)


@pytest.mark.parametrize("expression", FITTING)
def test_it_finds_what_re_finds(expression: str) -> None:
    steps = steps_of(expression)
    assert steps is not None

    @settings(max_examples=60, deadline=None)
    @given(st.lists(TEXTS, max_size=5))
    def check(texts: list[bytes]) -> None:
        piece = Piece(b"\n".join(texts))
        match = match_all(steps, piece, piece.starts)
        for row in range(len(piece)):
            line = piece.line(row)
            found = re.compile(expression, re.ASCII).match(line.decode("utf-8", "surrogateescape"))
            assert bool(found) == match.found[row], line
            for name in ("x", "y") if found else ():
                start, end = (int(place[row] - piece.starts[row]) for place in match.spans[name])
                told = found[name]  # type: ignore[index]
                assert (None if match.spans[name][0][row] < 0 else line[start:end]) == (
                    None if told is None else told.encode("utf-8", "surrogateescape")
                ), line

    if "(?P" in expression:
        check()


@pytest.mark.parametrize("expression", UNFIT)
def test_what_may_have_to_give_back_is_not_run_so(expression: str) -> None:
    assert steps_of(expression) is None


def test_all_that_is_built_in_but_one_is_run_at_once() -> None:
    slow = [
        each.name
        for each in declarations()
        if steps_of(each.pattern.replace("(?P<time>)", "(?P<time>@)")) is None
    ]
    assert slow == ["iso-near"]


def test_long_runs_are_found_to_their_end() -> None:
    piece = Piece(b"a" * 5000 + b"b\n" + b"a" * 30 + b"\n" + b"b")
    steps = steps_of("[a]*") or ()
    assert match_all(steps, piece, piece.starts).ends.tolist() == [5000, 5032, 5033]
    steps = steps_of("[a]{0,40}") or ()
    assert (match_all(steps, piece, piece.starts).ends - piece.starts).tolist() == [40, 30, 0]


AROUND = [b"level=", b"[", b"]", b":", b" ", b'"', b"lvl='", b"x", b"-", b"<", b" severity=", b"\xff", b"WARNINGS",
          b"(", b"=", b"informationals", b"A" * 9, b"\r", b"\x00", b"|", b"Ab", b"{", b"@", b"\xc3"]  # fmt: skip
words = st.sampled_from([*sorted({word for _, word, _, _ in forms()}), *AROUND])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(words, max_size=30).map(b"".join), min_size=1, max_size=4), st.data())
def test_levels_looked_for_in_all_lines_are_those_of_each(lines: list[bytes], drawn: st.DataObject) -> None:
    piece = Piece(b"\n".join(lines))
    offsets = np.array(
        [drawn.draw(st.integers(0, len(piece.line(row)))) for row in range(len(piece))], dtype=np.int64
    )
    each = [find_level(piece.line(row), int(offsets[row])) for row in range(len(piece))]
    for alone in (0, len(piece)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cockpit.formats.level_search.ALONE", alone)
            assert find_levels(piece, piece.starts + offsets, piece.ends).tolist() == each


TELLING = [b" ERR ", b"[warn]", b" info:", b"|Critical|", b" <informational>", b" level=error ", b" severity='DEBUG'",
           b" ERROR", b"dpanic:"]  # fmt: skip


@pytest.mark.parametrize("filler", [b"x", b" ", b"A", b"[", b"=", b"\xe9"])
@pytest.mark.parametrize("begun", [0, 7])
def test_a_level_is_found_wherever_it_stands_in_a_text(
    filler: bytes, begun: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.formats.level_search.ALONE", 0)
    lines = [filler * before + told for told in TELLING for before in range(180)]
    piece = Piece(b"\n".join(lines))
    places = np.minimum(piece.starts + begun, piece.ends)
    found = find_levels(piece, places, piece.ends)
    each = [find_level(line, min(begun, len(line))) for line in lines]
    assert found.tolist() == each
    assert {*each} > {0, 17}


@pytest.mark.parametrize("every", [3, 11, 37])
def test_levels_that_few_of_many_texts_tell_are_found_too(every: int) -> None:
    texts = [
        b"Failed password for root from 10.0.0.7 port 22 ssh2 (sshd:auth) uid=0 [preauth] POSSIBLE attempt",
        b"uid=0 level= severity=none lvl=x severity='",
        b"\xffinform ",
    ]
    told = [before + word for word in TELLING for before in (b"", b"_", b"\xff", b"= ", b"x" * 150)]
    lines = [
        texts[row % 3] * (row % 5) + (told[row // every % len(told)] if row % every == 0 else b"")
        for row in range(6000)
    ]
    piece = Piece(b"\n".join(lines))
    assert (np.minimum(piece.ends - piece.starts, WINDOW)).sum() > LARGE
    assert (spoken_words(piece, len(lines) // FEW) is None) == (every == 3)
    found = find_levels(piece, piece.starts, piece.ends)
    assert found.tolist() == [find_level(line) for line in lines]
    assert 0 < np.count_nonzero(found) < len(lines) // every
