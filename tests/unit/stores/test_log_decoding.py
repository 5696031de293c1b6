"""Compressed logs, given in any pieces, hand on what other programs put into them."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import CockpitError
from cockpit.stores.logs.spool import decoding
from cockpit.stores.logs.spool.decoding import compression_of, decoder_of
from cockpit.stores.logs.spool.zstd_frames import FrameEnds

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
NAMES = sorted(PACK)


def decoded(name: str, data: bytes, size: int = 1 << 20) -> bytes:
    parts: list[bytes] = []
    decoder = decoder_of(name)
    for start in range(0, len(data), size):
        decoder.give(data[start : start + size], parts.append)
    assert all(len(part) <= decoding.PIECE for part in parts)
    return b"".join(parts)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    members=st.lists(st.binary(max_size=2_000), min_size=1, max_size=4),
    size=st.integers(1, 200),
)
def test_members_in_any_pieces(name: str, members: list[bytes], size: int) -> None:
    packed = b"".join(map(PACK[name], members))
    assert compression_of(packed) == name
    assert decoded(name, packed, size) == b"".join(members)


@pytest.mark.parametrize("name", NAMES)
def test_a_lot_from_a_little_comes_in_pieces(name: str) -> None:
    assert decoded(name, PACK[name](bytes(20 << 20))) == bytes(20 << 20)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_known_where_a_log_was_cut_off(name: str) -> None:
    packed = PACK[name](b"line\n" * 50_000)
    decoder = decoder_of(name)
    parts: list[bytes] = []
    decoder.give(packed[:-5], parts.append)
    assert not decoder.whole
    assert (b"line\n" * 50_000).startswith(b"".join(parts))
    decoder.give(packed[-5:], parts.append)
    assert decoder.whole
    assert b"".join(parts) == b"line\n" * 50_000


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz"])
def test_what_follows_the_last_member_is_left_out(name: str) -> None:
    assert decoded(name, PACK[name](b"a\n") + bytes(512) + b"rubbish", 3) == b"a\n"
    assert decoded(name, PACK[name](b"a\n") + bytes(512) + PACK[name](b"b\n"), 3) == b"a\nb\n"


@settings(max_examples=100, deadline=None)
@given(
    frames=st.lists(
        st.tuples(
            st.binary(max_size=300),
            st.integers(0, 300),
            st.sampled_from([-5, 1, 3]),
            st.booleans(),
            st.booleans(),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
    skipped=st.none() | st.binary(max_size=20),
    size=st.integers(1, 50),
)
def test_frames_of_zstd_are_whole_where_they_end_and_nowhere_else(
    frames: list[tuple[bytes, int, int, bool, bool, bool]], skipped: bytes | None, size: int
) -> None:
    packed, ends = b"", {0}
    if skipped is not None:
        packed = (0x184D2A5F).to_bytes(4, "little") + len(skipped).to_bytes(4, "little") + skipped
        ends.add(len(packed))
    for data, repeated, level, checked, sized, flushed in frames:
        compressor = zstandard.ZstdCompressor(level=level, write_checksum=checked, write_content_size=sized)
        if flushed:
            stream = compressor.compressobj()
            packed += stream.compress(data) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
            packed += stream.compress(b"a" * repeated * 1_000) + stream.flush()
        else:
            packed += compressor.compress(data + b"a" * repeated * 1_000)
        ends.add(len(packed))
    following = FrameEnds()
    for place, byte in enumerate(packed):
        assert following.whole == (place in ends)
        following.take(bytes([byte]))
    assert following.whole
    following = FrameEnds()
    for start in range(0, len(packed), size):
        following.take(packed[start : start + size])
        assert following.whole == (min(start + size, len(packed)) in ends)


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from(NAMES), data=st.binary(max_size=300), place=st.integers(0, 400))
def test_damage_is_told_or_left_out_and_nothing_else(name: str, data: bytes, place: int) -> None:
    packed = PACK[name](b"some lines\n" * 40)
    broken = packed[: min(place, len(packed))] + data
    try:
        decoded(name, broken, 50)
    except CockpitError as error:
        assert "can't be decompressed" in str(error)


def test_memory_that_a_format_asks_for_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MEMORY", 1 << 20)
    with pytest.raises(CockpitError, match="can't be decompressed"):
        decoded("xz", lzma.compress(b"x" * 100, preset=9))
    window = zstandard.ZstdCompressionParameters(window_log=24, compression_level=1)
    stream = zstandard.ZstdCompressor(compression_params=window).compressobj()
    with pytest.raises(CockpitError, match="can't be decompressed"):
        decoded("zstd", stream.compress(bytes(40 << 20)) + stream.flush())


def test_lines_are_no_compression() -> None:
    assert compression_of(b"BZ: a log") == ""
    assert compression_of(b"") == ""
    assert decoded("", b"a\n") == b"a\n"
    skipped = (0x184D2A53).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"
    assert compression_of(skipped) == "zstd"
    assert decoded("zstd", skipped + PACK["zstd"](b"a")) == b"a"
