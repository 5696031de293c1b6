"""Options before, between and behind the other words of a command line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import Parser, main
from cockpit.verbs.order import first_word, options_first


def parser() -> Parser:
    made = Parser(prog="p", exit_on_error=False)
    made.add_argument("first")
    made.add_argument("files", nargs="*")
    made.add_argument("-n", action="store_true")
    made.add_argument("-e", "--query")
    made.add_argument("--pair", nargs=2)
    made.add_argument("--timeout", type=float)
    return made


OPTIONS = st.sampled_from(
    [
        ("-n",),
        ("-e", "what"),
        ("-ewhat",),
        ("-ne", "what"),
        ("--query", "x y"),
        ("--query=x",),
        ("--pair", "a", "b"),
        ("--timeout", "2"),
        ("--timeo", "2"),
        ("--timeout=2",),
    ]
)
QUERIES = {"-e": "what", "-ewhat": "what", "-ne": "what", "--query": "x y", "--query=x": "x"}
WORDS = st.sampled_from([("word",), ("-",), ("-what that",), ("-7",), ("a=b",)])


@given(st.lists(st.one_of(OPTIONS, WORDS), min_size=1, max_size=8))
def test_options_mean_the_same_wherever_they_stand(mixed: list[tuple[str, ...]]) -> None:
    options = [group for group in mixed if group[0] in ("-n", "-e", "-ewhat", "-ne") or group[0][:2] == "--"]
    words = [group[0] for group in mixed if group not in options]
    given = [word for group in mixed for word in group]
    assert options_first(parser(), given) == [word for group in options for word in group] + words
    assert first_word(parser(), given) == (words[0] if words else None)
    if words:
        read = parser().parse_args(given)
        assert [read.first, *read.files] == words
        assert read.n == any(group[0] in ("-n", "-ne") for group in options)
        queries = [QUERIES[group[0]] for group in options if group[0] in QUERIES]
        assert read.query == (queries[-1] if queries else None)


def test_what_follows_two_dashes_is_no_option() -> None:
    read = parser().parse_args(["word", "-n", "--", "-e", "--query"])
    assert (read.first, read.files, read.n, read.query) == ("word", ["-e", "--query"], True, None)


def test_words_of_another_program_keep_their_order() -> None:
    other = Parser(prog="p")
    other.add_argument("-n", action="store_true")
    other.add_argument("argv", nargs=argparse.REMAINDER)
    assert options_first(other, ["ls", "-n"]) == ["ls", "-n"]
    assert other.parse_args(["ls", "-n"]).argv == ["ls", "-n"]


@pytest.mark.parametrize(
    "argv",
    [
        ["sql", "select count(*) as n from logs", "--jsonl", "LOG"],
        ["--config", "/dev/null", "sql", "select count(*) as n from logs", "LOG", "--jsonl"],
        ["sql", "--jsonl", "select count(*) as n from logs", "--memory", "100M", "LOG"],
    ],
)
def test_the_verbs_below_logs_take_their_options_anywhere(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    log.write_text("one\ntwo\n")
    assert main(["logs", *(str(log) if word == "LOG" else word for word in argv)]) == 0
    assert json.loads(capsys.readouterr().out) == {"n": 2}
