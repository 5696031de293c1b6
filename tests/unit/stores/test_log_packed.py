"""Packed pieces are what they were before, and the cache that packs them stays within its budget."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.formats.columns import UNDATED, Columns
from cockpit.stores.logs.files import logs as logs_module
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import OpenedLog
from cockpit.stores.logs.files.packed import Packer
from cockpit.stores.logs.files.pieces import Piece, Span, piece_from, piece_of

TIMES = st.one_of(st.just(UNDATED), st.integers(0, 2**62), st.integers(1_700_000_000, 1_700_000_009))
RECORDS = st.lists(st.tuples(st.integers(1, 70_000), TIMES, st.integers(0, 24)), max_size=30)


def _same(one: Piece, other: Piece) -> bool:
    arrays = ("starts", "times", "placed", "levels")
    return one.span == other.span and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        and getattr(one, name).dtype == getattr(other, name).dtype
        for name in arrays
    )


@given(RECORDS)
def test_unpacks_to_what_was_packed(records: list[tuple[int, int, int]]) -> None:
    sizes = [size for size, _, _ in records]
    columns = Columns(
        np.cumsum([0, *sizes[:-1]], dtype=np.uint32)[: len(records)],
        np.array([time for _, time, _ in records], np.int64),
        np.array([level for _, _, level in records], np.uint8),
        0,
    )
    piece = piece_from(Span(3, 50, sum(sizes), 1_000), columns)
    packer = Packer()
    assert _same(packer.unpack(packer.pack(piece), piece.span), piece)


def test_keeps_within_its_budget_and_gives_every_piece_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_module, "OPEN", 2_000)
    path = tmp_path / "a.log"
    lines = [f"Mar  1 00:00:{number % 60:02d} web app[1]: error: {number}\n" for number in range(2_000)]
    path.write_text("".join(lines))
    spans, at = [], 0
    for first in range(0, 2_000, 100):
        size = len("".join(lines[first : first + 100]))
        spans.append(Span(0, at, size, 1_800_000_000_000_000_000))
        at += size
    logs = Logs(budget=5_000)
    logs.add(OpenedLog(str(path)))
    made = [piece_of(logs.data(span), span, logs.formats[0]) for span in spans]
    for turn in (spans, spans[::-1], spans):
        for span in turn:
            assert _same(logs.piece(span), made[spans.index(span)])
            assert logs.taken <= 2_000 + 5_000
    for span in spans:
        logs.forget(span)
    assert logs.taken == 0
    logs.close()


def test_does_not_read_again_what_it_has_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "OPEN", 1)
    path = tmp_path / "a.log"
    path.write_text("a\nb\nc\n")
    logs = Logs(budget=1 << 20)
    logs.add(OpenedLog(str(path)))
    spans = [Span(0, place, 2, 7) for place in (0, 2, 4)]
    before = [logs.piece(span) for span in spans]
    logs.close()  # nothing can be read any more
    assert all(_same(logs.piece(span), piece) for span, piece in zip(spans, before, strict=True))
