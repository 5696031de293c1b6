from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.formats.columns import UNDATED
from cockpit.signals import SECOND
from cockpit.stores.logs.templates import Templates, Trend, patterns_of, query_for
from cockpit.stores.logs.templates.fold import fold, without_hex
from cockpit.stores.logs.templates.templates import rise

VERBS = ["Adding", "Removing", "Probing", "Killing"]
MOMENT = 1_790_000_000 * SECOND


def texts(lines: Sequence[str]) -> dict[str, int]:
    return {template.text: template.count for template in mined(lines).snapshot()}


def mined(lines: Sequence[str], *, batch: int = 1000, limit: int = 20_000, keep: bool = False) -> Templates:
    templates = Templates(limit=limit, keep_lines=keep)
    for begin in range(0, len(lines), batch):
        piece = lines[begin : begin + batch]
        numbers = range(begin + 1, begin + 1 + len(piece))
        templates.feed(numbers, [MOMENT + number * SECOND for number in numbers], piece)
    return templates


@pytest.mark.parametrize(
    ("lines", "template"),
    [
        (["took 5 ms", "took 1200 ms"], "took <*> ms"),
        (["took 5ms", "took 1200ms"], "took <*>ms"),
        (["from 10.0.0.1:80 now", "from 192.168.10.20:8080 now"], "from <*>:<*> now"),
        (["peer fe80::1ff:fe23 gone", "peer 2001:db8:0:1:1:1:1:1 gone"], "peer <*> gone"),
        (["at 0x7f3ab2 died", "at 0xdead died"], "at <*> died"),
        (["job 9f4ef63 done", "job 7ac01b2 done"], "job <*> done"),
        (
            ["trace 550e8400-e29b-41d4-a716-446655440000", "trace 1b4e28ba-2fa1-11d2-883f-0016d3cca427"],
            "trace <*>",
        ),
        (["open /etc/hosts failed", "open /var/lib/x.db failed"], "open <*> failed"),
        (["block blk_-16 lost", "block blk_4711 lost"], "block blk_<*> lost"),
        (["seen Sun Jul 10 03:55:15 2005 by me", "seen Mon Aug  1 13:05:05 2005 by me"], "seen <*> by me"),
        (["since 2026-01-02T03:04:05.678Z ok", "since 2025-11-12T13:14:15Z ok"], "since <*> ok"),
        (["up (1, 2, 3) end", "up (4, 5, 6, 7, 8) end"], "up (<*>) end"),
        (
            [f'said "{text} you" twice' for text in ("good day", "hi", "mind", "to hell with")],
            'said "<*>" twice',
        ),
        (["rhost= user", "rhost=10.1.1.1 user"], "rhost=<*> user"),
        (["link eth0 is up", "link eth0 is up"], "link eth0 is up"),
        (["runs v6.1.7601 now", "runs v6.1.7601 now"], "runs v<*> now"),
        (["kept 5.2 KB of it", "kept 17 B of it", "kept 1 MB of it"], "kept <*> <*> of it"),
        (["heap 1M->2M", "heap 13M->24M"], "heap <*>M-><*>M"),
        (['a "GET /x HTTP/1.1" 200', 'a "GET /y/z HTTP/1.1" 404'], 'a "GET <*> HTTP/<*>" <*>'),
        (["link eth0 is up", "link eth1 is up"], "link eth<*> is up"),
        (["GET https://a.example/x?y=1 done", "GET http://b.example/z done"], "GET <*> done"),
    ],
)
def test_what_looks_variable_is(lines: list[str], template: str) -> None:
    assert texts(lines) == {template: len(lines)}


def test_two_words_are_two_templates_and_many_are_a_variable() -> None:
    assert texts(["connection to the store opened", "connection to the store closed"]) == {
        "connection to the store opened": 1,
        "connection to the store closed": 1,
    }
    names = ["ada", "bob", "cleo", "dan", "eve", "finn", "gus", "hal"]
    assert texts([f"welcome to the team {name}" for name in names]) == {"welcome to the team <*>": 8}
    assert texts([f"session opened for user {name}" for name in names[:3]]) == {
        "session opened for user <*>": 3
    }


