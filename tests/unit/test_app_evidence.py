"""Notes and evidence: what `n` and `e` leave in a real action log, from each pane of the real app."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from cockpit.actionlog.export import svg
from cockpit.actionlog.log import FILE
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Evidence
from cockpit.signals import (
    SECOND,
    Alert,
    AlertState,
    HealthSample,
    HealthState,
    LogRecord,
    Signal,
    Span,
)
from tests.helpers.screen import NOW, Screen, screen

WEB = {"service.name": "checkout", "host.name": "web-1"}


def health(number: int, subject: str = "checkout errors") -> HealthSample:
    return HealthSample(
        at=NOW - (30 - number) * SECOND,
        subject=subject,
        kind="service",
        state=HealthState.DOWN,
        value=number / 30,
        unit="1",
        reason="pool exhausted",
        source="host",
        resource=WEB,
    )


def alert(name: str) -> Alert:
    return Alert(
        at=NOW,
        name=name,
        state=AlertState.FIRING,
        severity="critical",
        labels={"alertname": name, "service": "checkout"},
        group={"service": "checkout"},
        starts_at=NOW - 60 * SECOND,
        fingerprint=name,
        source="am",
        resource=WEB,
    )


def line(number: int, body: str) -> LogRecord:
    return LogRecord(at=NOW - (99 - number) * SECOND, level=17, body=body, source="files", resource=WEB)


def span(number: int, parent: str = "") -> Span:
    start = NOW - 20 * SECOND + number
    return Span(
        trace_id="ab" * 16,
        span_id=f"{number:016x}",
        parent_id=parent,
        name="POST /pay",
        start=start,
        end=start + SECOND,
        source="otlp",
        resource=WEB,
    )


BATCHES: list[tuple[str, list[Signal]]] = [
    ("host", [health(number) for number in range(30)]),
    ("am", [alert("PoolExhausted"), alert("CheckoutErrors")]),
    (
        "files",
        [line(number, f"order {number} {'timeout' if number % 10 == 0 else 'ok'}") for number in range(99)],
    ),
    ("otlp", [span(1), span(2, f"{1:016x}"), span(3, f"{1:016x}")]),
]


def pinned(folder: Path) -> list[tuple[Evidence, dict[str, Any]]]:
    """Return what was pinned, newest first, with its content."""
    reader = ActionReader(folder / "data" / FILE)
    found = [(each, json.loads(reader.evidence_body(each.id))) for each in reader.evidence()]
    reader.close()
    return found


async def pin(on: Screen, folder: Path, *keys: str, count: int = 1) -> tuple[Evidence, dict[str, Any]]:
    await on.drawn()
    await on.press(*keys)
    await on.drawn()
    await on.press("e")
    await on.until(lambda: len(pinned(folder)) == count, "the evidence")
    await on.until(lambda: any("pinned" in text for text in on.notices), "the notice")
    return pinned(folder)[0]


async def test_n_pins_a_note_for_the_sessions_incident(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        on.app.operations.incident = "INC-7"
        await on.press("n")
        assert "note for INC-7 ›" in await on.drawn()
        on.app.command_bar.query_one("#line", Input).value = "pool raised to 200 [bold]by[/] ann"
        await on.press("enter")
        await on.until(lambda: on.notices, "the notice")
        reader = ActionReader(tmp_path / "data" / FILE)
        (note,) = reader.notes()
        reader.close()
        assert on.notices == [f"note pinned · {note.id}"]
        assert (note.text, note.incident) == ("pool raised to 200 [bold]by[/] ann", "INC-7")
        await on.press("n", "up")
        assert on.app.command_bar.query_one("#line", Input).value == note.text
        await on.press("escape")
        assert not on.app.command_bar.is_open


async def test_an_empty_note_is_none(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await on.press("n", "enter")
        await on.pilot.pause(0.3)
        assert on.notices == []


async def test_the_selected_alert(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=BATCHES) as on:
        on.app.operations.incident = "INC-7"
        evidence, body = await pin(on, tmp_path, "2", "down")
        name = body["alerts"][0]["name"]
        assert (evidence.kind, evidence.title, evidence.incident) == ("alert", f"{name} firing", "INC-7")
        assert (evidence.start_ns, evidence.media_type) == (NOW - 60 * SECOND, "application/json")
        assert f"alert pinned: {name} firing · {evidence.id}" in on.notices
        group, both = await pin(on, tmp_path, "home", count=2)
        assert len(both["alerts"]) == 2 and group.title.endswith("and 1 more")


async def test_log_lines_in_view_with_their_filter_and_scope(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=BATCHES) as on:
        on.cockpit.trail.push(title="checkout", service="checkout")
        on.app.spread()
        evidence, body = await pin(on, tmp_path, "3", "slash", *"timeout", "enter", "up")
        assert (evidence.kind, evidence.query) == ("logs", "timeout service:checkout")
        assert [record["body"] for record in body["records"]] == [
            f"order {n} timeout" for n in range(0, 99, 10)
        ]
        assert body["matching"] == 10 and body["records"][body["selected"]]["body"] == "order 80 timeout"
        assert evidence.title == "10 log lines: order 80 timeout"
        assert (evidence.start_ns, evidence.end_ns) == (NOW - 99 * SECOND, NOW - 9 * SECOND)


async def test_an_open_record_is_pinned_alone(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=BATCHES) as on:
        evidence, body = await pin(on, tmp_path, "3", "up", "enter")
        assert (evidence.title, len(body["records"])) == ("1 log line: order 97 ok", 1)


async def test_the_open_trace(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=BATCHES) as on:
        evidence, body = await pin(on, tmp_path, "4", "enter")
        assert (evidence.kind, evidence.title) == ("trace", "trace abababab checkout POST /pay")
        assert [each["span_id"][-1] for each in body["spans"]] == ["1", "2", "3"]
        assert evidence.query == f"trace:{'ab' * 16}"
        assert (evidence.start_ns, evidence.end_ns) == (NOW - 20 * SECOND + 1, NOW - 19 * SECOND + 3)


async def test_a_plot_that_an_export_can_draw(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=BATCHES) as on:
        evidence, body = await pin(on, tmp_path, "1", "enter")
        assert (evidence.kind, evidence.title) == ("plot", "checkout errors down: pool exhausted")
        assert body["series"][0]["points"][-1] == [NOW - SECOND, 29 / 30] and body["unit"] == "1"
        assert (evidence.start_ns, evidence.end_ns) == (NOW - 900 * SECOND, NOW)
        drawn = svg.plot(json.dumps(body).encode())
        assert drawn is not None and "checkout errors" in drawn


@pytest.mark.parametrize("pane", ["1", "2", "3", "4"])
async def test_what_cannot_be_pinned_says_why(tmp_path: Path, pane: str) -> None:
    async with screen(tmp_path) as on:
        await on.press(pane, "e")
        await on.until(lambda: on.notices, "the notice")
        assert on.notices[-1].startswith("there is no ") and pinned(tmp_path) == []


async def test_rates_and_output_say_why_not(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=BATCHES) as on:
        await on.press("4", "t", "e")
        await on.until(lambda: "rates can't be pinned (open a trace)" in on.notices, "the notice")
        await on.press("ctrl+o", "e")
        await on.until(lambda: "in the record already" in on.notices[-1], "the notice")


async def test_a_secret_in_evidence_is_cut_and_hostile_text_is_text(tmp_path: Path) -> None:
    hostile = "[red]x[/] \x1b]0;owned\x07 password=hunter2secret AKIAIOSFODNN7EXAMPLE"
    async with screen(tmp_path, batches=[("files", [line(1, hostile)])]) as on:
        evidence, body = await pin(on, tmp_path, "3")
        assert "AKIAIOSFODNN7EXAMPLE" not in json.dumps(body) + evidence.title
        assert "\x1b" not in await on.drawn()


async def test_without_a_log_nothing_is_pinned_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    async with screen(tmp_path, batches=BATCHES) as on:
        await on.drawn()
        await on.press("2", "e")
        await on.until(lambda: any("not pinned:" in text for text in on.notices), "the notice")
        await on.press("n", "x", "enter")
        await on.until(lambda: any("the note was not kept:" in text for text in on.notices), "the notice")
