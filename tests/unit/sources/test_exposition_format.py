from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.signals import SECOND
from sources.support.exposition_format import LINE, PageParser, Sample, labels_of
from sources.support.metric_ring import MetricRing
from tests.helpers.shared_data import shared_data


def read(text: str | bytes, *, open_metrics: bool = False) -> tuple[list[Sample], PageParser]:
    parser = PageParser(open_metrics=open_metrics)
    data = text.encode() if isinstance(text, str) else text
    return [*parser.feed(data), *parser.finish()], parser


def test_a_page_of_the_text_format() -> None:
    samples, parser = read(
        "# HELP http_requests_total How many.\n"
        "# TYPE http_requests_total counter\n"
        'http_requests_total{method="post",code="200"} 1027 1395066363000\n'
        'msdos_access_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find:\\n\\"FILE\\""} 1.458255915e9\n'
        "metric_without_labels 12.47\n"
        '  something_weird{problem="division by zero",} +Inf -3982045\n'
        "# a comment\n\n"
        "nothing NaN\n"
    )
    assert [sample.name for sample in samples] == [
        "http_requests_total", "msdos_access_seconds", "metric_without_labels", "something_weird", "nothing",
    ]  # fmt: skip
    assert samples[0].value == 1027 and samples[0].at == 1395066363 * SECOND
    assert dict(labels_of(samples[1].raw) or ()) == {
        "path": "C:\\DIR\\FILE.TXT",
        "error": 'Cannot find:\n"FILE"',
    }
    assert samples[3].value == math.inf and samples[3].at == 0 and math.isnan(samples[4].value)
    assert parser.wrong == parser.first_wrong == 0
    assert parser.is_counting("http_requests_total") and not parser.is_counting("metric_without_labels")


def test_a_page_of_openmetrics() -> None:
    samples, parser = read(
        "# TYPE foo histogram\n# UNIT foo seconds\n"
        'foo_bucket{le="1.0"} 4 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879607.1\n'
        'foo_bucket{le="+Inf"} 17 # {} 9.8\n'
        "foo_count 17\nfoo_sum 324789.3\nfoo_created 1520430000.123\n# EOF\n",
        open_metrics=True,
    )
    assert len(samples) == 5 and parser.wrong == 0 and not parser.truncated
    assert samples[0].at == 1_520_879_607_789_000_000
    assert parser.is_counting("foo_bucket") and parser.is_counting("foo_sum")
    assert not parser.is_counting("foo_created")
    _, cut = read("# TYPE a gauge\na 1\n", open_metrics=True)
    assert cut.truncated


def test_names_outside_the_old_alphabet_stand_quoted() -> None:
    samples, parser = read('{"my.metric",region="eu"} 7\n')
    assert (samples[0].name, labels_of(samples[0].raw)) == ("my.metric", (("region", "eu"),))
    assert parser.wrong == 0


@pytest.mark.parametrize(
    "line",
    [
        "no_value", "name{a=\"b\" 1", "1name 1", "name 1_000", "name 0x", "name one", "name 1 2 3",
        "name 1 # {a=\"b\"} 1", '{region="eu"} 1', "name 1 99999999999999999999999999", "\x00 1", "name{} {} 1",
    ],
)  # fmt: skip
def test_what_is_in_no_format_is_counted_and_passed_over(line: str) -> None:
    samples, parser = read(f"before 1\n{line}\nafter 2\n")
    assert [sample.name for sample in samples] == ["before", "after"]
    assert (parser.wrong, parser.first_wrong) == (1, 2)


def test_malformed_labels_are_wrong_lines_too() -> None:
    ring = MetricRing()
    samples, _ = read('a{x="1",x="2"} 1\na{,} 1\na{9="1"} 1\na{b=c} 1\na{x="1"} 1\n')
    assert ring.take(samples, 1) == 1
    assert ring.wrong == 4


def test_a_line_without_end_is_dropped_not_kept() -> None:
    parser = PageParser()
    assert list(parser.feed(b'a 1\nlong{x="')) != []
    for _ in range(100):
        assert list(parser.feed(b"y" * LINE)) == []
    assert len(parser._rest) <= LINE
    assert [sample.name for sample in parser.feed(b'"} 1\nb 2\n')] == ["b"]
    assert parser.wrong == 1


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=4), st.booleans())
def test_any_bytes_in_any_pieces_give_the_same_as_in_one(data: bytes, cuts: list[int], om: bool) -> None:
    whole, once = read(data, open_metrics=om)
    parser = PageParser(open_metrics=om)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found = [sample for a, b in pairwise(edges) for sample in parser.feed(data[a:b])]
    found += parser.finish()
    assert repr(found) == repr(whole)
    assert (parser.lines, parser.wrong) == (once.lines, once.wrong)


LABEL_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(
    st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,9}", fullmatch=True),
    st.dictionaries(st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,6}", fullmatch=True), LABEL_TEXT, max_size=4),
    st.floats(),
)
def test_what_is_written_by_the_book_is_read_back(name: str, labels: dict[str, str], value: float) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    inner = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())
    [sample], parser = read(f"{name}{{{inner}}} {value!r}\n")
    assert parser.wrong == 0 and sample.name == name
    assert dict(labels_of(sample.raw) or ()) == labels
    assert sample.value == value or (math.isnan(value) and math.isnan(sample.value))


def test_real_pages_are_read_whole() -> None:
    pages = sorted(shared_data("prom-exposition").glob("*.txt"))
    assert pages
    for page in pages:
        samples, parser = read(page.read_bytes(), open_metrics=".om." in page.name)
        expected = sum(
            1 for line in page.read_bytes().split(b"\n") if line.strip() and not line.startswith(b"#")
        )
        assert (len(samples), parser.wrong, parser.truncated) == (expected, 0, False), page.name
        ring = MetricRing()
        assert ring.take(samples, 1) == expected == len(ring), page.name