def test_a_quoted_message_is_no_variable() -> None:
    lines = [
        f'{key}"{verb} the pod" name="{name}"'
        for key in ("", "msg=", '{"msg":')
        for verb in VERBS
        for name in "abcde"
    ]
    assert sorted(texts(lines).values()) == [5] * 3 * len(VERBS)


def test_what_happened_to_one_is_no_name() -> None:
    lines = [
        f"the worker {verb} job {number}"
        for verb in ("started", "failed", "stopped", "joined")
        for number in (1, 2)
    ]
    assert set(texts(lines).values()) == {2}


@pytest.mark.parametrize(
    "header",
    [
        "2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: ",
        "2015-10-18 18:01:47,978 WARN [IPC Server handler 28 on 62270] org.apache.hadoop.ipc.Server: ",
        "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:FastLeaderElection@774] - ",
        "081109 203615 148 INFO dfs.DataNode$PacketResponder: ",
        "[Sun Dec 04 04:47:44 2005] [notice] ",
        "2026-01-02T03:04:05Z [http-nio-8080-exec-1] ERROR com.example.Orders - ",
        "2026/01/02 03:04:05 [error] ",
        "1117838570 R02-M1-N0 2005-06-03 RAS KERNEL FATAL ",
        "",
    ],
)
def test_what_a_format_left_before_the_message_is_not_part_of_it(header: str) -> None:
    assert texts([f"{header}took {number} ms: odd" for number in (5, 60)]) == {"took <*> ms: odd": 2}


def test_a_message_may_begin_with_a_level() -> None:
    assert set(texts(["ERROR in contact", "FATAL in contact"])) == {"ERROR in contact", "FATAL in contact"}
    assert set(texts(["no ERROR [main] a.B: x", "an ERROR [main] a.B: x"])) == {
        "no ERROR [main] a.B: x",
        "an ERROR [main] a.B: x",
    }


def test_a_long_line_is_cut_between_words() -> None:
    assert texts(["lost " + "blk_123456 " * count for count in (3, 250, 400)]) == {"lost blk_<*>": 3}


def test_what_was_thrown_is_told_apart() -> None:
    assert len(texts(["caught java.io.IOException: closed", "caught java.lang.Error: closed"])) == 2


def test_a_stack_trace_counts_by_its_first_line() -> None:
    assert texts(["boom 1\n  at x", "boom 2\n  at y\n  at z", ""]) == {"boom <*>": 2, "": 1}


LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.builds(
            "{} {}={} ({}) '{}' {}".format,
            st.sampled_from(["open", "close", "read"]),
            st.sampled_from(["a", "b0", "user"]),
            st.integers(),
            st.text("0af-.:/ \t\ue020", max_size=9),
            st.text(max_size=5),
            st.sampled_from(["", "-0", "Jul 5 10:00:01 2026", "0:0:0", "a.b.c", "\ud800", "\x00\x85\u2028"]),
        ),
    ),
    max_size=60,
)


@settings(max_examples=40)
@given(LINES, st.integers(1, 70))
def test_hostile_lines_are_all_counted_whatever_the_batches(lines: list[str], batch: int) -> None:
    once = mined(lines, keep=True).lines()
    assert mined(lines, batch=batch, keep=True).snapshot() == [template for template, _ in once]
    numbers = [number for _, found in once for number in found.tolist()]
    assert sorted(numbers) == list(range(1, len(lines) + 1))
    assert all(template.count == len(found) for template, found in once)


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_is_nothing_to_the_templates(lines: list[str], order: random.Random) -> None:
    def groups(numbers: list[int]) -> set[frozenset[int]]:
        found = patterns_of((number, UNDATED, lines[number]) for number in numbers)
        return {frozenset(numbers[place] for place in _places(numbers, each["lines"])) for each in found}

    numbers = list(range(len(lines)))
    shuffled = numbers.copy()
    order.shuffle(shuffled)
    assert groups(numbers) == groups(shuffled)


