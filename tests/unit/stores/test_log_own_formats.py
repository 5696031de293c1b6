"""A format that the operator declared is known to the screen and to the process that reads for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cockpit.formats.declaration import Declaration
from cockpit.stores.logs.files.reading import LogFiles

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
