from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.formats.catalogue import known_formats
from cockpit.formats.columns import UNDATED
from cockpit.formats.detect import ALIKE, LEAST, _is_json, detect
from cockpit.formats.format import LineFormat
from cockpit.formats.piece import Piece
from cockpit.signals import level_name
from tests.helpers.log_samples import SAMPLES, moment
from tests.helpers.shared_data import shared_data

OBSERVED = moment("2026-11-23T22:30:00+00:00")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def records(known: LineFormat, data: bytes) -> list[bytes]:
    columns = known.columns(memoryview(data), observed=OBSERVED)
    ends = [*columns.starts[1:].tolist(), len(data)]
    return [data[start:end] for start, end in zip(columns.starts.tolist(), ends, strict=True)]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_format_is_told_from_its_content_and_read(name: str) -> None:
    sample = SAMPLES[name]
    data = sample.lines.encode()
    found = detect(data, observed=OBSERVED)
    assert found.name == name
    columns = found.columns(memoryview(data), observed=OBSERVED)
    record = found.record(records(found, data)[0].decode().removesuffix("\n"), observed=OBSERVED)
    assert columns.times[0] == (moment(sample.at) if sample.at else UNDATED)
    assert record.at == (moment(sample.at) if sample.at else OBSERVED)
    assert level_name(int(columns.levels[0])) == level_name(record.level) == sample.level
    assert record.body == sample.body
    assert len(columns) == sample.records
    assert columns.lines == sample.lines.count("\n")


def test_every_format_has_a_sample() -> None:
    assert {known.name for known in known_formats()} - {"haproxy"} == SAMPLES.keys()


def test_a_sample_that_is_cut_is_told_as_well() -> None:
    data = SAMPLES["clf"].lines.encode() * 3
    assert detect(data[20:-20], observed=OBSERVED).name == "clf"


def test_one_line_of_another_format_changes_nothing() -> None:
    data = SAMPLES["clf"].lines.encode() * 10 + b"2026-11-23 22:15:23 starting\n"
    assert detect(data, observed=OBSERVED).name == "clf"


@pytest.mark.parametrize(
    ("system", "name", "levelled"),
    [("Android", "logcat", 2000), ("Apache", "ctime", 2000), ("BGL", "epoch", 2000), ("HDFS", "hdfs", 2000),
     ("Hadoop", "log4j", 2000), ("Zookeeper", "log4j", 2000), ("Linux", "syslog-3164", 0),
     ("OpenSSH", "syslog-3164", 0)],
)  # fmt: skip
def test_real_logs_have_their_times_and_levels(system: str, name: str, levelled: int) -> None:
    data = (shared_data("loghub-2k") / system / f"{system}_2k.log").read_bytes()
    found = detect(data, observed=OBSERVED)
    assert found.name == name
    columns = found.columns(memoryview(data), observed=OBSERVED)
    assert len(columns) >= 1990
    assert (columns.times != UNDATED).sum() >= 1990
    assert (columns.levels > 0).sum() >= levelled
    assert (columns.times < OBSERVED).all()


def test_the_fields_of_a_w3c_log_are_those_that_it_names() -> None:
    data = (
        b"#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2026-11-23 22:15:23\r\n"
        b"#Fields: date time sc-status cs-method cs-uri-stem c-ip time-taken\r\n"
        b"2026-11-23 22:15:23 500 GET /a 10.0.0.1 15\r\n2026-11-23 22:15:24 200 GET /b 10.0.0.1 7\r\n"
    )
    found = detect(data, observed=OBSERVED)
    columns = found.columns(memoryview(data), observed=OBSERVED)
    assert columns.starts[0] == data.index(b"2026-11-23 22:15:23 500")
    assert columns.levels.tolist() == [17, 9]
    assert columns.times[0] == moment("2026-11-23T22:15:23+00:00")
    record = found.record(data.split(b"\n")[4].decode(), observed=OBSERVED)
    assert record.attributes == {
        "http.response.status_code": 500,
        "http.request.method": "GET",
        "url.path": "/a",
        "client.address": "10.0.0.1",
        "w3c.time_taken": 15,
    }


JSON_PARTS = st.lists(
    st.sampled_from(
        [
            b"{", b"}", b"{}", b'{"log":"x\\n","stream":"stdout","time":"2026-11-23T22:15:23Z"}', b"\n", b"\n\n",
            b'{"level":"info","msg":"x","time":"2026-11-23T22:15:23Z"}', b"#Fields: date time c-ip", b"\r\n", b"\xff",
            b'{"__REALTIME_TIMESTAMP":"1795472123000000","MESSAGE":"x"}', b"2026-11-23T22:15:23.1Z stdout F {}",
            b" ", b"level=info msg=x", b"Nov 23 22:15:23 web-1 sshd[1]: x",
        ]
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(JSON_PARTS, st.booleans())
def test_what_is_told_from_first_letters_is_what_all_formats_would_tell(
    parts: list[bytes], line_by_line: bool
) -> None:
    sample = (b"\n" if line_by_line else b"").join(parts)
    told = detect(sample, observed=OBSERVED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cockpit.formats.detect._is_json", lambda sample: False)
        assert detect(sample, observed=OBSERVED).name == told.name


def test_json_lines_are_told_from_first_letters() -> None:
    whole = b'{"level":"info","msg":"x"}\n' * 3
    assert _is_json(whole) and _is_json(whole[:-20])
    assert not any(_is_json(SAMPLES[name].lines.encode()) for name in SAMPLES if name != "json")


def told_by_all(data: bytes) -> str:
    """Return the format that is told when every one of them is tried."""
    piece = Piece(data)
    fits = [(known.fitting(piece, observed=OBSERVED), known.name) for known in known_formats()]
    most = max(count for count, name in fits)
    return (
        "plain" if most <= LEAST * len(piece) else next(name for count, name in fits if count >= ALIKE * most)
    )


@pytest.mark.parametrize("strays", [0, 1, 4, 30])
@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "iis"])
def test_no_more_formats_are_tried_than_decide(name: str, strays: int) -> None:
    lines = SAMPLES[name].lines.encode().splitlines(keepends=True)
    stray = [b"2026-11-23 22:15:23 INFO starting\n", b"  at x\n", b'{"log":"x\\n"}\n', b"[error] no\n"] * 8
    data = b"".join(stray[:strays] + lines * 3)
    assert detect(data, observed=OBSERVED).name == told_by_all(data)
