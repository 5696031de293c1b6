"""What is read of many lines at once is what is read of each, whatever bytes a log has and wherever it is cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cockpit.formats.catalogue import format_named
from cockpit.formats.columns import UNDATED, Columns
from cockpit.formats.format import LineFormat, line_starts
from cockpit.formats.wrapped import CriFormat, DockerFormat, WrappedFormat
from tests.helpers.log_samples import SAMPLES, moment

OBSERVED = moment("2026-11-23T22:30:00+00:00")
LINES = [line for sample in SAMPLES.values() for line in sample.lines.encode().split(b"\n")]
FORMATS = {name: format_named(name) for name in [*SAMPLES, "haproxy"]}
FORMATS["cri-json"] = CriFormat(inner=FORMATS["json"])
FORMATS["docker-log4j"] = DockerFormat(inner=FORMATS["log4j"])

spliced = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b" ", b"[", b"]", b'"', b"\\", b":", b"{", b"}", b"\xff", b"\r", b"\x00", b"\t", b"=", b"<",
                         b"ERROR",
                         b"[warn]", b"2026-11-23T22:15:23.5Z", b"9", b"Nov 23 22:15:23", b"level=info", b"-"]),
    ), max_size=3,
)  # fmt: skip


@st.composite
def logs(draw: st.DrawFn) -> tuple[str, bytes]:
    """A format's name, and lines of it with others, bytes put in, taken out and cut off."""
    name = draw(st.sampled_from(sorted(FORMATS)))
    kind = name.partition("-")[0] if name not in SAMPLES else name
    own = SAMPLES[kind].lines.encode().split(b"\n") if kind in SAMPLES else LINES
    lines = []
    for line in draw(st.lists(st.one_of(st.sampled_from(own), st.sampled_from(LINES)), max_size=12)):
        if draw(st.booleans()):
            at, to = draw(st.integers(0, len(line))), draw(st.integers(0, 3))
            line = line[:at] + b"".join(draw(spliced)) + line[at + to :]
        if draw(st.integers(0, 9)) == 0:
            line = line[: draw(st.integers(0, len(line)))]
        lines.append(line)
    many = draw(st.sampled_from([1, 1, 1, 12]))
    return name, b"\n".join(lines * many) + draw(st.sampled_from([b"", b"\n"]))


def agree(known: LineFormat, data: bytes, columns: Columns) -> None:
    bounds = [*columns.starts.tolist(), len(data)]
    for row, (start, end) in enumerate(pairwise(bounds)):
        text = data[start:end].removesuffix(b"\n").decode("utf-8", "surrogateescape")
        record = known.record(text, observed=OBSERVED)
        at = int(columns.times[row])
        assert record.at == (OBSERVED if at == UNDATED else at), text
        assert record.level == columns.levels[row], text


@settings(max_examples=300, deadline=None)
@given(logs())
@example(("iso", b"2026-11-23T24:15:23Z INFO x\n2026-02-30 00:00:00 ERROR\n0000-01-01T00:00:00Z y"))
@example(("json", b'{"level":"info","time":1e999}\n{"time":true}\n{"a":"\\\\","level":30}' * 30))
def test_columns_agree_with_records(log: tuple[str, bytes]) -> None:
    name, data = log
    columns = FORMATS[name].columns(memoryview(data), observed=OBSERVED)
    assert columns.lines == data.count(b"\n") + (data[-1:] not in (b"", b"\n"))
    assert (np.diff(columns.starts.astype(np.int64)) > 0).all()
    assert set(columns.starts.tolist()) <= set(line_starts(memoryview(data)).tolist())
    agree(FORMATS[name], data, columns)


@settings(max_examples=80, deadline=None)
@given(logs(), st.data())
def test_pieces_cut_at_any_line_are_the_same_as_the_whole(
    log: tuple[str, bytes], drawn: st.DataObject
) -> None:
    name, data = log
    known = FORMATS[name]
    if known.unmatched != "joins" or isinstance(known, WrappedFormat):
        return  # what goes on a trace is told by the line before it
    whole = known.columns(memoryview(data), observed=OBSERVED)
    cut = drawn.draw(st.sampled_from([0, *line_starts(memoryview(data)).tolist()]))
    parts = [known.columns(memoryview(part), observed=OBSERVED) for part in (data[:cut], data[cut:])]
    starts = np.concatenate([parts[0].starts, parts[1].starts + cut])
    assert starts.tolist() == whole.starts.tolist()
    for column in ("times", "levels"):
        joined = np.concatenate([getattr(part, column) for part in parts])
        assert joined.tolist() == getattr(whole, column).tolist()
    assert parts[0].lines + parts[1].lines == whole.lines


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_line_of_a_log_that_is_none_belongs_somewhere(name: str) -> None:
    assert len(FORMATS[name].columns(memoryview(b""), observed=OBSERVED)) == 0
    columns = FORMATS[name].columns(memoryview(b"\xff\x00\n\n  \n"), observed=OBSERVED)
    assert columns.lines == 3
    assert len(columns) <= 1
