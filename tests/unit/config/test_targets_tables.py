"""`[[inventories]]` and the hosts' keys of `[[targets]]` in cockpit.toml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cockpit import config
from cockpit.errors import ConfigErrors
from cockpit.targets import Environment

ONE = '[[inventories]]\nkind = "{}"\n'


def load(folder: Path, text: str) -> config.Settings:
    (folder / "cockpit.toml").write_text(text)
    return config.load(str(folder / "cockpit.toml"))


def test_inventories_are_read_with_ssh_config_last(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        ONE.format("ansible") + 'path = "inv"\nvia = "b"\n[inventories.environments]\nprod = "staging"\n'
        '[ssh]\nconfig = "mine"\n',
    )
    first, second = settings.inventories
    assert (first.called, first.path, first.via) == ("ansible", str(tmp_path / "inv"), "b")
    assert first.environments == {"prod": Environment.STAGING}
    assert (second.called, second.path) == ("ssh_config", str(tmp_path / "mine"))


def test_ssh_config_can_be_turned_off(tmp_path: Path) -> None:
    settings = load(tmp_path, ONE.format("ssh_config") + "enabled = false\n")
    assert [table.enabled for table in settings.inventories] == [False]


def test_without_a_file_ssh_config_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert [table.kind for table in config.load().inventories] == ["ssh_config"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.format("ansable"), 'inventories[0].kind: "ansable" is not known here (did you mean ansible?)'),
        (ONE.format("ansible"), "cockpit.toml:1: inventories[0]: `path` is missing"),
        (ONE.format("command"), "cockpit.toml:1: inventories[0]: `command` is missing"),
        (
            ONE.format("ansible") + 'path = "x"\ncommand = ["y"]\n',
            '`command` is for the kind "command" alone',
        ),
        (ONE.format("command") + 'path = "x"\ncommand = ["y"]\n', '`path` is not for the kind "command"'),
        (
            ONE.format("ssh_config") + "refresh = 0\n",
            "inventories[0].refresh: expected a number from 1 to 86,400",
        ),
        (ONE.format("ssh_config") + 'via = "-x"\n', "`via` begins with a dash"),
        (
            ONE.format("ssh_config") + '[inventories.environments]\nweb = "prod"\n',
            "inventories[0].environments.web",
        ),
        (ONE.format("ssh_config") * 2, '"ssh_config" names the inventory of line 1 already'),
        ('[[targets]]\nname = "a"\nvia = "a"\n', "cockpit.toml:1: targets[0]: `via` names a itself"),
        ('[[targets]]\nname = "a"\nport = 70000\n', "targets[0].port: expected an integer from 0 to 65,535"),
        ('[[targets]]\nname = "a"\nforward_agnet = true\n', "did you mean forward_agent?"),
    ],
)
def test_mistakes_name_their_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigErrors, match=re.escape(said)):
        load(tmp_path, text)
