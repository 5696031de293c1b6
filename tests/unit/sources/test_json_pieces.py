from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.support import json_pieces
from sources.support.json_pieces import decode_in_pieces
from tests.helpers.examples import examples

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=4), inner, max_size=6),
    max_leaves=30,
)


@given(JSON, st.sampled_from([None, 1]), st.integers(0, 9))
@settings(max_examples=examples(80), deadline=None)
def test_pieces_make_the_same_as_the_whole(value: object, indent: int | None, levels: int) -> None:
    body = json.dumps(value, indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_pieces, "PIECE", 10)
        assert decode_in_pieces(b" \n" + body, levels=levels) == value


def test_a_large_answer_is_decoded_whole() -> None:
    value = {
        "data": [{"spans": [{"id": str(number), "tags": ["x" * 50]} for number in range(5_000)]}],
        "total": 1,
    }
    assert decode_in_pieces(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body", [b"", b"[1,", b"{" + b" " * 70_000, b'["' + b"a" * 70_000, b"[" + b"1," * 40_000 + b"]"]
)
def test_what_is_no_json_is_an_error(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_in_pieces(body)


def test_nesting_without_end_is_an_error() -> None:
    with pytest.raises((RecursionError, msgspec.DecodeError)):
        decode_in_pieces(b"[" * 200_000)
