from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit import config
from cockpit.config import Settings, defaults
from cockpit.errors import ConfigError, ConfigErrors
from cockpit.rules import DEFAULT_RULES
from cockpit.signals import SECOND
from cockpit.targets import Environment


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no variable that points elsewhere."""
    for name in ("COCKPIT_CONFIG", "COCKPIT_DATA_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return tmp_path


def write(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def load(tmp_path: Path, text: str) -> Settings:
    return config.load(str(write(tmp_path / "c.toml", text)))


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, text)
    return [f"{error.line} {error.key}: {error.message} ({error.remedy})" for error in caught.value.mistakes]


def test_without_a_file_the_defaults_hold() -> None:
    found = config.load()
    assert found.file is None
    assert [entry.name for entry in found.sources][:2] == ["host", "files"]
    assert found.sources[-1].kind == "otlp"
    assert found.rules == DEFAULT_RULES
    assert found.screen.window == 15 * 60 * SECOND


def test_journald_is_a_default_where_there_is_a_journal_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kinds() -> list[str]:
        return [entry.kind for entry in config.load().sources]

    journal = tmp_path / "journal"
    monkeypatch.setattr(defaults, "JOURNALS", (journal,))
    monkeypatch.setenv("PATH", str(tmp_path))
    write(tmp_path / "journalctl").chmod(0o755)
    assert "journald" not in kinds(), "a folder that does not exist"
    journal.mkdir()
    assert "journald" not in kinds(), "a machine that keeps no journal"
    write(journal / "0123" / "system.journal")
    assert "journald" in kinds()
    (tmp_path / "journalctl").unlink()
    assert "journald" not in kinds(), "no program to read it with"


def test_the_file_is_found_by_flag_variable_folder_and_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = write(home / ".config/cockpit/cockpit.toml")
    assert config.load().file == own
    xdg = write(home / "xdg/cockpit/cockpit.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    assert config.load().file == xdg
    here = write(Path("cockpit.toml"))
    assert config.load().file == here
    named = write(home / "named.toml")
    monkeypatch.setenv("COCKPIT_CONFIG", str(named))
    assert config.load().file == named
    flagged = write(home / "flagged.toml")
    assert config.load(str(flagged)).file == flagged
    assert config.load("~/flagged.toml").file == flagged


def test_relative_base_directories_are_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "xdg")
    monkeypatch.setenv("XDG_DATA_HOME", "xdg")
    assert config.user_file() == home / ".config/cockpit/cockpit.toml"
    assert config.data_dir() == home / ".local/share/cockpit"


def test_a_file_asked_for_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file, and --config names it"):
        config.load("nowhere.toml")
    monkeypatch.setenv("COCKPIT_CONFIG", "nowhere.toml")
    with pytest.raises(ConfigError, match="and COCKPIT_CONFIG names it"):
        config.load()


def test_a_file_of_the_working_directory_is_not_trusted_when_others_may_write_it() -> None:
    write(Path("cockpit.toml")).chmod(0o666)
    with pytest.raises(ConfigError, match=r"anyone may write to it .*--config \./cockpit\.toml"):
        config.load()
    assert "chmod o-w" in config.load("cockpit.toml").warnings[0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a file away")
def test_a_file_of_the_working_directory_is_not_trusted_when_another_owns_it() -> None:
    os.chown(write(Path("cockpit.toml")), 12345, -1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        config.load()


def test_data_is_kept_by_flag_variable_and_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.data_dir() == home / ".local/share/cockpit"
    monkeypatch.setenv("XDG_DATA_HOME", "/xdg")
    assert config.data_dir() == Path("/xdg/cockpit")
    monkeypatch.setenv("COCKPIT_DATA_DIR", "/variable")
    assert config.data_dir() == Path("/variable")
    assert config.data_dir("/flag") == Path("/flag")
    assert not (home / ".local").exists()


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """
        default_sources = false
        default_rules = false
        [screen]
        theme = "x"
        frames_per_second = 30
        mouse = false
        window_minutes = 60
        themes = { production = "red" }
        [on_call]
        name = "Ada"
        until = 2030-01-01T08:00:00Z
        [limits]
        spans = 5000
        [keys]
        app.zoom = "f, F"
        "app.pane(1)" = ["f1"]
        "app.quit" = false
        app.help = ""
        [[targets]]
        name = "local"
        environment = "staging"
        [[rules]]
        name = "R"
        above = 1
        for = 5
        [[sources]]
        kind = "host"
        interval = 2
        """,
    )
    assert found.screen.themes == {Environment.PRODUCTION: "red"}
    assert (found.screen.frames_per_second, found.screen.mouse) == (30, False)
    assert found.on_call.until == datetime(2030, 1, 1, 8, tzinfo=UTC)
    assert found.limits.spans == 5000
    assert found.keys == {
        "app.zoom": ("f", "F"),
        "app.pane(1)": ("f1",),
        "app.quit": (),
        "app.help": (),
    }
    assert found.targets[0].environment is Environment.STAGING
    assert [(rule.name, rule.for_s) for rule in found.rules] == [("R", 5.0)]
    (source,) = found.sources
    assert (source.name, source.kind, source.options, source.index) == ("host", "host", {"interval": 2}, 0)


def test_a_local_time_gets_this_machines_zone(tmp_path: Path) -> None:
    found = load(tmp_path, "[on_call]\nuntil = 2030-01-01T08:00:00\n")
    assert found.on_call.until == datetime(2030, 1, 1, 8).astimezone()


def test_named_sources_come_with_the_defaults_and_replace_those_of_their_name(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        '[[sources]]\nkind = "dns"\nchecks = ["x"]\n[[sources]]\nname = "otlp"\nkind = "otlp"\nenabled = false\n',
    )
    names = [(entry.name, entry.enabled, entry.index) for entry in found.sources]
    assert names[0] == ("host", True, -1)
    assert names[-2:] == [("dns", True, 0), ("otlp", False, 1)]
    assert [name for name, _, _ in names].count("otlp") == 1


def test_an_own_rule_replaces_the_built_in_one_of_its_name(tmp_path: Path) -> None:
    built_in = DEFAULT_RULES[0].name
    found = load(tmp_path, f'[[rules]]\nname = "{built_in}"\nabove = 42.0\n')
    assert [rule.above for rule in found.rules if rule.name == built_in] == [42.0]
    assert len(found.rules) == len(DEFAULT_RULES)


def test_all_mistakes_are_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
default_source = true
[screen]
frames_per_second = 60
window_minutes = 0
mouse = "yes"
[[sources]]
name = "a"
kind = "prometeus"
[[sources]]
name = "a"
kind = "host"
[[sources]]
name = "b"
[[targets]]
name = "local"
environment = "prodction"
[keys]
app.x = true
y = ["a", 3]
[[rules]]
name = "R"
[[rules]]
name = "S"
above = 1
below = 2
"""
    assert mistakes(tmp_path, text) == [
        "1 default_source: is no key known here (did you mean default_sources?)",
        "3 screen.frames_per_second: expected an integer from 1 to 30, found 60 ()",
        "4 screen.window_minutes: expected an integer from 1 to 10,080, found 0 ()",
        "5 screen.mouse: expected true or false, found a string ()",
        '8 sources[0].kind: "prometeus" is no kind of source (did you mean prometheus?)',
        '10 sources[1].name: "a" names the source of line 6 already (give each its own name)',
        "12 sources[2]: `kind` is missing: a string ()",
        '16 targets[0].environment: "prodction" is not known here (did you mean production?)',
        "18 keys.app.x: expected a key, a list of keys, or false to unbind it ()",
        "19 keys.y: expected a key, a list of keys, or false to unbind it ()",
        "20 rules[0]: a rule has exactly one of `above`, `below` and `state` ()",
        "22 rules[1]: a rule has exactly one of `above`, `below` and `state` ()",
    ]


