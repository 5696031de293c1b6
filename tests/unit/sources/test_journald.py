from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cockpit.errors import SourceError
from cockpit.formats.journal import service_of, text_of
from sources.journald import JournaldOptions, JournaldSource
from sources.support import journal
from sources.support.journal import Entry, EntryReader, record_of


async def test_without_journalctl_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="install systemd"):
        await JournaldSource("journald", JournaldOptions()).check()


def test_no_value_can_pass_for_an_option(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    options = msgspec.convert(
        {"units": ["--vacuum-size=1"], "files": ["a.journal"], "namespace": "-x"}, JournaldOptions
    )
    argv = JournaldSource("journald", options).argv()
    assert "--unit=--vacuum-size=1" in argv
    assert "--namespace=-x" in argv
    # journalctl can't follow a file by a relative path.
    assert f"--file={tmp_path}/a.journal" in argv
    with pytest.raises(msgspec.ValidationError, match="priority"):
        msgspec.convert({"priority": "loud"}, JournaldOptions)


@pytest.mark.parametrize(
    ("fields", "service"),
    [
        ({"_SYSTEMD_UNIT": "nginx.service", "SYSLOG_IDENTIFIER": "x"}, "nginx"),
        ({"_SYSTEMD_UNIT": "init.scope", "UNIT": "nginx.service", "SYSLOG_IDENTIFIER": "systemd"}, "nginx"),
        ({"_SYSTEMD_UNIT": "session-1.scope", "SYSLOG_IDENTIFIER": "sudo"}, "sudo"),
        ({"_SYSTEMD_UNIT": "user@0.service", "_SYSTEMD_USER_UNIT": "app.service"}, "app"),
        ({"_COMM": "cat"}, "cat"),
        ({}, ""),
    ],
)
def test_the_service_an_entry_is_about(fields: dict[str, object], service: str) -> None:
    assert service_of(fields) == service


def test_values_come_as_text_bytes_or_several() -> None:
    assert text_of([104, 255, 105]) == "h\ufffdi"
    assert text_of(["a", "b"]) == "a"
    assert text_of([[104, 105], "b"]) == "hi"
    assert text_of(None) == text_of([]) == text_of({"a": 1}) == ""


@given(
    st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), max_size=8), st.data()
)
def test_entries_come_whole_whatever_pieces_they_come_in(
    entries: list[dict[str, str]], data: st.DataObject
) -> None:
    raw = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
    reader, read, at = EntryReader(), [], 0
    while at < len(raw):
        step = data.draw(st.integers(1, len(raw) - at))
        read += reader.feed(raw[at : at + step])
        at += step
    assert [entry.fields for entry in read] == entries
    assert reader.left_out == 0


def test_what_is_no_entry_or_too_long_is_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LINE", 100)
    reader = EntryReader()
    read = reader.feed(b'{"a":"1"}\nno json\n[1]\n\n' + b"x" * 500)
    read += reader.feed(b"x" * 500)
    read += reader.feed(b'x\n{"a":"2"}\n')
    assert [entry.fields for entry in read] == [{"a": "1"}, {"a": "2"}]
    assert reader.left_out == 3


values = (
    st.none()
    | st.text(max_size=40)
    | st.integers()
    | st.lists(st.integers(-1, 300) | st.text(max_size=3), max_size=5)
)
names = st.sampled_from(
    ["MESSAGE", "PRIORITY", "__REALTIME_TIMESTAMP", "_PID", "UNIT", "_HOSTNAME", "TRACE_ID"]
)


@given(st.dictionaries(names, values))
@example({"__REALTIME_TIMESTAMP": "²", "_PID": "²"})
def test_any_fields_are_a_record(fields: dict[str, object]) -> None:
    record = record_of(Entry("c", fields))
    assert 0 <= record.at < 1 << 62
    assert 0 <= record.level <= 24
    assert all(isinstance(name, str) for name in record.resource.values())
