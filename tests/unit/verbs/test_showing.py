"""What the verbs print: safe on a terminal, whole in JSON."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from cockpit.actionlog.records import Chunk
from cockpit.actions.transport import Stream
from cockpit.verbs.showing import as_json, chunks_as_builtins, clean_output, one_line


def chunks(*pieces: bytes, stream: Stream = Stream.STDOUT) -> list[Chunk]:
    return [Chunk(at=0, stream=stream, data=piece) for piece in pieces]


def test_a_character_cut_in_two_is_put_together() -> None:
    pieces = list(chunks_as_builtins(chunks(b"a\xc3", b"\xa9b")))
    assert [piece["text"] for piece in pieces] == ["a", "éb"]
    assert all("base64" not in piece for piece in pieces)


def test_streams_do_not_mix() -> None:
    mixed = [*chunks(b"\xc3"), *chunks(b"err", stream=Stream.STDERR), *chunks(b"\xa9")]
    assert [(p["stream"], p["text"]) for p in chunks_as_builtins(mixed)] == [
        ("stdout", ""),
        ("stderr", "err"),
        ("stdout", "é"),
    ]


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_json_loses_no_byte(pieces: list[bytes]) -> None:
    built = json.loads(as_json(list(chunks_as_builtins(chunks(*pieces)))))
    back = [base64.b64decode(p["base64"]) if "base64" in p else p["text"].encode() for p in built]
    assert b"".join(back) == b"".join(pieces)


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_output_on_a_terminal_holds_no_control_but_line_feeds_and_tabs(pieces: list[bytes]) -> None:
    text = "".join(clean_output(chunks(*pieces)))
    assert all(char in "\n\t" or (char >= " " and not "\x7f" <= char <= "\x9f") for char in text)


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


def test_json_keeps_an_undecodable_argument() -> None:
    assert json.loads(as_json({"argv": ["\udcff"]}).encode()) == {"argv": ["\udcff"]}
    assert as_json({"argv": ["ö"]}, indent=None) == '{"argv": ["ö"]}'
