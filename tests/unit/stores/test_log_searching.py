from __future__ import annotations

import pytest

from cockpit.formats.columns import Columns
from cockpit.formats.format import LogFormat
from cockpit.signals import LogRecord
from cockpit.stores.logs import OPEN, Criteria, parse_filter
from cockpit.stores.logs.files.searching import matching_of, query_of
from tests.helpers.log_pieces import Indented, Lines, Objects

DATA = b'{"service":"cart","msg":"refused"}\n{"service":"carts","msg":"refused"}\n{"service":"cart","msg":"ok"}\n'


def found(criteria: Criteria, data: bytes, fmt: LogFormat) -> list[bool] | None:
    matching = matching_of(query_of(criteria))
    assert matching is not None
    mask = matching.match(data, lambda: fmt.columns(memoryview(data), observed=0), fmt, "/var/log/web.log")
    return None if mask is None else mask[0].tolist()


def test_nothing_is_searched_for_where_all_is_admitted() -> None:
    assert matching_of(query_of(OPEN)) is None


@pytest.mark.parametrize(
    ("criteria", "wanted"),
    [
        (Criteria(service="cart"), [True, False, True]),
        (Criteria(service="cart", filter=parse_filter("refused")), [True, False, False]),
        (Criteria(filter=parse_filter("-refused")), [False, False, True]),
        (Criteria(filter=parse_filter("source:web")), [True, True, True]),
        (Criteria(trace_id="ab", host="x"), None),
    ],
)
def test_scope_and_filter_are_searched_for_together(criteria: Criteria, wanted: list[bool] | None) -> None:
    assert found(criteria, DATA, Objects()) == wanted


def test_the_floor_is_a_level() -> None:
    assert found(Criteria(floor=17), b"a\n" * 20, Indented()) == [number >= 17 for number in range(20)]


def test_a_piece_without_the_word_is_done_without_its_columns() -> None:
    def never() -> Columns:
        raise AssertionError("the columns were asked for")

    class Unread(Lines):
        def record(self, text: str, *, observed: int) -> LogRecord:
            raise AssertionError("a record was read")

    for text in (
        "needle",
        "needle or pin",
        "hay needle level>=warn",
        "needle=5",
        "/nee+dle$/",
        "service:needle",
    ):
        matching = matching_of(query_of(Criteria(filter=parse_filter(text))))
        assert matching is not None
        assert matching.match(b"hay\nhay\n", never, Unread(), "log") is None, text
