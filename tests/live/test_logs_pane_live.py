"""The logs pane asking a real VictoriaLogs: its counts, its language, and pages with nothing lost or repeated."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from cockpit.signals import SECOND
from sources.victorialogs import VictoriaLogsOptions, VictoriaLogsSource
from tests.helpers.logs_pane import answered, filter_by, pane_host, supervised, title
from tests.helpers.pane_host import PaneHost, shown
from tests.live.victorialogs import VictoriaLogs
from widgets import logs_past
from widgets.logs import LogsPane

BASE = time.time_ns() // SECOND * SECOND - 7200 * SECOND
NOW = BASE + 600 * SECOND


@pytest.fixture
def server() -> Iterator[VictoriaLogs]:
    with VictoriaLogs() as running:
        yield running


def source_of(server: VictoriaLogs) -> VictoriaLogsSource:
    return VictoriaLogsSource("vl", VictoriaLogsOptions(url=server.url, follow=False))


def bodies(host: PaneHost) -> Counter[str]:
    assert isinstance(host.pane, LogsPane)
    store = host.pane._view.store
    return Counter(each.body for each in store.records(store.first, store.end))


async def test_pages_counts_and_late_records_of_a_real_engine(
    server: VictoriaLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_past, "LIMIT", 100)
    spread = [(BASE + n * SECOND, {"_msg": f"spread {n}", "level": "info"}) for n in range(150)]
    moment = [(BASE + 100 * SECOND, {"_msg": f"moment {n}", "level": "error"}) for n in range(250)]
    alike = [(BASE + 120 * SECOND, {"_msg": "alike", "severity": "warn"})] * 3
    server.feed([*spread, *moment, *alike])
    fed = Counter(str(fields["_msg"]) for _, fields in (*spread, *moment, *alike))
    async with supervised(vl=lambda: source_of(server)) as supervisor:
        host = pane_host(supervisor, [], NOW)
        async with host.run_test(size=(130, 24)) as pilot:
            await pilot.press("o")
            await answered(pilot, host)
            assert "403 (◆ 250 ▲ 3) in vl, counted now · 100 here · past" in title(host)
            late = [(BASE + 110 * SECOND, {"_msg": "late", "level": "info"})]
            server.feed(late)  # after the page that it belongs to
            for _ in range(6):
                await pilot.press("o")
                await answered(pilot, host)
            assert bodies(host) == fed
            assert "404 (◆ 250 ▲ 3) in vl, counted now · 403 here" in title(host)
            await filter_by(pilot, host, "level>=warn or late")
            await pilot.press("enter")
            await answered(pilot, host)
            assert "254 (◆ 250 ▲ 3) in vl" in title(host)
            for _ in range(4):
                await pilot.press("o")
                await answered(pilot, host)
            assert bodies(host) == Counter(f"moment {n}" for n in range(250)) + Counter(alike=3, late=1)
            assert "· 254 here" in title(host)


async def test_a_query_in_its_own_language_is_handed_on_as_it_is(server: VictoriaLogs) -> None:
    server.feed([(BASE + n * SECOND, {"_msg": f"line {n}", "n": str(n), "level": "info"}) for n in range(60)])
    async with supervised(vl=lambda: source_of(server)) as supervisor:
        host = pane_host(supervisor, [], NOW)
        async with host.run_test(size=(130, 24)) as pilot:
            await filter_by(pilot, host, 'raw: n:range[10, 14] or _msg:exact("line 3") # both')
            assert "Enter asks vl in LogsQL" in shown(host.lines())
            await pilot.press("enter")
            await answered(pilot, host)
            assert set(bodies(host)) == {"line 3", *(f"line {n}" for n in range(10, 15))}
            assert "6 in vl, counted now · 6 here" in title(host)
            await filter_by(pilot, host, "raw: (((")
            await pilot.press("enter")
            await answered(pilot, host)
            assert "vl: " in shown(host.lines())
            assert "cannot parse query [(((" in shown(host.lines())
