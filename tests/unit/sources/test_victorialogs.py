"""LogsQL as it is written, and answers that VictoriaLogs does not give; what it does give, the live tests show."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import BadAnswer, Denied, SourceError, Unreachable, UsageError
from cockpit.signals import SECOND
from cockpit.source import TimeRange
from cockpit.stores.logs.query import parse_query
from sources.support.log_fields import FieldNames, RecordMaker, flattened
from sources.support.logsql import LogsQl
from sources.victorialogs import VictoriaLogsOptions, VictoriaLogsSource
from tests.helpers.http_server import Asked, Said, http_server

NAMES = VictoriaLogsOptions(url="http://x").names()
STRING = re.compile(r'"(?:\\(?:["\\]|u[0-9a-f]{4}|U[0-9a-f]{8})|[^"\\\x00-\x1f\x7f])*"')
REST = re.compile(r"(?:[()!:*~=<> \[\],]|and\b|or\b|range\b|[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)*")
TEXTS = st.text(max_size=20) | st.sampled_from(
    ['"', '\\"', '" or *', "\\", "`", "|", "\n", "*", "a*b", "-", "(", "#"]
)


@given(TEXTS, TEXTS, st.integers(-(10**9), 10**9))
def test_no_text_gets_out_of_its_quotes(text: str, other: str, number: int) -> None:
    names = FieldNames(
        message=("_msg", text), level=(text,), service=(other,), host=(), trace=(other,), span=()
    )
    for query in (
        f'"{text}"', text, f"-{text} or {other}", f'service="{text}"', f'host:"{text}"', f'{text}="{other}"',
        f"level>=warn {text}", f"/{text}/", f"{text}>{number}", f"a={number}", f"a>{number}ms", "b:*", "ab" * 16,
    ):  # fmt: skip
        try:
            root = parse_query(query).root
        except UsageError:
            continue
        asked = LogsQl("vl", names).node(root).asked
        assert REST.fullmatch(STRING.sub("", asked or "")), asked


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("timeout", r'"_msg":~"(?i)timeout"'),
        ("-timeout", r'!("_msg":~"(?i)timeout")'),
        ("a or b", r'("_msg":~"(?i)a") or ("_msg":~"(?i)b")'),
        ("/a.b/", r'"_msg":~"(?im)a.b"'),
        ("source:vl", "*"),
        ("source:no", "!(*)"),
        ("host=", None),
    ],
)
def test_a_query_is_translated(query: str, asked: str | None) -> None:
    if asked is None:
        with pytest.raises(UsageError):
            parse_query(query)
        return
    assert LogsQl("vl", NAMES).node(parse_query(query).root).asked == asked


@asynccontextmanager
async def asking(answer: Any, **options: Any) -> AsyncIterator[VictoriaLogsSource]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(http_server(answer))
        source = VictoriaLogsSource("vl", VictoriaLogsOptions(url=url, **options))
        stack.push_async_callback(source.aclose)
        yield source


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"7\n", b'{"_time":5}', b'{"_msg":{"a":1}}', b"\xff", b'{"a"']
)
async def test_a_line_that_is_no_record_is_refused(body: bytes) -> None:
    async with asking(lambda _: Said(200, body)) as source:
        with pytest.raises(BadAnswer, match="no record"):
            await source.query_logs("", TimeRange(0, SECOND), 5)


@pytest.mark.parametrize("body", [b"", b"{}x", b'{"hits":7}', b'{"hits":[{"values":["a"]}]}'])
async def test_counts_that_are_none_are_refused(body: bytes) -> None:
    async with asking(lambda _: Said(200, body)) as source:
        with pytest.raises(BadAnswer):
            await source.count_logs("", TimeRange(0, SECOND), 5)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Said(401, b"Unauthorized"), Denied),
        (Said(429, b"too many concurrent queries", {"retry-after": "1"}), Unreachable),
        (Said(503, b""), Unreachable),
        (Said(404, b"unsupported path"), BadAnswer),
        (Said(400, b"cannot parse query"), BadAnswer),
    ],
)
async def test_refusals_have_meanings(said: Said, kind: type[SourceError]) -> None:
    async with asking(lambda _: said) as source:
        with pytest.raises(kind):
            await source.query_logs("", TimeRange(0, SECOND), 5)


async def test_another_product_is_told() -> None:
    def answer(asked: Asked) -> Said:
        return Said(200, b'vm_app_version{version="victoria-metrics-1.79", short_version="v1.79"} 1\n')

    async with asking(answer) as source:
        with pytest.raises(BadAnswer, match="no VictoriaLogs"):
            await source.check()


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(["_msg", "level", "severity_number", "service.name", "trace_id", "host", "x", "_time"])


@given(st.dictionaries(KEYS | st.text(max_size=5), JSON, max_size=9), st.integers(0, 1 << 62))
def test_any_fields_make_a_record(fields: dict[str, Any], at: int) -> None:
    record = RecordMaker("vl", NAMES, frozenset({"_time"})).record(at, flattened(fields))
    assert record.at == at
    assert 0 <= record.level <= 24
    assert "_time" not in record.attributes
    assert all(value is None or isinstance(value, str | int | float) for value in record.attributes.values())


def test_a_deep_and_a_wide_object_end() -> None:
    deep: dict[str, Any] = {"end": 1}
    for _ in range(500):
        deep = {"a": deep}
    assert len(flattened(deep)) == 1
    record = RecordMaker("vl", NAMES).record(1, flattened({f"k{number}": number for number in range(5_000)}))
    assert len(record.attributes) == 101
