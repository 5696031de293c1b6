"""Inventories over time: asked, failing, stale, back again; and never in anybody's way."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

import pytest

from cockpit.config.settings import Settings
from cockpit.errors import InventoryError
from cockpit.inventory import inventories as room
from cockpit.inventory.inventories import Inventories, InventoryState, known_targets
from cockpit.inventory.keeping import OLDEST_S, Keeper
from cockpit.inventory.kinds import ask
from cockpit.inventory.merging import merged
from cockpit.inventory.reading import Reading
from cockpit.inventory.settings import InventoryTable
from cockpit.targets import Environment, Host, TargetRule, Targets

P, S, D = Environment.PRODUCTION, Environment.STAGING, Environment.DEVELOPMENT


def command(*argv: str, name: str = "c", timeout: float = 10.0, refresh: float = 300.0) -> InventoryTable:
    return InventoryTable(kind="command", name=name, command=argv, timeout=timeout, refresh=refresh)


def printing(text: str, **more: float) -> InventoryTable:
    return command("printf", "%s", text, **more)  # type: ignore[arg-type]


async def asked(table: InventoryTable) -> list[str]:
    return [host.name for host in (await ask(table)).hosts]


async def failure(table: InventoryTable) -> str:
    with pytest.raises(InventoryError) as caught:
        await ask(table)
    return str(caught.value)


async def test_a_command_prints_hosts_or_json() -> None:
    assert await asked(printing("b\na # why\n\n# none\nb\n")) == ["a", "b"]
    dynamic = (
        '{"web": ["w1"], "eu": {"children": ["web"]}, "_meta": {"hostvars": {"w1": {"ansible_port": 7}}}}'
    )
    reading = await ask(printing(dynamic))
    assert [(host.name, host.groups, host.port) for host in reading.hosts] == [("w1", ("eu", "web"), 7)]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (command("no-such-program"), "no-such-program: not found"),
        (
            command("sh", "-c", "echo oh; echo 'no \x1b[31mluck' >&2; exit 3"),
            "sh ended with status 3: no .*luck",
        ),
        (command("sleep", "30", timeout=0.3), "no answer within 0.3 s"),
        (printing("a b"), "line 1: expected one host, found 'a b'"),
        (printing("{"), "is no JSON"),
        (printing('{"a": 3}'), "group 'a': expected a list of hosts"),
        (printing('{"a": {"hosts": [1]}}'), "expected a list of names under hosts"),
        (printing('{"a": {"children": ["b"]}, "b": {"children": ["a"]}}'), "groups within themselves: "),
        (command("printf", r"\377"), "no UTF-8"),
        (
            command(sys.executable, "-c", "print('{\"a\":' * 50000)"),
            "no JSON|nested too deeply",
        ),
        (command("sh", "-c", "yes host | head -c 40000000", timeout=20), "prints more than 33,554,432 bytes"),
        (InventoryTable(kind="ansible", path="/no/such"), "/no/such: can't be read: No such file"),
    ],
    ids=lambda each: each.kind if isinstance(each, InventoryTable) else None,
)
async def test_what_may_be_wrong_is_told_in_bounded_time(table: InventoryTable, said: str) -> None:
    started = time.monotonic()
    told = await failure(table)
    assert re.search(said, told) and "\x1b" not in told
    assert time.monotonic() - started < 20


async def test_what_is_no_name_is_left_out_however_long_it_is() -> None:
    reading = await ask(command("sh", "-c", "head -c 300000 /dev/zero | tr '\\0' '['; echo; echo good"))
    assert [host.name for host in reading.hosts] == ["good"]
    assert "left out: no name of a host may be so" in reading.remarks[0] and len(reading.remarks[0]) < 200


async def test_a_big_answer_is_read_by_a_process(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("".join(f"host{number:05}.example\n" for number in range(9_000)))
    assert file.stat().st_size > 64 * 1024
    names = await asked(command("cat", str(file)))
    assert len(names) == 9_000 and names[0] == "host00000.example"


async def test_a_file_for_another_name_of_ssh_config(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host a b-* c\nHost !x *\nHost d\n")
    names = await asked(InventoryTable(kind="ssh_config", path=str(tmp_path / "config")))
    assert names == ["a", "c", "d"]


async def test_the_last_good_answer_stands_and_each_change_is_told_once(tmp_path: Path) -> None:
    file, told = tmp_path / "hosts", list[str]()
    targets = Targets()
    held = Inventories([command("cat", str(file), refresh=1)], targets, told=told.append)
    file.write_text("one\n-two\n")
    await held.load()
    assert [host.name for host in targets.hosts()] == ["one"]
    assert held.statuses()[0].state is InventoryState.OK
    (inner,) = held._held
    file.rename(tmp_path / "away")
    for _ in range(2):
        assert not await held._ask(inner)
        held._tell(inner)
    status = held.statuses()[0]
    assert (status.state, status.hosts) == (InventoryState.STALE, 1) and status.answered_at
    assert [host.name for host in targets.hosts()] == ["one"]
    assert len(told) == 2 and "its 1 hosts of before still stand" in told[1], told
    assert "'-two' left out" in told[0]
    (tmp_path / "away").rename(file)
    assert not await held._ask(inner), "the same answer is no news"
    held._tell(inner)
    file.unlink()
    await held._ask(inner)
    held._tell(inner)
    assert len(told) == 3


async def test_files_that_did_not_change_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hosts").write_text("[web]\na\n")
    table = InventoryTable(kind="ansible", path=str(tmp_path))
    held = Inventories([table], Targets())
    await held.load()
    (inner,) = held._held
    first = inner.reading
    await held._ask(inner)
    assert inner.reading is first
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "web").write_text("ansible_user: me\n")
    assert await held._ask(inner)
    assert inner.reading is not None and inner.reading.hosts[0].user == "me"


async def test_on_the_screen_they_are_asked_again_and_again_until_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SOONEST", 0.05)
    file, targets = tmp_path / "hosts", Targets()
    held = Inventories([command("cat", str(file), refresh=1)], targets)
    held.start()
    held.start()
    try:
        await until(lambda: held.statuses()[0].state is InventoryState.FAILED)
        assert not targets._known.complete
        file.write_text("a\n")
        await until(lambda: [host.name for host in targets.hosts()] == ["a"])
        assert targets._known.complete
        file.write_text("a\nb\n")
        await until(lambda: len(targets.hosts()) == 2)
    finally:
        thread = held._thread
        await held.stop()
    assert thread is not None and not thread.is_alive()
    await held.stop()


async def test_stopping_ends_a_program_that_is_being_asked(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    held = Inventories([command("sh", "-c", f"echo $$ > {mark}; exec sleep 60")], Targets())
    held.start()
    await until(lambda: mark.exists() and mark.read_text().strip())
    pid = int(mark.read_text())
    await held.stop()
    await until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text())


async def until(true: object, seconds: float = 10.0) -> None:
    assert callable(true)
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("waited too long")


def test_the_first_inventory_that_says_a_thing_decides_it() -> None:
    one = InventoryTable(kind="command", name="one", command=("x",), via="b", groups=("all-one",))
    two = InventoryTable(
        kind="command", name="two", command=("x",), environment=D, environments={"prod": P, "lab": S}, via="z"
    )
    first = Reading(hosts=(Host(name="a", user="u", groups=("g",)),))
    second = Reading(
        hosts=(
            Host(name="a", user="v", host="10.0.0.1", groups=("lab", "prod")),
            Host(name="c", groups=("lab",)),
            Host(name="d"),
        )
    )
    hosts, complete = merged([(one, first), (two, second)])
    found = {host.name: host for host in hosts}
    assert complete
    assert found["a"] == Host(
        name="a", user="u", host="10.0.0.1", via="b", groups=("g", "all-one", "lab", "prod"), environment=P,
        known_from=("one", "two"),
    )  # fmt: skip
    assert (found["c"].environment, found["d"].environment) == (S, D)


def test_while_one_that_tells_environments_is_silent_those_after_it_tell_none() -> None:
    careful = InventoryTable(kind="command", name="one", command=("x",), environments={"prod": P})
    plain = InventoryTable(kind="command", name="none", command=("x",))
    lax = InventoryTable(kind="command", name="two", command=("x",), environment=D)
    said = Reading(hosts=(Host(name="a"),))
    assert merged([(careful, None), (lax, said)])[0][0].environment is None
    assert merged([(plain, None), (lax, said)])[0][0].environment is D
    assert merged([(lax, said), (careful, None)])[0][0].environment is D
    assert not merged([(lax, said), (careful, None)])[1]


async def test_the_command_line_asks_once(tmp_path: Path) -> None:
    rules = (TargetRule(name="@web", environment=S),)
    settings = Settings(
        targets=rules, inventories=(printing('{"web": ["w1"]}'), command("false", name="broken"))
    )
    targets, held = await known_targets(settings)
    assert targets.resolve("w1").environment is S
    assert [status.state.value for status in held.statuses()] == ["ok", "failed"]


async def test_a_disabled_one_is_not_asked(tmp_path: Path) -> None:
    table = InventoryTable(kind="command", command=("touch", str(tmp_path / "x")), enabled=False)
    targets, held = await known_targets(Settings(inventories=(table,)))
    assert held.statuses()[0].state is InventoryState.DISABLED and targets._known.complete
    assert not (tmp_path / "x").exists()


async def test_an_answer_is_kept_for_a_start_in_an_outage(tmp_path: Path) -> None:
    file, folder = tmp_path / "hosts", tmp_path / "data"
    table = command("cat", str(file), refresh=1)
    file.write_text("a\n")
    _, first = await known_targets(Settings(inventories=(table,)), folder)
    file.unlink()
    targets, second = await known_targets(Settings(inventories=(table,)), folder)
    (status,) = second.statuses()
    assert [host.name for host in targets.hosts()] == ["a"]
    assert status.state is InventoryState.STALE and status.answered_at == first.statuses()[0].answered_at
    (kept,) = (folder / "inventories").iterdir()
    assert kept.stat().st_mode & 0o077 == 0 and kept.parent.stat().st_mode & 0o077 == 0

    slow = command("sleep", "30")
    kept.rename(folder / "inventories" / Keeper(folder)._file(slow).name)
    targets = Targets()
    held = Inventories([slow], targets, folder=folder / "inventories")
    held.start()
    try:
        await until(lambda: [host.name for host in targets.hosts()] == ["a"])
        assert held.statuses()[0].state is InventoryState.WAITING
    finally:
        await held.stop()


async def test_a_kept_answer_that_is_old_or_broken_is_none(tmp_path: Path) -> None:
    table, keeper = command("false"), Keeper(tmp_path / "k")
    keeper.keep(table, Reading(hosts=(Host(name="a"),)), now=1000.0)
    assert keeper.kept(table, 1000.0 + OLDEST_S) is not None
    assert keeper.kept(table, 1001.0 + OLDEST_S) is None and keeper.kept(table, 999.0) is None
    (file,) = (tmp_path / "k").iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    assert keeper.kept(table, 1000.0) is None
    keeper.keep(table, Reading(hosts=()), now=1000.0)
    assert keeper.kept(table, 1000.0) is not None
    (tmp_path / "f").write_text("")
    Keeper(tmp_path / "f").keep(table, Reading(hosts=()), now=1000.0)
