from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from cockpit.formats.catalogue import known_formats
from cockpit.formats.columns import UNDATED
from cockpit.formats.detect import detect
from cockpit.formats.format import LineFormat
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
