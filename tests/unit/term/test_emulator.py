"""The emulator: what programs draw is what is read, whatever is printed, and however it is cut into pieces."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.term.bittty_emulator import BitttyEmulator
from cockpit.term.emulator import (
    PLAIN,
    ClipboardOffered,
    Look,
    Mouse,
    MouseCode,
    Rang,
    Row,
    Run,
    ScrollbackCleared,
    Shape,
    TitleChanged,
)
from cockpit.term.scrollback import Scrollback, as_row
from cockpit.term.size import Size
from tests.helpers.examples import examples


def emulator(
    columns: int = 20, rows: int = 5, clipboard: bool = False, links: bool = False
) -> BitttyEmulator:
    return BitttyEmulator(Size(columns, rows), clipboard=clipboard, links=links)


def screen(emulator: BitttyEmulator) -> list[str]:
    return [emulator.row(number).text.rstrip() for number in range(emulator.size.rows)]


def left(emulator: BitttyEmulator) -> list[str]:
    kept = emulator.scrollback
    return [kept.row(number).text for number in range(kept.first, kept.end)]


def test_text_and_looks_are_read_as_they_were_drawn() -> None:
    it = emulator()
    it.feed(b"plain \x1b[1;31mred\x1b[0;48;2;1;2;3m true\x1b[38;5;200mC\x1b[m")
    assert it.row(0).runs == (
        Run("plain ", 6),
        Run("red", 3, Look(foreground=1, bold=True)),
        Run(" true", 5, Look(background=(1, 2, 3))),
        Run("C", 1, Look(foreground=200, background=(1, 2, 3))),
    )
    assert it.row(1) == Row()


def test_wide_and_combining_characters_keep_their_cells() -> None:
    it = emulator()
    it.feed("日本e\u0301x".encode())
    (run,) = it.row(0).runs
    assert (run.text, run.cells) == ("日本e\u0301x", 6)
    assert it.cursor.column == 6


def test_rows_that_leave_are_kept_and_numbered_for_good() -> None:
    it = emulator(rows=3)
    for number in range(6):
        it.feed(f"line {number}\r\n".encode())
    assert left(it) == ["line 0", "line 1", "line 2", "line 3"]
    assert screen(it) == ["line 4", "line 5", ""]
    row = it.scrollback.row(2)
    it.feed(b"more\r\n" * 4)
    assert it.scrollback.row(2) == row
    assert it.scrollback.row(999) == Row()


def test_the_alternate_screen_leaves_nothing_behind() -> None:
    it = emulator(rows=3)
    it.feed(b"shell\x1b[?1049h" + b"x\r\n" * 20)
    assert it.modes.alternate
    it.feed(b"\x1b[?1049l")
    assert screen(it)[0] == "shell"
    assert left(it) == []


def test_a_smaller_screen_keeps_the_rows_around_its_cursor() -> None:
    it = emulator(rows=5)
    it.feed(b"one\r\ntwo\r\nthree\r\nfour\r\n$ ")
    it.resize(Size(20, 2))
    assert screen(it) == ["four", "$"]
    assert left(it) == ["one", "two", "three"]
    assert it.cursor.row == 1


def test_a_smaller_screen_under_an_editor_keeps_the_prompt_too() -> None:
    it = emulator(rows=5)
    it.feed(b"one\r\ntwo\r\nthree\r\nfour\r\n$ \x1b[?1049h\x1b[Hvim")
    it.resize(Size(20, 2))
    it.feed(b"\x1b[?1049l")
    assert screen(it) == ["four", "$"]


def test_lines_are_wrapped_anew() -> None:
    it = emulator(columns=10)
    it.feed(b"abcdefghijklmno")
    assert screen(it)[:2] == ["abcdefghij", "klmno"]
    assert it.row(0).wrapped
    it.resize(Size(20, 5))
    assert screen(it)[0] == "abcdefghijklmno"


def test_only_what_changed_is_drawn_again() -> None:
    it = emulator()
    assert list(it.changed()) == [0, 1, 2, 3, 4]
    assert list(it.changed()) == []
    it.feed(b"\x1b[3;1Hx")
    assert list(it.changed()) == [2]


def test_modes_follow_the_program() -> None:
    it = emulator()
    assert it.modes.mouse is Mouse.OFF
    it.feed(b"\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[?1002h\x1b[?1006h\x1b[?2026h\x1b[20h\x1b[5 q")
    modes = it.modes
    assert modes.application_cursor and modes.application_keypad and modes.bracketed_paste and modes.focus
    assert modes.synchronized and modes.newline
    assert (modes.mouse, modes.mouse_code) == (Mouse.DRAGS, MouseCode.SGR)
    assert (it.cursor.shape, it.cursor.blinking) == (Shape.BAR, True)
    it.feed(b"\x1b[?25l")
    assert not it.cursor.visible


def test_questions_are_answered_but_not_about_what_the_screen_shows() -> None:
    it = emulator()
    it.feed(b"\x1b[c\x1b[6n\x1b[?2026$p\x1b]11;?\x07")
    assert it.replies() == b"\x1b[?62;22c\x1b[1;1R\x1b[?2026;2$y\x1b]11;rgb:1010/1010/1010\x1b\\"
    it.feed(b"secret\x1b[1;1;1;1;1;6*y\x1b[21t\x1b[20t\x1b]52;c;?\x07\x05\x1b[#|")
    assert it.replies() == b""


def test_what_is_said_beside_the_screen() -> None:
    it = emulator()
    it.feed(b"\x07\x07\x1b]2;a \xe2\x80\xae title\t[b]\x07\x1b]0;" + b"x" * 500 + b"\x1b\\")
    rang, first, second = it.events()
    assert isinstance(rang, Rang)
    assert isinstance(first, TitleChanged) and first.title.isprintable()
    assert second == TitleChanged(it.title) and len(it.title) <= 200
    assert it.events() == []


def test_clipboard_and_links_are_opted_into() -> None:
    data = b"\x1b]52;c;aGVsbG8=\x07\x1b]8;;https://example.org\x07link\x1b]8;;\x07"
    it = emulator()
    it.feed(data)
    assert it.events() == []
    assert it.row(0).runs == (Run("link", 4),)
    it = emulator(clipboard=True, links=True)
    it.feed(data + b"\x1b]8;;javascript:x\x07no")
    assert it.events() == [ClipboardOffered("hello")]
    assert it.row(0).runs == (Run("link", 4, Look(link="https://example.org")), Run("no", 2))


def test_the_program_does_not_resize_the_screen_nor_read_it() -> None:
    it = emulator()
    it.feed(b"\x1b[8;9999;9999t\x1b[?40h\x1b[?3h\x1b[132$|\x1bP1$phelp\x1b\\")
    assert it.size == Size(20, 5)


def test_the_scrollback_is_forgotten_where_a_program_asks() -> None:
    it = emulator()
    it.feed(b"x\r\n" * 50 + b"\x1b[3J")
    assert left(it) == []
    assert it.scrollback.first == it.scrollback.end > 0
    assert ScrollbackCleared() in it.events()


def test_a_sequence_may_be_cut_anywhere() -> None:
    data = "\x1b[1;32mgrün\x1b[0m \x1b]2;titel\x1b\\日本\x1bP$qm\x1b\\\x1b(0q\x1b(B\x1b[?2004h".encode()
    whole = emulator()
    whole.feed(data)
    for size in (1, 2, 3, 5):
        parts = emulator()
        for start in range(0, len(data), size):
            parts.feed(data[start : start + size])
        assert screen(parts) == screen(whole)
        assert (parts.title, parts.modes, parts.replies()) == (whole.title, whole.modes, b"\x1bP1$r0m\x1b\\")
    assert whole.title == "titel"


PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b\\", b"\x07", b"\x18", b"\xc2\x9b", b"\x1b#8", b"\x0e"]
    ),
    st.builds(
        lambda marks, numbers, end: b"\x1b[" + marks + b";".join(b"%d" % n for n in numbers) + end,
        st.sampled_from([b"", b"?", b">", b"=", b"!", b"<"]),
        st.lists(st.sampled_from([0, 1, 2, 5, 7, 25, 38, 48, 255, 1049, 2004, 65535, 99999999]), max_size=6),
        st.sampled_from(
            [bytes([n]) for n in range(0x40, 0x7F)] + [b" q", b"$p", b"$x", b"*z", b"'}", b'"p', b"#{"]
        ),
    ),
    st.text(max_size=20).map(str.encode),
)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(PIECES, max_size=25), st.sampled_from([(20, 5), (2, 1), (80, 24)]))
def test_nothing_that_is_printed_breaks_it(pieces: list[bytes], size: tuple[int, int]) -> None:
    it = BitttyEmulator(Size(*size))
    for number, piece in enumerate(pieces):
        it.feed(piece)
        if number % 7 == 3:
            it.resize(Size(size[0] + number % 5, size[1] + number % 3))
        it.changed()
    columns, rows = it.size.columns, it.size.rows
    for number in range(rows):
        row = it.row(number)
        assert sum(run.cells for run in row.runs) <= columns
        assert "\x1b" not in row.text
    cursor = it.cursor
    assert 0 <= cursor.column < columns and 0 <= cursor.row < rows
    it.feed(b"\x18\x1b\\\x1bc\x1b[2J\x1b[Hafter")
    assert screen(it)[0].startswith("after") or columns < 5


class Slow(BitttyEmulator):
    """Draws all rows, also those of a flood."""

    def __init__(self, size: Size, scrollback: Scrollback) -> None:
        super().__init__(size, scrollback=scrollback)
        self._flood.take = lambda text: False  # type: ignore[method-assign]


LINES = st.lists(
    st.one_of(
        st.just("y"), st.text(alphabet="ab c", max_size=30), st.just(""), st.just("x" * 20), st.just("z" * 47)
    ),
    min_size=1,
    max_size=90,
)


@settings(max_examples=examples(50), deadline=None)
@given(
    LINES,
    LINES,
    st.sampled_from(
        [b"", b"\x1b[31m", b"\x1b[41m", b"\x1b[5;3H", b"\x1b[2;4r", b"\x1b[4h", b"\x1b[?7l", b"\x1b(0", b"\x1b[1;"]
    ),
    st.sampled_from([30, 10_000]),
    st.sampled_from([400, 1001, 5000]),
)  # fmt: skip
def test_a_flood_leaves_what_drawing_it_would(
    lines: list[str], more: list[str], state: bytes, most: int, cut: int
) -> None:
    quick = BitttyEmulator(Size(20, 5), scrollback=Scrollback(most))
    slow = Slow(Size(20, 5), Scrollback(most))
    data = b"begin\r\n" + state + "\r\n".join([*lines * 3, "", *more * 2, "end"]).encode()
    for it in (quick, slow):
        for start in range(0, len(data), cut):
            it.feed(data[start : start + cut])
    assert [quick.row(n) for n in range(5)] == [slow.row(n) for n in range(5)]
    assert quick.cursor == slow.cursor
    assert (quick.scrollback.first, quick.scrollback.end) == (slow.scrollback.first, slow.scrollback.end)
    kept = range(quick.scrollback.first, quick.scrollback.end)
    assert [quick.scrollback.row(n) for n in kept] == [slow.scrollback.row(n) for n in kept]


def test_a_flood_is_taken_the_short_way() -> None:
    it = BitttyEmulator(Size(200, 50))
    data = b"y\r\n" * 5_000
    it.feed(data)
    began = time.perf_counter()
    for _ in range(20):
        it.feed(data)
    took = time.perf_counter() - began
    slow = Slow(Size(200, 50), Scrollback())
    began = time.perf_counter()
    slow.feed(data)
    assert took / 20 < (time.perf_counter() - began) / 3


@pytest.mark.parametrize("begin", [b"\x1b]2;", b"\x1bP", b"\x1b[", b"\x1b_", b"\x1b]52;c;"])
def test_memory_is_bounded_whatever_is_never_ended(begin: bytes) -> None:
    it = emulator()
    it.feed(begin)
    tracemalloc.start()
    for _ in range(64):
        it.feed(b"1" * 16_384)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 1_500_000
    it.feed(b"\x18after")
    assert "after" in it.row(0).text


def test_memory_is_bounded_for_ever_new_sequences() -> None:
    it = emulator()
    chance = random.Random(1)
    tracemalloc.start()
    for _ in range(400):
        it.feed(
            b"".join(
                b"\x1b[%sm" % b";".join(b"%d" % chance.randrange(10**6) for _ in range(12)) for _ in range(60)
            )
        )
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < 30_000_000


def test_plain_text_is_kept_as_text() -> None:
    assert as_row("") == Row()
    assert as_row("abc") == Row((Run("abc", 3, PLAIN),))
