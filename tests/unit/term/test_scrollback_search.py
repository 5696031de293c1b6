"""Searching a terminal's rows, wrapped lines and the screen included."""

from __future__ import annotations

from cockpit.term.bittty_emulator import BitttyEmulator
from cockpit.term.search import Found, Search
from cockpit.term.size import Size


def test_it_is_found_in_the_scrollback_and_on_the_screen() -> None:
    it = BitttyEmulator(Size(20, 3))
    for number in range(10):
        it.feed(f"line {number} Error\r\n".encode())
    found = Search(it, "error").all()
    assert [each.row for each in found] == list(range(10))
    assert found[3] == Found(3, 7, 5)
    assert Search(it, "ERROR").all() == []
    assert Search(it, "7 Error").all() == [Found(7, 5, 7)]
    assert Search(it, "").all() == []


def test_it_is_found_across_the_rows_of_a_line() -> None:
    it = BitttyEmulator(Size(10, 3))
    it.feed(b"0123456needle-needle\r\n" + b"x\r\n" * 4)
    assert Search(it, "needle").all() == [Found(0, 7, 3), Found(1, 4, 6)]
