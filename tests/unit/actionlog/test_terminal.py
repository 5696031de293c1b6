"""A secret typed on a terminal is cut, however its echo comes in pieces and whatever stands in between."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.actionlog.terminal import RedactedTerminal
from cockpit.guard.redact import Cuts, Redactor

SECRET = "S3cretW0rd"
LINE = f"mysql -uroot -p{SECRET} db"
BETWEEN = st.sampled_from(
    ["", "\x1b[0m", "\x1b[31m", "\x1b(B\x1b[m", "\x1b[?25h", "\x1b[K", "\x1b]0;title\x07"]
)


def recorded(data: bytes, cuts: set[int] | None = None) -> tuple[bytes, int]:
    counted = Cuts()
    stream = RedactedTerminal(Redactor(b"k" * 32), counted)
    places = [0, *sorted(cut for cut in cuts or () if cut < len(data)), len(data)]
    out = b"".join(stream.feed(data[a:b]) for a, b in pairwise(places)) + stream.finish()
    return out, counted.count


def no_secret(out: bytes) -> bool:
    return all(SECRET[:length].encode() not in out for length in range(6, len(SECRET) + 1))


@settings(deadline=None)
@given(st.lists(BETWEEN, min_size=len(LINE), max_size=len(LINE)), st.sets(st.integers(0, 600)))
def test_a_secret_echoed_key_by_key_is_cut(between: list[str], cuts: set[int]) -> None:
    echoed = "".join(a + b for a, b in zip(LINE, between, strict=True))
    data = f"before\r\nroot@db:~# {echoed}\r\nafter\r\n".encode()
    out, count = recorded(data, cuts)
    assert SECRET.encode() not in out and count == 1
    assert out.startswith(b"before\r\n") and out.endswith(b"\r\nafter\r\n")
    assert b"[redacted:flag]" in out


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(LINE)), st.sampled_from("xyz")), max_size=6))
def test_a_secret_that_was_mistyped_on_the_way_is_cut(slips: list[tuple[int, str]]) -> None:
    typed = ""
    for at, key in enumerate(LINE):
        typed += "".join(f"{wrong}\b\x1b[K" for place, wrong in slips if place == at) + key
    out, _ = recorded(f"$ {typed}\r\n".encode())
    assert SECRET.encode() not in out.replace(b"\b\x1b[K", b"")
    assert no_secret(out)


def test_a_secret_that_was_deleted_again_is_cut() -> None:
    erased = "\b \b" * len(LINE)
    out, count = recorded(f"$ {LINE}{erased}ls\r\n".encode())
    assert no_secret(out) and count >= 1


def test_letters_put_in_later_are_seen_where_they_are_drawn() -> None:
    late = f"$ mysql -p{SECRET[3:]} db" + "\b" * (len(SECRET) - 3 + 3) + f"\x1b[3@{SECRET[:3]}\r\n"
    out, count = recorded(late.encode())
    assert no_secret(out) and count == 1


def test_a_line_that_the_editor_wraps_is_one() -> None:
    out, _ = recorded(f"$ mysql -p{SECRET[:4]} \r{SECRET[4:]} db\x1b[K\r\n".encode())
    assert no_secret(out)


@settings(deadline=None)
@given(st.binary(max_size=400), st.sets(st.integers(0, 400)))
def test_anything_passes_and_nothing_raises(data: bytes, cuts: set[int]) -> None:
    recorded(data, cuts)
    recorded(b"\x1b[?1049h" + data + b"\x1b[?1049l" + data, cuts)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [b"a", b" ", b"\r\n", b"\x1b[31m", b"\x1b[K", b"\b", b"\x1b[2D", "é".encode(), b"\r"]
        ),
        max_size=60,
    ),
    st.sets(st.integers(0, 200)),
)
def test_what_holds_no_secret_is_recorded_as_it_is(parts: list[bytes], cuts: set[int]) -> None:
    data = b"".join(parts)
    assert recorded(data, cuts) == (data, 0)


def test_full_screens_are_recorded_as_they_are_drawn() -> None:
    stream = RedactedTerminal(Redactor(b"k" * 32), Cuts())
    begun = stream.feed(b"\x1b[?1049h\x1b[1;1Hone\x1b[2;1Htwo")
    assert b"one" in begun  # and not only when the next line feed comes
    drawn = begun + stream.feed(b"\x1b[?1049l$ \r\n") + stream.finish()
    assert drawn.replace(b"\r\x1b[", b"\x1b[") == b"\x1b[?1049h\x1b[1;1Hone\x1b[2;1Htwo\x1b[?1049l$ \r\n"


@pytest.mark.parametrize("line", ["export TOKEN=abcdef123456", "psql postgres://u:hunter22@db/x"])
def test_colours_of_an_editor_hide_nothing(line: str) -> None:
    echoed = "".join(f"\x1b[3{n % 8}m{key}" for n, key in enumerate(line))
    out, count = recorded(f"> {echoed}\x1b[0m\r\n".encode())
    assert count == 1 and b"[redacted:" in out
