"""One command on many hosts: how many at once, what comes first, what stops it, and what the record says."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from cockpit.actionlog.records import State
from cockpit.actions.command import Command
from cockpit.errors import ActionLogError, Refused
from cockpit.fanout.fanout import FanOut
from cockpit.fanout.fold import counts
from cockpit.guard.guard import Guard
from cockpit.guard.judge import Assessment, Decision
from cockpit.targets import Environment, Targets
from tests.helpers.many_hosts import hosts, line, many


def states(fan: FanOut) -> dict[str, int]:
    return dict(Counter(host.state.value for host in fan.hosts))


async def test_every_host_is_an_action_of_its_own_under_one_that_lists_them(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        fan = on.fan()
        ended = await fan.run(line('echo "I am $0"; test "$0" != web-2', hosts(3)))
        above, *each = on.recorded()
        listed = b"".join(chunk.data for chunk in on.log.reading().output(above.id)).decode()
    assert (ended.state, ended.exit_status, fan.exit_status) == (State.FAILED, 1, 1)
    assert (above.kind, above.target, above.state, above.incident) == ("fan-out", "@web", "failed", "INC-1")
    assert "3 hosts (3 development): web-[1-3]" in above.reasons
    assert sorted((action.target, action.state, action.exit_status) for action in each) == [
        ("web-1", "done", 0),
        ("web-2", "failed", 1),
        ("web-3", "done", 0),
    ]
    for action in each:
        assert f"part of {above.id} on @web" in action.reasons
        assert action.kind == "command" and action.incident == "INC-1"
        assert (
            f"{action.target}\t{action.state}\texit {action.exit_status}\t" in listed and action.id in listed
        )
    assert [host.first_line for host in fan.hosts] == ["I am web-1", "I am web-2", "I am web-3"]


@pytest.mark.parametrize(("parallel", "most"), [(1, 1), (3, 3), (100, 8)])
async def test_no_more_hosts_are_worked_on_at_once_than_asked_for(
    tmp_path: Path, parallel: int, most: int
) -> None:
    async with many(tmp_path) as on:
        fan, seen = on.fan(parallel=parallel), 0
        running = asyncio.create_task(fan.run(line("sleep 0.15", hosts(8))))
        while not running.done():
            seen = max(seen, states(fan).get("running", 0))
            await asyncio.sleep(0.005)
    assert seen == most
    assert states(fan) == {"done": 8}


async def test_reading_has_no_canary_and_goes_on_after_failures(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        fan = on.fan(parallel=1)
        await fan.run(line('test "$0" = web-3', hosts(4)))
    assert not on.asked and not fan.careful
    assert states(fan) == {"done": 1, "failed": 3}


async def test_a_change_goes_to_one_host_and_on_once_that_is_confirmed(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        fan = on.fan()
        await fan.run(line(f'touch {tmp_path}/"$0"', hosts(4)))
    assert on.asked == ["web-1 done, 3 left"]
    assert states(fan) == {"done": 4}
    assert len(list(tmp_path.glob("web-*"))) == 4


async def test_a_change_stops_after_the_canary_where_it_is_not_confirmed(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        on.answer = False
        fan = on.fan()
        ended = await fan.run(line(f'touch {tmp_path}/"$0"', hosts(4)))
        recorded = on.recorded()
        listed = b"".join(chunk.data for chunk in on.log.reading().output(recorded[0].id)).decode()
    assert states(fan) == {"done": 1, "not-started": 3}
    assert (ended.exit_status, len(recorded)) == (1, 2)
    assert fan.hosts[1].error == "stopped after the canary, web-1"
    assert "web-4\tnot-started" in listed
    assert [path.name for path in tmp_path.glob("web-*")] == ["web-1"]


async def test_nobody_is_asked_after_a_canary_that_failed(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        fan = on.fan()
        await fan.run(line(f"touch {tmp_path}/none/x", hosts(3)))
    assert not on.asked
    assert states(fan) == {"failed": 1, "not-started": 2}
    assert fan.hosts[2].error == "not started, as web-1 failed"


async def test_after_a_failure_of_a_change_what_runs_ends_and_nothing_more_begins(tmp_path: Path) -> None:
    text = f'touch {tmp_path}/"$0"; case "$0" in web-3) exit 9;; web-1) ;; *) sleep 0.3;; esac'
    async with many(tmp_path) as on:
        fan = on.fan(parallel=3)
        await fan.run(line(text, hosts(9)))
    assert states(fan) == {"done": 3, "failed": 1, "not-started": 5}
    assert sorted(path.name for path in tmp_path.glob("web-*")) == ["web-1", "web-2", "web-3", "web-4"]
    assert {host.error for host in fan.hosts[4:]} == {"not started, as web-3 failed"}


async def test_stopping_ends_what_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        fan = on.fan(parallel=2)
        task = asyncio.create_task(fan.run(line('echo "$0"; exec sleep 60', hosts(5))))
        while sum(bool(host.output) for host in fan.hosts) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        above, *each = on.recorded()
    assert states(fan) == {"cancelled": 2, "not-started": 3}
    assert [(action.state, action.signal) for action in each] == [("cancelled", "SIGTERM")] * 2
    assert above.state is State.CANCELLED


async def test_what_ignores_sigterm_is_killed_and_all_of_it_recorded(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        fan = on.fan()
        text = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
        task = asyncio.create_task(fan.run(line(text, hosts(3))))
        while not all(host.output for host in fan.hosts) or not fan.hosts:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        took = time.monotonic() - began
        each = on.recorded()[1:]
    assert [(action.state, action.signal) for action in each] == [("cancelled", "SIGKILL")] * 3
    assert 0.4 < took < 5


async def test_stopping_while_the_canary_is_asked_about_starts_nothing_more(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        asked = asyncio.Event()

        async def never(_host: object, _others: object) -> bool:
            asked.set()
            await asyncio.Event().wait()
            return True

        fan = FanOut(on.executor, go_on=never)
        task = asyncio.create_task(fan.run(line(f'touch {tmp_path}/"$0"', hosts(3))))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert states(fan) == {"done": 1, "not-started": 2}


async def test_what_is_refused_touches_no_host_and_is_recorded_once(tmp_path: Path) -> None:
    members = hosts(2) + hosts(1, Environment.PRODUCTION, name="db")
    async with many(tmp_path) as on:
        fan = on.fan()
        with pytest.raises(Refused) as refused:
            await fan.run(line(f'touch {tmp_path}/"$0"', members))
        recorded = on.recorded()
    assert "--confirm @web" in str(refused.value)
    assert [(action.kind, action.state) for action in recorded] == [("fan-out", "denied")]
    assert not list(tmp_path.glob("web-*"))


async def test_a_host_that_is_refused_by_itself_is_3_and_ends_a_change(tmp_path: Path) -> None:
    class ButOne:
        """Denies on one host what the guard lets run on any."""

        guard = Guard(Targets())

        def assess(self, command: Command) -> Assessment:
            judged = self.guard.assess(command)
            if command.target.name != "web-3":
                return judged
            return replace(judged, decision=Decision.DENY, reasons=("not there",))

    async with many(tmp_path, ButOne()) as on:
        fan = on.fan(parallel=1)
        await fan.run(line(f'touch {tmp_path}/"$0"', hosts(4)))
        recorded = on.recorded()
    assert states(fan) == {"done": 2, "denied": 1, "not-started": 1}
    assert fan.exit_status == 3 and "not there" in fan.hosts[2].error
    assert [action.state.value for action in recorded[1:]] == ["done", "done", "denied"]


async def test_without_a_record_no_host_is_touched(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        on.log.close()
        with pytest.raises(ActionLogError):
            await on.fan().run(line(f'touch {tmp_path}/"$0"', hosts(2)))
    assert not list(tmp_path.glob("web-*"))


async def test_many_hosts_are_run_and_held_in_little_memory(tmp_path: Path) -> None:
    async with many(tmp_path) as on:
        fan = on.fan(parallel=50)
        await fan.run(line("head -c 40000 /dev/zero | tr '\\0' x", hosts(300)))
    assert counts(fan.hosts) == "300 done"
    assert sum(len(host.output) for host in fan.hosts) <= 32 << 20
    assert {host.size for host in fan.hosts} == {40_000}


async def test_a_host_that_can_not_be_reached_fails_alone(tmp_path: Path) -> None:
    members = hosts(3)
    members[1] = replace(members[1], transport="nowhere")
    async with many(tmp_path) as on:
        fan = on.fan()
        await fan.run(line("true", members))
    assert states(fan) == {"done": 2, "failed": 1}
    assert "no transport" in fan.hosts[1].error
    assert os.path.exists(tmp_path)