def _places(numbers: list[int], lines: list[int]) -> list[int]:
    return [numbers.index(line) for line in lines]


@given(st.lists(st.text("0123456789abcdef-. :x", max_size=30), max_size=20))
def test_folding_keeps_lines_apart_but_for_digits(lines: list[str]) -> None:
    folded = fold(lines)
    assert [re.sub("[0-9]+", "0", line).encode() for line in lines] == folded
    assert all(len(without_hex(line)) <= len(line) for line in folded)


def test_memory_is_bounded_when_every_line_is_another() -> None:
    source = random.Random(5)
    words = ["".join(source.choices("abcdefgh", k=5)) for _ in range(3000)]
    lines = [
        source.choice(",;|").join(source.choices(words, k=source.randint(1, 12)))
        + source.choice(["", " stop", "! (now)"])
        for _ in range(6000)
    ]
    templates = mined(lines, limit=300, keep=True)
    found = templates.lines()
    assert len(found) <= 300
    assert sorted(np.concatenate([numbers for _, numbers in found]).tolist()) == list(range(1, 6001))
    assert [each.text for each in mined(lines, limit=300, batch=7).snapshot()] == [
        template.text for template, _ in found
    ]


def test_where_batches_are_cut_is_nothing_to_bounded_templates() -> None:
    source = random.Random(9)
    words = ["".join(source.choices("abcdefgh", k=4)) for _ in range(40)]
    lines = [
        "".join(
            source.choice(words) + source.choice([" ", ": ", ", ", "; ", " ("])
            for _ in range(source.choice([1, 1, 2, 2, 3, 6]))
        )
        for _ in range(3000)
    ]
    once = mined(lines, limit=400, batch=3000).snapshot()
    assert len(once) <= 400
    assert mined(lines, limit=400, batch=1).snapshot() == once
    assert mined(lines, limit=400, batch=77).snapshot() == once


def test_a_settled_family_keeps_its_templates_apart() -> None:
    names = [f"{a}{b}{c}" for a in "klmnp" for b in "aeiou" for c in "rstvwxyz" for _ in range(1)]
    lines = [f"{verb} the order of {name}" for name in names for verb in ("took", "lost")]
    templates = mined(lines, batch=50)
    assert texts(lines) == {"took the order of <*>": len(names), "lost the order of <*>": len(names)}
    assert {each.count for each in templates.snapshot()} == {len(names)}


def test_new_ones_come_first_then_those_that_rise() -> None:
    templates = Templates()
    quiet = [(second, "heartbeat from node 7") for second in range(0, 1200, 2)]
    some = [(second, "retry of request 12") for second in range(0, 900, 60)]
    storm = [(second, "retry of request 99") for second in range(900, 1200, 5)]
    fresh = [(second, "disk sda is full") for second in range(1000, 1200, 50)]
    for number, (second, body) in enumerate(sorted(quiet + some + storm + fresh)):
        templates.feed([number], [MOMENT + second * SECOND], [body])
    changes = templates.since(MOMENT + 900 * SECOND)
    assert [(change.template.text, change.trend) for change in changes] == [
        ("disk sda is full", Trend.NEW),
        ("retry of request <*>", Trend.RISING),
        ("heartbeat from node <*>", Trend.STEADY),
    ]
    assert (changes[1].before, changes[1].since) == (15, 60)
    assert changes[1].ratio == pytest.approx(12, rel=0.01)
    assert changes[2].template.rate == pytest.approx(0.5, rel=0.02)
    assert changes[0].template.first_at == MOMENT + 1000 * SECOND