def test_what_a_struct_itself_refuses_is_placed(tmp_path: Path) -> None:
    assert mistakes(
        tmp_path, '[[rules]]\nname = "R"\nabove = 1\n\n[[rules]]\nname = "S"\nabove = 1\nbelow = 2\n'
    ) == ["5 rules[1]: a rule has exactly one of `above`, `below` and `state` ()"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sources = 3", "1 sources: expected a list of tables, found 3 ()"),
        ("sources = [3]", "1 sources[0]: expected a table, found 3 ()"),
        ("screen = 'x'", "1 screen: expected a table, found a string ()"),
        ("[[screen]]", "1 screen: expected a table, found a list ()"),
        ("keys = 1", "1 keys: expected a table of anything, found 1 ()"),
        ("[on_call]\nuntil = 08:00:00", "2 on_call.until: expected a date and time, found a time of day ()"),
        ("[on_call]\nuntil = 2030-01-01", "2 on_call.until: expected a date and time, found a date ()"),
        (
            "[limits]\nspans = 1.5",
            "2 limits.spans: expected an integer from 1,000 to 5,000,000, found 1.5 ()",
        ),
        (
            "[screen.themes]\nprod = 'x'",
            '2 screen.themes.prod: "prod" is not known here (did you mean production?)',
        ),
        ("[[sources]]\nkind = 1", "2 sources[0].kind: expected a string, found 1 ()"),
        (
            "[[sources]]\nkind = ''",
            "2 sources[0].kind: expected the kind of source, found an empty string ()",
        ),
    ],
)
def test_a_wrong_shape_says_what_was_expected_and_found(tmp_path: Path, text: str, says: str) -> None:
    assert says in mistakes(tmp_path, text)


def test_every_mistake_is_a_line_of_the_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, "a = 1\nb = 2\n")
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{tmp_path}/c.toml:1: a: ")
    assert second.startswith(f"{tmp_path}/c.toml:2: b: ")
    assert caught.value.exit_status == 2


def test_settings_never_show_an_option(tmp_path: Path) -> None:
    found = load(tmp_path, '[[sources]]\nkind = "prometheus"\npassword = "hunter2"\n')
    assert "hunter2" not in repr(found)
