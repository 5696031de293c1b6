from __future__ import annotations

import json
from pathlib import Path

import pytest

from cockpit.cli import main
from tests.helpers.plugins import install


def test_a_plugin_is_listed_with_every_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = install(tmp_path, monkeypatch)
    assert main(["sources", "pond", "--json"]) == 0
    (plugin,) = json.loads(capsys.readouterr().out)
    assert (plugin["kind"], plugin["summary"]) == ("pond", "a pond of ducks")
    assert (plugin["distribution"], plugin["emits"]) == (f"{name} 1.2", ["HealthSample"])
    options = {option["name"]: option for option in plugin["options"]}
    assert options["url"] == {
        "name": "url",
        "type": "a string",
        "required": True,
        "default": "",
        "doc": "Its address,\nscheme and all.",
    }
    assert options["depth"]["default"] == "3"
    assert options["login.password"]["doc"] == "The password."
    assert options["interval"]["doc"] == "Seconds between two looks."


def test_people_see_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, monkeypatch)
    assert main(["sources", "pond"]) == 0
    shown = capsys.readouterr().out
    for text in (
        "pond",
        "a pond of ducks",
        "emits  HealthSample",
        "a string, required",
        "an integer, default 3",
    ):
        assert text in shown


def test_a_plugin_that_is_broken_is_said_and_the_others_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = install(tmp_path, monkeypatch, code="import nowhere_to_be_found")
    assert main(["sources", "--json"]) == 1
    listed = {plugin["kind"]: plugin for plugin in json.loads(capsys.readouterr().out)}
    assert name in listed["pond"]["error"]
    assert listed["host"]["summary"]


def test_our_own_sources_all_load_with_every_option_documented(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "--json"]) == 0
    plugins = [
        plugin
        for plugin in json.loads(capsys.readouterr().out)
        if plugin["distribution"].startswith("cockpit ")
    ]
    assert len(plugins) >= 12
    silent = [
        f"{plugin['kind']}: {option['name']}"
        for plugin in plugins
        for option in plugin["options"]
        if not option["doc"]
    ]
    assert silent == []
