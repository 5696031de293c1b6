from __future__ import annotations

import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cockpit.errors import CommandError
from cockpit.signals import SECOND, Matcher
from cockpit.source import Silencing
from sources.support.amtool import (
    MAX_MATCHERS,
    Expiring,
    duration,
    expire_argv,
    parse,
    parse_matcher,
    silence_argv,
)
from tests.live.servers import program

NOW = 1_800_000_000 * SECOND
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
NAME = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,9}", fullmatch=True)


def silencing(
    *matchers: Matcher, comment: str = "deploy", author: str = "ann", end: int = NOW + SECOND
) -> Silencing:
    return Silencing(matchers=matchers, starts_at=NOW, ends_at=end, created_by=author, comment=comment)


@given(st.lists(st.builds(Matcher, NAME, TEXT, st.just(False), st.booleans()), max_size=5), TEXT, TEXT)
def test_what_is_written_is_read_back(matchers: list[Matcher], comment: str, author: str) -> None:
    wanted = silencing(Matcher("alertname", "x"), *matchers, comment=f"c{comment}", author=f"a{author}")
    argv = silence_argv(wanted)
    assert argv[:3] == ("amtool", "silence", "add")
    assert parse(argv, now=0) == wanted


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_words_are_an_action_or_refused(words: list[str]) -> None:
    for argv in (words, ["amtool", "silence", "add", *words], ["amtool", "silence", "expire", *words]):
        try:
            parse(argv, now=NOW)
        except CommandError:
            continue


def test_what_a_person_types() -> None:
    words = ["-a", "ann", "-c", "why not", "-d", "1d12h", "alertname=Disk", "job=~api|web", 'x!="y"']
    wanted = parse(["amtool", "silence", "add", *words], now=NOW)
    assert isinstance(wanted, Silencing)
    assert wanted.ends_at - wanted.starts_at == 129_600 * SECOND and wanted.starts_at == NOW
    assert wanted.matchers == (
        Matcher("alertname", "Disk"),
        Matcher("job", "api|web", is_regex=True),
        Matcher("x", "y", is_equal=False),
    )
    assert parse(expire_argv("abc-1"), now=0) == Expiring(("abc-1",))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (silencing(Matcher("a", "b"), comment=" "), "comment"),
        (silencing(Matcher("a", "b"), author=""), "author"),
        (silencing(), "needs a matcher"),
        (silencing(Matcher("a", ".*", is_regex=True)), "silence everything"),
        (silencing(Matcher("a", "b", is_equal=False)), "silence everything"),
        (silencing(*[Matcher("a", "b")] * (MAX_MATCHERS + 1)), "matchers"),
        (silencing(Matcher("a", "b"), end=NOW), "before it starts"),
        (silencing(Matcher("a", "b"), end=NOW + 500 * 86_400 * SECOND), "year"),
        (silencing(Matcher("a", "b" * 3000)), "longer than"),
    ],
)
def test_a_silence_that_should_not_be_is_refused(wanted: Silencing, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        silence_argv(wanted)


@pytest.mark.parametrize(
    "argv",
    [
        "rm -rf /",
        "amtool alert query",
        "amtool silence expire",
        "amtool silence expire ../x",
        "amtool silence expire --help",
        "amtool silence add -a a -c c Foo",
        "amtool silence add -a a -c c -c d a=b",
        "amtool silence add -a a -c c --alertmanager.url=http://evil a=b",
        "amtool silence add -a a -c c -d forever a=b",
        "amtool silence add -a a -c c --end never a=b",
        "amtool silence add -a a -c c -d 1h --end 2030-01-01T00:00:00Z a=b",
        'amtool silence add -a a -c c a="b',
    ],
)
def test_anything_else_is_refused(argv: str) -> None:
    with pytest.raises(CommandError):
        parse(argv.split(), now=NOW)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d12h", 129_600), ("1w", 604_800)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == seconds * SECOND


def test_matchers_unescape_as_alertmanager_does() -> None:
    assert parse_matcher('a="x\\"y\\\\z\\nw\\d"') == Matcher("a", 'x"y\\z\nw\\d')


@pytest.mark.live
def test_amtool_itself_takes_our_argv() -> None:
    amtool = program("amtool", "prometheus-alertmanager")
    end = time.time_ns() + 3_600 * SECOND
    odd = silencing(Matcher("alertname", 'odd "value" \\ ü'), comment="--looks like a flag", end=end)
    argv = silence_argv(replace(odd, starts_at=end - SECOND))
    # Port 1 refuses: a line that amtool could not read would fail with its usage instead.
    tried = subprocess.run(
        [amtool, "--alertmanager.url=http://127.0.0.1:1", *argv[1:]],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "connection refused" in tried.stderr and "usage" not in tried.stderr
