"""Hosts that ended alike are said once, and their names in ranges that say each exactly."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.actionlog.records import State
from cockpit.actions.executor import Ended
from cockpit.actions.transport import Stream
from cockpit.fanout.fold import alike, counts, folded
from cockpit.fanout.host import KEPT, KEPT_AT_LEAST, HostRun, Room
from cockpit.targets import Target


async def host(
    name: str, out: bytes = b"", err: bytes = b"", *, status: int = 0, error: str | None = None
) -> HostRun:
    made = HostRun(Target(name=name))
    made.start()
    for stream, data in ((Stream.STDOUT, out), (Stream.STDERR, err)):
        if data:
            await made.take(stream, data)
    state = State.FAILED if status or error else State.DONE
    made.ended(Ended(action="A", state=state, exit_status=status, signal=None, error=error))
    return made


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ("web-1", "web-1"),
        ("web-1 web-2 web-3", "web-[1-3]"),
        ("web-01 web-02 web-07", "web-[01-02,07]"),
        ("web-9 web-10 web-11", "web-9,web-[10-11]"),
        ("db web-1.eu web-2.eu web-2.us", "db,web-[1-2].eu,web-2.us"),
        ("10.0.0.1 10.0.0.2 10.0.1.1", "10.0.0.[1-2],10.0.1.1"),
        ("ip-10-0-0-1 ip-10-0-0-2", "ip-10-0-0-[1-2]"),
        ("a a", "a"),
        ("", ""),
    ],
)
def test_names_are_folded(names: str, wanted: str) -> None:
    assert folded(names.split()) == wanted


def unfolded(text: str) -> set[str]:
    found = set()
    for part in re.findall(r"[^,\[]*(?:\[[^]]*\][^,]*)?", text):
        if not part:
            continue
        inside = re.fullmatch(r"(.*)\[(.*)\](.*)", part)
        if not inside:
            found.add(part)
            continue
        head, ranges, tail = inside.groups()
        for span in ranges.split(","):
            first, _, last = span.partition("-")
            for number in range(int(first), int(last or first) + 1):
                found.add(f"{head}{number:0{len(first)}}{tail}")
    return found


@given(st.sets(st.from_regex(r"[a-z]{1,3}-?[0-9]{1,3}(\.[a-z]{2}[0-9]?)?", fullmatch=True), max_size=30))
def test_what_is_folded_says_each_name_and_no_other(names: set[str]) -> None:
    assert unfolded(folded(sorted(names))) == names


async def test_hosts_are_alike_that_ended_alike_and_printed_the_same() -> None:
    hosts = [
        await host("a", b"x\n"),
        await host("b", b"y\n"),
        await host("c", b"x\n"),
        await host("d", b"x\n", status=1),
        await host("e", b"", b"x\n"),
        await host("f", b"x\n"),
    ]
    assert [each.heading for each in alike(hosts)] == [
        "3 hosts: a,c,f",
        "1 host: b",
        "1 host: d",
        "1 host: e",
    ]


async def test_the_same_error_on_each_is_one() -> None:
    hosts = [await host(f"web-{n}", status=1, error=f"web-{n}: connection refused") for n in (1, 2)]
    assert [each.heading for each in alike(hosts)] == ["2 hosts: web-[1-2]"]


async def test_outputs_that_differ_after_what_is_kept_are_not_alike() -> None:
    first, second = HostRun(Target(name="a")), HostRun(Target(name="b"))
    for made, last in ((first, b"1"), (second, b"2")):
        await made.take(Stream.STDOUT, b"x" * KEPT + last)
        made.ended(Ended(action="A", state=State.DONE, exit_status=0, signal=None, error=None))
    assert first.output == second.output and first.cut == 1
    assert len(alike([first, second])) == 2


async def test_all_hosts_together_hold_no_more_than_there_is_room_for() -> None:
    room = Room(10_000)
    hosts = [HostRun(Target(name=str(number)), room) for number in range(20)]
    for each in hosts:
        await each.take(Stream.STDOUT, b"x" * 9_000)
    assert len(hosts[0].output) == 9_000
    assert {len(each.output) for each in hosts[2:]} == {KEPT_AT_LEAST}


async def test_the_first_line_says_something_and_nothing_to_the_terminal() -> None:
    assert (await host("a", b"\n  \n\x1b[31mred\x1b]0;t\x07\nmore")).first_line.isprintable()
    assert (await host("a", b"", error="no route")).first_line == "no route"
    assert len((await host("a", b"x" * 100_000)).first_line) <= 201


async def test_hosts_are_counted_by_how_far_they_are() -> None:
    hosts = [await host("a"), await host("b", status=1), HostRun(Target(name="c"))]
    assert counts(hosts) == "1 done · 1 failed · 1 waiting"
