"""Logs in pieces of whole records, from their beginning to their end."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.formats.detect import detect
from cockpit.stores.logs import forward
from cockpit.stores.logs.forward import Block, Forward, read_record
from cockpit.stores.logs.streams import LogStream, open_log

LINES = st.one_of(
    st.integers(0, 59).map(lambda second: b"2026-01-01T00:00:%02dZ ERROR something" % second),
    st.just(b"  at some.Class"),
    st.binary(max_size=30).map(lambda line: line.replace(b"\n", b" ")),
    st.just(b"2026-01-01T00:01:00Z needle"),
)
STAMPED = detect(b"2026-01-01T00:00:00Z ERROR something\n" * 20)


class Pieces(LogStream):
    """A log that comes in pieces of a given size."""

    def __init__(self, data: bytes, size: int) -> None:
        self.path, self.modified, self.size = "pieces", 1_800_000_000_000_000_000, len(data)
        self._data, self._step = data, size

    def read(self, size: int = 0) -> bytes:
        part, self._data = self._data[: self._step], self._data[self._step :]
        return part


def records(blocks: list[Block]) -> list[tuple[str, int, int, int]]:
    return [
        (block.text(row), int(block.times[row]), int(block.columns.levels[row]), int(block.numbers[row]))
        for block in blocks
        for row in range(len(block))
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=40), st.integers(1, 200), st.booleans())
def test_records_are_the_same_however_the_log_is_cut(lines: list[bytes], size: int, ended: bool) -> None:
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    whole = list(Forward(Pieces(data, len(data) or 1), STAMPED))
    pieces = list(Forward(Pieces(data, size), STAMPED))
    assert records(pieces) == records(whole)
    assert b"".join(bytes(block.data) for block in pieces) == data


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=40), st.integers(1, 200))
def test_what_is_screened_out_changes_nothing_else(lines: list[bytes], size: int) -> None:
    data = b"\n".join(lines)
    whole = [
        record for record in records(list(Forward(Pieces(data, 1 << 20), STAMPED))) if "needle" in record[0]
    ]
    screened = Forward(Pieces(data, size), STAMPED, screen=lambda piece: b"needle" in bytes(piece))
    found = [record for record in records(list(screened)) if "needle" in record[0]]
    assert [(text, at, number) for text, at, _, number in found] == [
        (text, at, number) for text, at, _, number in whole
    ]


def test_a_record_longer_than_any_is_cut(tmp_path: Path, monkeypatch: object) -> None:
    size = forward.LONGEST + 5000
    path = tmp_path / "a.log"
    path.write_bytes(b"2026-01-01T00:00:00Z " + b"x" * size + b"\n2026-01-01T00:00:01Z last\n")
    log = open_log(str(path))
    blocks = list(Forward(log, STAMPED))
    log.close()
    assert sum(len(block.data) for block in blocks) == path.stat().st_size
    assert records(blocks)[-1][0].endswith("last")


def test_a_record_without_a_time_has_that_of_the_one_before() -> None:
    plain = detect(b"no time\n" * 5)
    first, last = Forward(Pieces(b"a\nb\nc\n", 100), plain)
    assert first.times.tolist() == [first.observed] * 2
    assert read_record(last, 0, plain, 7).at == 7
    early = Pieces(
        b"2026-01-01T00:00:01Z ERROR a\n" + b"Traceback (most recent call last):\nValueError\n" * 3, 100
    )
    moments = [at for block in Forward(early, STAMPED) for at in block.times.tolist()]
    assert set(moments) == {1_767_225_601_000_000_000}
