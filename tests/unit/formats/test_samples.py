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
