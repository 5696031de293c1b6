"""`source:` is held against the same on the screen and without it: a log's path, and any ending of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.stores.logs import Criteria, parse_filter
from cockpit.stores.logs.files.reading import LogFiles


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("source:web", 5),
        ("source=web.log", 5),
        ("source=one/web.log", 2),
        ("source={folder}/two/web.log", 3),
        ("source:{folder}", 9),
        ("source:one/", 2),
        ("source=eb.log", 0),
        ("source=*/web.log", 5),
        ("-source:web", 4),
        ("source!=web.log", 4),
    ],
)
async def test_both_say_the_same(
    query: str, count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = query.replace("{folder}", str(tmp_path))
    paths = []
    for name, lines in (("one/web.log", 2), ("two/web.log", 3), ("app.log", 4)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("2026-11-26T03:00:00Z INFO line\n" * lines)
        paths.append(str(path))
    store = LogFiles(paths)
    store.start()
    try:
        view = store.view()
        view.look(Criteria(filter=parse_filter(asked)))
        async with asyncio.timeout(20):
            while not view.complete or view.searched < 9:
                await asyncio.sleep(0.01)
        assert len(view) == count
    finally:
        await store.stop()
    main(["logs", "count", f"--query={asked}", *paths])
    assert capsys.readouterr().out == f"{count}\n"


def test_the_standard_input_has_a_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_text("one\ntwo\n")
    with (tmp_path / "log").open() as log:
        monkeypatch.setattr("sys.stdin", log)
        assert main(["logs", "count", "source=stdin", "-"]) == 0
    assert capsys.readouterr().out == "2\n"
