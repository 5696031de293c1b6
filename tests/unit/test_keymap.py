"""The registry of keys, and what it says of the operator's own."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import _character_to_key

from cockpit.keymap import KEYS, Action, Keymap, key_name, show_key
from widgets.alerts import AlertsPane
from widgets.app_keys import ACTIONS
from widgets.health import HealthPane
from widgets.logs import LogsPane
from widgets.output import ACTIONS as OUTPUT_ACTIONS
from widgets.pane import PANE_ACTIONS
from widgets.rows import ROW_ACTIONS
from widgets.timeline_keys import ACTIONS as TIMELINE_ACTIONS
from widgets.traces import TracesPane

ALL = [
    action
    for actions in (
        HealthPane.ACTIONS,
        AlertsPane.ACTIONS,
        LogsPane.ACTIONS,
        TracesPane.ACTIONS,
        PANE_ACTIONS,
        ROW_ACTIONS,
        OUTPUT_ACTIONS,
        TIMELINE_ACTIONS,
        ACTIONS,
    )
    for action in actions
]


def problems(**keys: str | tuple[str, ...] | bool) -> list[str]:
    return Keymap(ALL, {name.replace("__", "."): value for name, value in keys.items()}).problems


def test_every_action_has_a_name_of_its_own_and_words_for_people() -> None:
    names = [action.id for action in ALL]
    assert len(names) == len(set(names))
    assert all("." in action.id and action.label and action.help.endswith(".") for action in ALL)


def test_the_keys_as_shipped_are_real_and_clash_only_where_one_is_meant_to_go_first() -> None:
    keymap = Keymap(ALL)
    assert keymap.problems == []
    clashes = {(first, second) for _, first, second in keymap._clashes({a.id: a.keys for a in ALL})}
    panes = ("health", "alerts", "logs", "traces")  # their numbers are free where the logs stand alone
    alone = {(f"logs.tens_{number}", f"app.{name}") for number, name in enumerate(panes, 1)}
    assert clashes == {("output.close", "app.back"), *alone}
    for action in ALL:
        for key in action.keys:
            assert key.split("+")[-1] in KEYS, f"{action.id}: {key}"


def test_the_keys_that_the_screen_promises() -> None:
    keymap = Keymap(ALL)
    promised = {
        "app.health": "1", "app.alerts": "2", "app.logs": "3", "app.traces": "4", "app.zoom": "z",
        "pane.filter": "/", "app.command": ":", "app.shell": "!", "app.help": "?", "app.palette": "^p",
        "rows.open": "Enter", "pane.copy": "y", "app.back": "Esc", "app.earlier": "[", "app.later": "]",
        "app.note": "n", "app.evidence": "e", "app.timeline": "T",
    }  # fmt: skip
    assert {name: keymap.shown(name) for name in promised} == promised


@pytest.mark.parametrize("character", string.punctuation)
def test_a_mark_is_called_as_textual_calls_it(character: str) -> None:
    assert key_name(character) == _character_to_key(character)


def test_keys_may_be_written_as_they_are_typed() -> None:
    keymap = Keymap(ALL, {"app.zoom": ("F", "f8", "ctrl+f", "/"), "pane.filter": "%"})
    assert keymap.keys("app.zoom") == ("F", "f8", "ctrl+f", "slash")
    assert keymap.keys("pane.filter") == ("percent_sign",)
    assert keymap.problems == []


@pytest.mark.parametrize("nothing", [False, "", ()])
def test_an_action_can_be_unbound(nothing: str | tuple[str, ...] | bool) -> None:
    keymap = Keymap(ALL, {"app.shell": nothing})
    assert (keymap.keys("app.shell"), keymap.shown("app.shell"), keymap.problems) == ((), "", [])


def test_a_name_that_no_action_has_is_told_with_the_nearest() -> None:
    assert problems(app__zom="f") == ["[keys] app.zom: no such action; the nearest is app.zoom"]
    assert problems(xxxxxxxx="f") == ["[keys] xxxxxxxx: no such action"]


def test_a_key_that_no_keyboard_has_is_told_and_left_out() -> None:
    keymap = Keymap(ALL, {"app.zoom": ("ctrl-f", "hyper+x", "F")})
    assert keymap.keys("app.zoom") == ("F",)
    assert keymap.problems == [
        "[keys] app.zoom: no key is called 'ctrl-f'; write such as ctrl+f, F or f8",
        "[keys] app.zoom: no key is called 'hyper+x'; write such as ctrl+f, F or f8",
    ]


@pytest.mark.parametrize(
    ("identity", "key", "other"),
    [
        ("app.zoom", "q", "app.quit"),
        ("health.troubled", "z", "app.zoom"),
        ("health.troubled", "/", "pane.filter"),
        ("alerts.silence", "j", "rows.down"),
        ("alerts.silence", "a", "alerts.acknowledge"),
        ("output.stop", "z", "app.zoom"),
        ("timeline.replay", "j", "rows.down"),
        ("replay.pause", "j", "replay.moment"),
    ],
)
def test_one_key_for_two_actions_at_one_place_is_told(identity: str, key: str, other: str) -> None:
    (problem,) = Keymap(ALL, {identity: key}).problems
    assert identity in problem and other in problem and f"{key} is given to both" in problem


def test_one_key_for_two_actions_at_two_places_is_fine() -> None:
    assert problems(health__troubled="a", output__stop="s", timeline__replay="z", replay__pause="p") == []


def test_keys_that_are_swapped_do_not_clash() -> None:
    assert problems(app__zoom="q", app__quit="z") == []


@given(
    st.dictionaries(
        st.one_of(st.sampled_from([action.id for action in ALL]), st.text(max_size=20)),
        st.one_of(st.booleans(), st.text(max_size=12), st.lists(st.text(max_size=8), max_size=3)),
        max_size=6,
    )
)
def test_no_table_of_keys_is_worse_than_reported(table: dict[str, str | list[str] | bool]) -> None:
    keymap = Keymap(ALL, table)
    for action in ALL:
        for key in keymap.keys(action.id):
            assert key.split("+")[-1] in KEYS
        assert show_key(keymap.shown(action.id) or "x")
    for name in table.keys() - {action.id for action in ALL}:
        assert any(name in problem for problem in keymap.problems)


def test_an_actions_method_is_named_by_its_id_unless_it_says_otherwise() -> None:
    action = Action("alerts.silence", ("s",), "silence", "Silence it.")
    assert (action.place, action.name) == ("alerts", "silence")
    assert Action("app.health", ("1",), "x", "X.", call="pane(1)").name == "pane(1)"
