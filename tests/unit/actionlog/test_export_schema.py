"""Exports are what the published schema says, and it says all that is in them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec import Struct

from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.records import Action, Answer, Approval, Evidence, Note, Session, State
from cockpit.actions.command import Kind, Risk
from cockpit.actions.transport import Stream
from cockpit.targets import Environment
from tests.helpers.exports import exported
from tests.helpers.log_filling import act

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "docs/schema/action.schema.json").read_text()
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "actions.db"

    async def fill() -> None:
        held = ActionLog.open(path)
        for number, state in enumerate(State):
            if state is not State.RUNNING:
                output: list[Any] = [b"\xff\x00x", (Stream.STDERR, b"err")] if number else []
                await act(
                    held,
                    "x",
                    str(number),
                    output=output,
                    state=state,
                    status=None,
                    risk=list(Risk)[number % 4],
                )
        action = await act(held, "y", shell="y | z", reason="why", incident="INC", cwd="/")
        await held.note("note", action=action)
        await held.evidence("logs", "title", b"text", start_ns=1, end_ns=2)
        await held.evidence("plot", "title", b"\xff")
        request = await held.request_approval({"x": 1}, expires_ns=5)
        await held.answer_approval(
            request, granted=False, approver="b", signature="s", fingerprint="f", remark="no"
        )
        held.close()

    asyncio.run(fill())
    return path


@pytest.mark.parametrize("with_output", [True, False])
def test_every_record_of_an_export_is_valid(log: Path, tmp_path: Path, *, with_output: bool) -> None:
    lines = [
        json.loads(line)
        for line in exported(log, tmp_path / "x", "jsonl", with_output=with_output).splitlines()
    ]
    document = json.loads(exported(log, tmp_path / "y", "json", with_output=with_output))
    records = [
        *lines,
        *(
            one
            for name in ("sessions", "actions", "notes", "evidence", "approvals")
            for one in document[name]
        ),
    ]
    assert {record["record"] for record in records} == {"action", "note", "evidence", "approval", "session"}
    for record in records:
        VALIDATOR.validate(record)


def test_what_is_no_record_is_not_valid(log: Path, tmp_path: Path) -> None:
    [first, *_] = [json.loads(line) for line in exported(log, tmp_path / "x", "jsonl").splitlines()]
    for change in (
        {"state": "odd"},
        {"record": "odd"},
        {"argv": "x"},
        {"hash": "ff"},
        {"started_at": "yesterday"},
        {"output": [{"text": 1}]},
        {"record": "note"},
    ):
        assert not VALIDATOR.is_valid({**first, **change}), change
    for name in SCHEMA["$defs"]["action"]["required"]:
        assert not VALIDATOR.is_valid({key: value for key, value in first.items() if key != name}), name
    assert VALIDATOR.is_valid({**first, "a_later_name": 1})
    assert VALIDATOR.is_valid(
        {key: value for key, value in first.items() if key not in ("record", "command", "output")}
    )


@pytest.mark.parametrize(
    ("name", "struct", "more"),
    [
        ("action", Action, {"record", "command", "output"}),
        ("note", Note, {"record"}),
        ("evidence", Evidence, {"record", "content"}),
        ("approval", Approval, {"record"}),
        ("answer", Answer, set()),
        ("session", Session, {"record"}),
    ],
)
def test_the_schema_names_every_field(name: str, struct: type[Struct], more: set[str]) -> None:
    assert set(SCHEMA["$defs"][name]["properties"]) == {*struct.__struct_fields__, *more}


def test_the_schema_names_every_word() -> None:
    fields = SCHEMA["$defs"]["action"]["properties"]
    assert fields["state"]["enum"] == [state.value for state in State]
    assert set(fields["risk"]["enum"]) == {risk.value for risk in Risk}
    assert set(fields["environment"]["enum"]) == {place.value for place in Environment}
    assert set(fields["kind"]["description"].split(", ")) == {kind.value for kind in Kind}
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
