"""A format that the operator declared is known to the screen and to the process that reads for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.config import load
from cockpit.errors import ConfigErrors, UsageError
from cockpit.formats.declaration import Declaration
from cockpit.signals import rfc3339
from cockpit.stores.logs.files.reading import LogFiles
from cockpit.stores.logs.mining import Mine, Patterns
from cockpit.stores.logs.mining_apart import ask_sql, mine

OURS = Declaration(
    name="ours",
    pattern=r"@(?P<time>)\|(?P<level>\w+)\|",
    time="iso",
    levels={"BAD": "error", "FINE": "info"},
)


async def test_both_read_by_it(tmp_path: Path) -> None:
    path = tmp_path / "ours.log"
    with path.open("w") as log:
        for number in range(5_000):
            log.write(
                f"@2026-03-01T10:{number // 60 % 60:02d}:{number % 60:02d}Z|{'BAD' if number % 5 == 0 else 'FINE'}|"
                f"number {number}\n"
            )
    store = LogFiles([str(path)], formats=[OURS])
    assert [fmt.name for fmt in store.logs.formats] == ["ours"]
    store.start()
    async with asyncio.timeout(20):
        while store.left:
            await asyncio.sleep(0.01)
    try:
        assert len(store) == 5_000
        assert (store[store.first].body, store[store.first].level) == ("number 0", 17)
        assert store.histogram.totals[5] == 1_000  # errors, counted by the process
    finally:
        await store.stop()


@pytest.mark.parametrize(("zone", "hour"), [("", 10), ("Asia/Kathmandu", 4), ("America/New_York", 15)])
async def test_both_take_times_without_a_zone_for_those_of_the_one_that_is_named(
    tmp_path: Path, zone: str, hour: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    path = tmp_path / "a.log"
    path.write_text(
        "".join(f"2026-03-01 10:{n // 60 % 60:02d}:{n % 60:02d} line {n}\n" for n in range(20_000))
    )
    store = LogFiles([str(path)], zone=zone)
    store.start()
    try:
        async with asyncio.timeout(20):
            while store.left:
                await asyncio.sleep(0.01)
        spanned = store.spanned
        assert spanned is not None
        minute = 15 if zone == "Asia/Kathmandu" else 0
        assert rfc3339(spanned[0]).startswith(f"2026-03-01T{hour:02}:{minute:02}:00")
        assert rfc3339(store[store.first].at) == rfc3339(spanned[0])
        patterns: list[Patterns] = []
        await mine(
            Mine(paths=tuple(store.files), formats=store.declared, zone=store.zone), (), patterns.append
        )
        assert patterns[-1].mined[0].first_at == spanned[0]
        answer = await ask_sql("select epoch_ns(min(time)) from logs", [str(path)], lambda _: None, zone=zone)
        assert answer.rows == [[str(spanned[0])]]
    finally:
        await store.stop()


def test_a_zone_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(UsageError, match="no time zone is called 'Nowhere'"):
        LogFiles([str(tmp_path / "a")], zone="Nowhere")
    config = tmp_path / "cockpit.toml"
    config.write_text('[logs]\nzone = "Nowhere"\n')
    with pytest.raises(ConfigErrors, match=r":2: logs.zone: no time zone is called 'Nowhere'"):
        load(str(config))
