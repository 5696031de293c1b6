"""Queries in an engine's own language, typed into the logs pane."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.signals import SECOND
from cockpit.stores.logs.raw import RawQuery
from sources.files import FilesOptions, FilesSource
from sources.loki import LokiOptions, LokiSource
from tests.helpers.http_server import http_server
from tests.helpers.log_records import T0, record
from tests.helpers.logs_pane import answered, filter_by, pane_host, supervised, title
from tests.helpers.loki_server import Loki
from tests.helpers.pane_host import PaneHost, shown
from widgets import logs_past
from widgets.logs import LogsPane
from widgets.logs_asking import meant

NOW = T0 + 600 * SECOND


def two() -> Loki:
    loki = Loki()
    for number in range(60):
        app = ("pay", "shop")[number % 2]
        level = "error" if number % 10 == 0 else "info"
        loki.push(T0 + number * SECOND, f"{app} {number}", {"app": app, "level": level})
    return loki


def loki_of(url: str, name: str = "loki") -> LokiSource:
    return LokiSource(name, LokiOptions(url=url, query='{app=~".+"}', follow=False))


def pane_of(host: PaneHost) -> LogsPane:
    assert isinstance(host.pane, LogsPane)
    return host.pane


def test_which_engine_is_meant() -> None:
    languages = {"vl": "LogsQL", "loki": "LogQL"}
    assert meant(RawQuery("", "x"), {"vl": "LogsQL"}) == RawQuery("vl", "x")
    assert meant(RawQuery("loki", "x"), languages) == RawQuery("loki", "x")
    for raw, known, said in (
        (RawQuery("", "x"), {}, "these records are no engine's"),
        (RawQuery("", "x"), languages, r"could ask loki \(LogQL\), vl \(LogsQL\) · name one: raw@loki: …"),
        (RawQuery("files", "x"), languages, r"files takes no raw query · these do: loki \(LogQL\), vl"),
        (RawQuery("vl", ""), languages, "raw: of what. · raw: and a query in LogsQL"),
    ):
        with pytest.raises(UsageError) as refused:
            meant(raw, known)
        assert refused.match(said.replace(" · ", ".*"))


async def test_enter_asks_the_engine_and_shows_its_answer_and_its_counts_alone() -> None:
    loki = two()
    async with http_server(loki) as url, supervised(loki=lambda: loki_of(url)) as supervisor:
        host = pane_host(supervisor, [record("pay of the ring", 1)], NOW)
        async with host.run_test(size=(120, 24)) as pilot:
            await filter_by(pilot, host, 'raw: {app="pay"} != "4"')
            await answered(pilot, host)
            assert "Enter asks loki in LogQL" in shown(host.lines())
            assert not any("4" in asked.param("query") for asked in loki.asked)
            await pilot.press("enter")
            await answered(pilot, host)
            queries = [asked.param("query") for asked in loki.asked]
            assert '{app="pay"} != "4"' in queries
            wanted = [f"pay {number}" for number in range(0, 60, 2) if "4" not in str(number)]
            store = pane_of(host)._view.store
            assert [each.body for each in store.records(store.first, store.end)] == wanted
            assert f"{len(wanted)} (◆ 5) in loki, counted now" in title(host)
            assert sum(map(sum, pane_of(host).strip.columns)) == len(wanted)
            await pilot.press("plus", "plus", "plus", "plus")
            await answered(pilot, host)
            assert "5 (◆ 5) in loki" in title(host)
            assert "5 here" in title(host)
            await pilot.press("slash", "escape")
            await answered(pilot, host)
            assert "0 of 1 · ≥error" in title(host)
            assert pane_of(host).past is None


async def test_another_window_asks_the_same_again_and_o_goes_on_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs_past, "LIMIT", 8)
    async with http_server(two()) as url, supervised(loki=lambda: loki_of(url)) as supervisor:
        host = pane_host(supervisor, [], NOW)
        async with host.run_test(size=(120, 24)) as pilot:
            await filter_by(pilot, host, 'raw: {app="shop"}')
            await pilot.press("enter")
            await answered(pilot, host)
            assert "30 (" not in title(host)
            assert "30 in loki, counted now · 8 here" in title(host)
            for here in (15, 22, 29, 30):
                await pilot.press("o")
                await answered(pilot, host)
                assert f"30 in loki, counted now · {here} here" in title(host)
            host.narrow(end=T0 + 20 * SECOND, span=10 * SECOND)
            await answered(pilot, host)
            assert "5 in loki, counted now · 5 here" in title(host)


async def test_what_the_engine_refuses_is_said_with_its_name() -> None:
    async with http_server(two()) as url, supervised(loki=lambda: loki_of(url)) as supervisor:
        host = pane_host(supervisor, [record("here")], NOW)
        async with host.run_test(size=(140, 24)) as pilot:
            await filter_by(pilot, host, 'raw: {app="pay"} ?')
            await pilot.press("enter")
            await answered(pilot, host)
            assert "loki: HTTP 400 from GET /loki/api/v1/query_range: parse error" in shown(host.lines())
            assert shown(host.lines()).count("parse error") == 1
            assert "no answer" in shown(host.lines())


async def test_records_of_no_engine_and_several_engines_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("one\n")
    options = FilesOptions(paths=(str(tmp_path / "a.log"),))
    async with supervised(files=lambda: FilesSource("files", options)) as supervisor:
        host = pane_host(supervisor, [record("here")], NOW)
        async with host.run_test(size=(140, 24)) as pilot:
            await filter_by(pilot, host, "raw: x")
            await pilot.press("enter")
            await answered(pilot, host)
            assert "these records are no engine's" in shown(host.lines())
            assert "here" in shown(host.lines())
    async with http_server(two()) as url:
        makers = {name: lambda name=name: loki_of(url, name) for name in ("loki-a", "loki-b")}
        async with supervised(**makers) as supervisor:
            host = pane_host(supervisor, [record("here")], NOW)
            async with host.run_test(size=(140, 24)) as pilot:
                await filter_by(pilot, host, 'raw: {app="pay"}')
                await pilot.press("enter")
                await answered(pilot, host)
                assert "name one: raw@loki-a: …" in shown(host.lines())
                await filter_by(pilot, host, 'raw@loki-b: {app="pay"}')
                await pilot.press("enter")
                await answered(pilot, host)
                assert "30 (◆ 6) in loki-b, counted now · 30 here" in title(host)
