from __future__ import annotations

from pathlib import Path

import pytest

from cockpit import config, registry
from cockpit.errors import ConfigError, ConfigErrors
from cockpit.source import Source
from tests.helpers.plugins import install


@pytest.fixture(autouse=True)
def pond(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)


def built(tmp_path: Path, options: str) -> tuple[Source, list[str]]:  # type: ignore[type-arg]
    file = tmp_path / "c.toml"
    file.write_text(f'default_sources = false\n[[sources]]\nkind = "pond"\n{options}\n')
    warnings: list[str] = []
    (entry,) = config.load(str(file)).sources
    return registry.build(entry, warn=warnings.append), warnings


def mistakes(tmp_path: Path, options: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        built(tmp_path, options)
    return [f"{error.line} {error.key}: {error.message} ({error.remedy})" for error in caught.value.mistakes]


def test_options_are_read_as_the_plugin_types_them(tmp_path: Path) -> None:
    source, warnings = built(
        tmp_path,
        'url = "x"\ndepth = 4\ninterval = 2\nlogin = { user = "u", password = { env = "P" } }\n'
        'tags = { a = "plain", b = { env = "B" } }',
    )
    options = source.options
    assert (options.url, options.depth, options.interval, options.timeout) == ("x", 4, 2.0, 5.0)
    assert (options.login.user, options.login.password.env) == ("u", "P")
    assert options.tags["a"] == "plain"
    assert options.tags["b"].env == "B"
    assert warnings == []


def test_all_mistakes_in_options_are_said_at_once(tmp_path: Path) -> None:
    assert mistakes(
        tmp_path, 'depht = 3\ndepth = "3"\nlogin = { usr = "u", password = 5 }\ntags = { a = 1 }'
    ) == [
        "2 sources[0]: `url` is missing: a string ()",
        "4 sources[0].depht: is no key known here (did you mean depth?)",
        "5 sources[0].depth: expected an integer, found a string ()",
        "6 sources[0].login.usr: is no key known here (did you mean user?)",
        "6 sources[0].login.password: expected a secret, found a number"
        ' (write { env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", "ARGUMENT"] })',
        "7 sources[0].tags.a: expected a string or a secret, found 1 ()",
    ]


@pytest.mark.parametrize(
    "secret",
    ["{}", '{ env = "" }', '{ env = "A", file = "b" }', "{ command = [] }", '{ env = "A", clear = "b" }'],
)
def test_a_secret_is_kept_in_exactly_one_place(tmp_path: Path, secret: str) -> None:
    (mistake,) = mistakes(tmp_path, f'url = "x"\nlogin = {{ password = {secret} }}')
    assert mistake.startswith("5 sources[0].login.password: expected exactly one place")


@pytest.mark.parametrize("secret", ['"hunter2"', '{ clear = "hunter2" }'])
def test_a_secret_in_the_clear_works_with_a_warning_that_does_not_show_it(
    tmp_path: Path, secret: str
) -> None:
    source, (warning,) = built(tmp_path, f'url = "x"\nlogin = {{ password = {secret} }}')
    assert source.options.login.password.clear == "hunter2"
    assert warning.startswith(f"{tmp_path}/c.toml:5: sources[0].login.password: a secret in the clear")
    assert "hunter2" not in warning + repr(source.options)


def test_no_mistake_shows_text_that_may_be_a_secret(tmp_path: Path) -> None:
    said = mistakes(tmp_path, 'url = ["hunter2"]\ndepth = "hunter2"\nlogin = { password = ["hunter2"] }')
    assert len(said) == 3
    assert "hunter2" not in "".join(said)


def test_files_are_meant_from_the_configurations_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    source, _ = built(
        tmp_path, 'url = "x"\ncertificate = "tls/ca.pem"\nlogin = { password = { file = "pw" } }'
    )
    assert source.options.certificate == f"{tmp_path}/tls/ca.pem"
    assert source.options.login.password.file == f"{tmp_path}/pw"
    source, _ = built(tmp_path, 'url = "x"\ncertificate = "~/ca.pem"')
    assert source.options.certificate == "/home/ada/ca.pem"


def test_a_secrets_file_that_everyone_may_read_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hunter2\n")
    for mode, expected in ((0o644, 1), (0o600, 0)):
        (tmp_path / "pw").chmod(mode)
        _, warnings = built(tmp_path, 'url = "x"\nlogin = { password = { file = "pw" } }')
        assert len(warnings) == expected
        assert all("anyone on this machine may read" in warning for warning in warnings)


def test_a_structs_own_check_is_placed(tmp_path: Path) -> None:
    assert mistakes(tmp_path, 'url = "x"\ndepth = 13') == ["2 sources[0]: thirteen metres bring bad luck ()"]


def test_a_mistake_that_the_plugin_finds_is_placed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        built(tmp_path, '\nurl = "nowhere"')
    assert (caught.value.line, caught.value.key, caught.value.remedy) == (5, "sources[0].url", "name a place")


def test_options_without_a_file_are_placed_at_the_source() -> None:
    entry = config.SourceEntry(name="p", kind="pond", options={"depth": "x"})
    with pytest.raises(ConfigErrors, match="source p: depth: expected an integer"):
        registry.build(entry)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            'url = "http://ada:hunter2@x/"',
            ":4: sources[0].url: an address that holds a password in the clear",
        ),
        (
            'url = "x"\ntags = { Authorization = "hunter2" }',
            ":5: sources[0].tags.Authorization: it looks like a secret",
        ),
        (
            'url = "x"\ntags = { X-Api-Key = "hunter2" }',
            ":5: sources[0].tags.X-Api-Key: it looks like a secret",
        ),
    ],
)
def test_what_looks_like_a_secret_is_warned_of(tmp_path: Path, options: str, says: str) -> None:
    _, (warning,) = built(tmp_path, options)
    assert says in warning
    assert "hunter2" not in warning


def test_what_does_not_look_like_a_secret_is_not_warned_of(tmp_path: Path) -> None:
    _, warnings = built(tmp_path, 'url = "http://ada@x:80/a:b@c"\ntags = { team = "sre" }')
    assert warnings == []


def test_no_file_is_no_file(tmp_path: Path) -> None:
    source, _ = built(tmp_path, 'url = "x"\ncertificate = ""')
    assert source.options.certificate == ""


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan", "100000"])
@pytest.mark.parametrize("key", ["interval", "timeout"])
def test_times_are_such_as_a_clock_can_keep(tmp_path: Path, key: str, value: str) -> None:
    (mistake,) = mistakes(tmp_path, f'url = "x"\n{key} = {value}')
    assert mistake.startswith(f"5 sources[0].{key}: expected seconds, above 0 and up to 86,400, found ")