def test_a_rise_by_chance_is_none() -> None:
    assert rise(100, 100, 13, 10) == (1.3, False)
    assert rise(100, 100, 40, 10) == (4.0, True)
    assert rise(0, 100, 4, 10)[1] is False
    assert rise(0, 0, 50, 10)[1] is False


def test_a_template_keeps_its_identity_as_lines_come() -> None:
    templates = Templates()
    templates.feed([1], [UNDATED], ["welcome to the team ada"])
    (first,) = templates.snapshot()
    for number, name in enumerate(["bob", "cleo", "dan", "eve", "finn", "gus"], 2):
        templates.feed([number], [UNDATED], [f"welcome to the team {name}"])
    (last,) = templates.snapshot()
    assert (first.id, first.text, first.example) == (last.id, "welcome to the team ada", last.example)
    assert (last.text, last.count, last.first_number, last.last_at) == (
        "welcome to the team <*>",
        7,
        1,
        UNDATED,
    )


@given(LINES)
def test_a_template_as_a_filter_finds_its_lines(lines: list[str]) -> None:
    for template, numbers in mined(lines, keep=True).lines():
        phrases = re.findall('"([^"]*)"', query_for(template.text))
        for number in numbers.tolist():
            line = lines[number - 1].partition("\n")[0]
            if not re.search("[\ud800-\uf8ff]", line):
                assert all(phrase in line for phrase in phrases), (template.text, line)


def test_a_filter_is_phrases_in_a_group() -> None:
    assert query_for('took <*> ms  by "me"') == '("took" "ms" "by" "me")'
    assert query_for("took <*>") == '"took"'
    assert query_for("<*> - <*>") == ""


def test_patterns_say_when_and_what_changed() -> None:
    lines = [(number, MOMENT + number * SECOND, f"took {number} ms") for number in range(1, 4)]
    seen: list[int] = []
    (found,) = patterns_of(lines, since=MOMENT, progress=seen.append)
    assert found == {
        "template": "took <*> ms",
        "count": 3,
        "lines": [1, 2, 3],
        "first_at": MOMENT + SECOND,
        "last_at": MOMENT + 3 * SECOND,
        "example": "took 1 ms",
        "trend": "new",
        "before": 0,
        "since": 3,
        "ratio": None,
    }
    assert seen == [3]
    assert patterns_of([]) == []


@pytest.mark.alone
@pytest.mark.parametrize(
    "piece",
    [
        "a-0-",
        "a://",
        "a.",
        "0:",
        "fe:",
        '"',
        "'a",
        "..",
        "...x",
        "a_",
        "0a-",
        "= (",
        "/a",
        "Jul 0",
        "\\\\",
        "x=,",
        "a0b",
    ],
)
def test_no_line_takes_long(piece: str) -> None:
    lines = [(prefix + piece * 2000)[:1999] + end for prefix in ("", "b ") for end in ("!", "z", "0")]
    best = 1.0
    for _ in range(3):
        begin = time.process_time()
        mined(lines)
        best = min(best, time.process_time() - begin)
    assert best < 0.02 * len(lines)


@pytest.mark.alone
def test_300_000_lines_a_second() -> None:
    source = random.Random(1)
    shapes = [
        "Received block blk_{} of size {} from /10.250.{}.{}",
        "Accepted password for root from 10.0.{}.{} port {} ssh2 id={}",
        "GET /api/orders/{} 200 in {} ms by worker-{} try {}",
    ]
    lines = [
        source.choice(shapes).format(*(source.randrange(10 ** source.randint(1, 6)) for _ in range(4)))
        for _ in range(60_000)
    ]
    best, templates = 0.0, Templates()
    for _ in range(3):
        templates = Templates()
        begin = time.process_time()
        for start in range(0, len(lines), 10_000):
            templates.feed(range(start, start + 10_000), [MOMENT] * 10_000, lines[start : start + 10_000])
        best = max(best, len(lines) / (time.process_time() - begin))
    assert len(templates.snapshot()) == 3
    assert best > 300_000
