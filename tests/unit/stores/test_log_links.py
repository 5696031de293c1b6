"""Links to records of files: read, kept through rotation, and honest about what is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.opening import paths_of
from cockpit.stores.logs.files import links
from cockpit.stores.logs.files.links import Link, files_of, found_again, link_of, read_link
from cockpit.stores.logs.files.opened import OpenedLog
from cockpit.stores.logs.files.store import FileStore
from tests.helpers.log_screen import line


@given(
    st.text(min_size=1).filter(lambda text: "\0" not in text), st.integers(0, 10**12), st.integers(0, 1 << 20)
)
def test_a_link_is_read_as_it_was_written(path: str, offset: int, size: int) -> None:
    try:
        path.encode()
    except UnicodeEncodeError:
        return
    link = Link(path, offset, size, "0f" * 32)
    assert read_link(str(link)) == link


@given(st.text())
def test_what_is_no_link_is_said_so(text: str) -> None:
    with pytest.raises(UsageError, match="no link"):
        read_link("file:" + text.replace("sha256", ""))


def store_of(path: Path, count: int = 50) -> FileStore:
    path.write_bytes(b"".join(line(number) for number in range(count)))
    return FileStore([str(path)])


def test_a_link_names_the_bytes_of_its_record(tmp_path: Path) -> None:
    path = tmp_path / "a b.log"
    store = store_of(path)
    link = link_of(store, 7)
    assert path.read_bytes()[link.offset : link.offset + link.size] == line(7)
    assert store.number_of(0, link.offset) == store.number_of(0, link.offset + link.size - 1) == 7
    assert store.number_of(0, 10**9) is None
    assert files_of(link) == [str(path)]
    store.close()


def test_a_rotated_file_is_found_by_its_name_and_place(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    store = store_of(path)
    link = link_of(store, 7)
    store.close()
    path.rename(tmp_path / "a.log.1")
    path.write_bytes(line(900))
    assert files_of(link) == [str(tmp_path / "a.log.1")]
    (tmp_path / "a.log.1").unlink()
    assert files_of(link) == [str(path)]
    path.unlink()
    with pytest.raises(UsageError, match="not there"):
        files_of(link)


def test_a_line_that_moved_is_found_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "PIECE", 512)
    path = tmp_path / "a.log"
    store = store_of(path)
    for number, link in enumerate(link_of(store, number) for number in range(50)):
        moved = tmp_path / "b.log"
        moved.write_bytes(b"one more\n" + path.read_bytes())
        assert found_again(OpenedLog(str(moved)), link, lambda _: True) == link.offset + len(b"one more\n")
        moved.write_bytes(path.read_bytes().replace(line(number), b""))
        assert found_again(OpenedLog(str(moved)), link, lambda _: True) is None
    assert found_again(OpenedLog(str(path)), link_of(store, 9), lambda _: False) is None
    store.close()


def test_a_link_on_the_command_line_names_the_file_and_where_to_go(tmp_path: Path) -> None:
    store = store_of(tmp_path / "a.log")
    link = str(link_of(store, 7))
    store.close()
    other = str(tmp_path / "other.log")
    assert paths_of([other, link]) == ([other, str(tmp_path / "a.log")], link)
    with pytest.raises(UsageError, match="no link"):
        paths_of(["file:x#offset=q"])
