"""Logs read once from their beginning: what they are compressed with, what they are not, and where they break off."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from cockpit.errors import CockpitError
from cockpit.stores.logs.streams import open_log

TEXT = b"".join(b"2026-01-01T00:00:00Z line %d\n" % number for number in range(20_000))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
}


def read_all(path: Path) -> bytes:
    log = open_log(str(path))
    parts = list(iter(log.read, b""))
    log.close()
    return b"".join(parts)


def test_a_plain_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(TEXT)
    assert read_all(path) == TEXT


@pytest.mark.parametrize("kind", PACKERS)
def test_a_compressed_file_is_told_by_its_content(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "named-like-nothing.log"
    path.write_bytes(PACKERS[kind](TEXT))
    log = open_log(str(path))
    assert log.compressed == kind
    log.close()
    assert read_all(path) == TEXT


@pytest.mark.parametrize("kind", PACKERS)
def test_parts_that_were_appended_are_read_as_well(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(PACKERS[kind](TEXT) + PACKERS[kind](b"more\n"))
    assert read_all(path) == TEXT + b"more\n"


@pytest.mark.parametrize("kind", PACKERS)
def test_what_comes_before_a_cut_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.log"
    whole = PACKERS[kind](os.urandom(1_200_000 if kind == "bzip2" else 300_000).hex().encode())
    path.write_bytes(whole[: len(whole) // 2])
    log, read = open_log(str(path)), 0
    with pytest.raises(CockpitError, match="ends before its compressed data does"):
        while part := log.read():
            read += len(part)
    log.close()
    assert read > 0


def test_an_empty_file_is_a_log_without_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.touch()
    assert read_all(path) == b""


def test_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(TEXT))
    writer.start()
    assert read_all(path) == TEXT
    writer.join()


@pytest.mark.parametrize("content", (b"\x7fELF\x02\x01\x01" + bytes(400), "füße\n".encode("utf-16") * 40))
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(CockpitError, match="binary"):
        open_log(str(path))
    log = open_log(str(path), binary=True)
    assert log.read() == content
    log.close()


def test_zeros_before_the_first_line_are_no_reason(tmp_path: Path) -> None:
    """A program that goes on writing at its old place after the file was truncated leaves them."""
    path = tmp_path / "a.log"
    path.write_bytes(bytes(8192) + b"a line\n" * 10)
    assert read_all(path).endswith(b"a line\n")


def test_a_directory_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(CockpitError, match="directory") as found:
        open_log(str(tmp_path))
    assert str(tmp_path) in str(found.value)
    with pytest.raises(CockpitError, match="no such file"):
        open_log(str(tmp_path / "none.log"))
