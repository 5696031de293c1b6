"""A view of log files while searches change and records come."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.stores.logs import Criteria, parse_filter
from cockpit.stores.logs.files import scanner
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import OpenedLog
from cockpit.stores.logs.files.scanner import Scanner
from cockpit.stores.logs.files.searching import matching_of, query_of
from cockpit.stores.logs.files.store import FileStore
from cockpit.stores.logs.files.wire import framed, told_of


@pytest.mark.parametrize("grows", [False, True])
def test_what_comes_while_an_earlier_search_is_answered_is_counted_as_none(
    tmp_path: Path, grows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner, "BEAT", 0.0)
    path = tmp_path / "log"
    text = "".join(f"2026-11-26T03:00:00Z INFO line {number}\n" for number in range(90_000))
    path.write_text(text)
    store = FileStore([str(path)])
    logs = Logs(budget=1 << 20)
    logs.add(OpenedLog(str(path)))
    scanning = Scanner(logs, store.opened)
    view = store.view()
    first, second = (Criteria(filter=parse_filter(word)) for word in ("line", '"line 1"'))
    view.look(first)
    scanning.search.look(1, matching_of(query_of(first)))
    for _ in range(4):
        store.told(told_of(framed(scanning.step())[4:]))
    view.look(second)  # which the process has not heard of yet
    assert len(view) == 0
    for _ in range(6):
        if grows:
            with path.open("a") as log:
                log.write(text)
        store.told(told_of(framed(scanning.step())[4:]))
        assert len(view) == 0
        assert view.rank(store.first) == 0
        assert view.rank(store.end) == 0
    store.close()
    logs.close()
