from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cockpit import config, registry
from cockpit.config import Settings, SourceEntry
from cockpit.errors import ConfigError, SourceError
from cockpit.remote import Carrier
from cockpit.ssh.connections import connections_of
from tests.helpers.plugins import GOOD, install


def test_our_plugins_and_a_strangers_are_named_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = registry.names()
    assert {"host", "files", "otlp", "prometheus"} <= set(before)
    install(tmp_path, monkeypatch)
    assert set(registry.names()) == {*before, "pond"}


def test_naming_plugins_imports_none() -> None:
    code = (
        "import sys; from cockpit import registry; registry.names();"
        "print([name for name in sys.modules if name.split('.')[0] in ('sources', 'msgspec', 'textual')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_plugin_is_loaded_and_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = install(tmp_path, monkeypatch)
    assert registry.load("pond").summary == "a pond of ducks"
    assert registry.distribution("pond") == f"{name} 1.2"
    source = registry.build(SourceEntry(name="p", kind="pond", options={"url": "x"}))
    assert (source.name, source.options.url) == ("p", "x")


def test_a_kind_nobody_has_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r'"prometeus" is no kind of source \(did you mean prometheus\?\)'):
        registry.load("prometeus")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nowhere_to_be_found", "can't be imported: ModuleNotFoundError"),
        ("Pond = = 3", "can't be imported: SyntaxError"),
        ("raise SystemExit('bye')", "can't be imported: SystemExit: bye"),
        ("Lake = 3", "can't be imported: AttributeError"),
        ("Pond = 3", "it is no subclass of cockpit.source.Source"),
        ("class Pond: kind = 'pond'", "it is no subclass of cockpit.source.Source"),
        (GOOD.replace("async def run", "async def walk"), "it lacks run"),
        (GOOD.replace('kind = "pond"', 'kind = "lake"'), "its `kind` is 'lake'"),
        (GOOD.replace('kind = "pond"', ""), "its `kind` is None"),
        (GOOD.replace('"a pond of ducks"', '" "'), "it has no `summary`"),
        (
            GOOD.replace("options_type = PondOptions", "options_type = Login"),
            "is no subclass of cockpit.source.Options",
        ),
        (GOOD.replace("depth: int = 3", "enabled: bool = True"), "use the cockpit's own keys enabled"),
        (GOOD.replace("{HealthSample}", "{int}"), "it emits <class 'int'>, which is no signal"),
        (
            GOOD.replace("emits =", "offers = frozenset({'query_logs'}); emits ="),
            "offers 'query_logs' and does not",
        ),
        (GOOD.replace("emits =", "offers = frozenset({'fly'}); emits ="), "offers 'fly' and does not"),
    ],
)
def test_a_plugin_that_is_wrong_names_its_distribution_and_harms_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    name = install(tmp_path, monkeypatch, code=code)
    with pytest.raises(SourceError) as caught:
        registry.load("pond")
    assert says in str(caught.value)
    assert name in str(caught.value)
    plugins, errors = registry.load_all(["host", "pond"])
    assert list(plugins) == ["host"]
    assert says in str(errors["pond"])


def test_a_constructor_that_raises_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)
    with pytest.raises(SourceError, match="p: can't be made: ZeroDivisionError: by zero"):
        registry.build(SourceEntry(name="p", kind="pond", options={"url": "broken"}))


def test_two_distributions_that_bring_one_kind_are_both_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {install(tmp_path, monkeypatch), install(tmp_path, monkeypatch)}
    with pytest.raises(SourceError) as caught:
        registry.load("pond")
    assert all(name in str(caught.value) for name in names)


def test_a_stranger_can_not_take_the_place_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, kind="host")
    assert registry.load("host").__module__ == "sources.host"
    assert registry.distribution("host").startswith("cockpit ")


def via(tmp_path: Path, table: str) -> list[SourceEntry]:
    file = tmp_path / "cockpit.toml"
    file.write_text(f"default_sources = false\n{table}")
    return [entry for entry in config.load(str(file)).sources if entry.index >= 0]


def test_via_is_the_cockpits_own_key(tmp_path: Path) -> None:
    [entry] = via(tmp_path, '[[sources]]\nkind = "tcp"\nchecks = ["a:1"]\nvia = "bastion-eu"\n')
    assert entry.via == "bastion-eu" and "via" not in entry.options
    asked: list[str] = []

    def remote(through: str) -> Carrier:
        asked.append(through)
        return Carrier(connections_of(Settings()), through)

    source = registry.build(entry, remote=remote)
    assert asked == ["bastion-eu"] and source.remote is not None and source.remote.via == "bastion-eu"


def test_a_source_without_via_gets_no_way_over_ssh(tmp_path: Path) -> None:
    [entry] = via(tmp_path, '[[sources]]\nkind = "tcp"\nchecks = ["a:1"]\n')
    assert registry.build(entry, remote=lambda _: pytest.fail("asked for a way")).remote is None


def test_a_source_with_via_never_connects_past_it(tmp_path: Path) -> None:
    [entry] = via(tmp_path, '[[sources]]\nkind = "tcp"\nchecks = ["a:1"]\nvia = "b"\n')
    with pytest.raises(SourceError, match="nothing here to carry it"):
        registry.build(entry)


@pytest.mark.parametrize(
    "options", ['kind = "dns"\nchecks = ["a.example"]', 'kind = "files"', 'kind = "host"', 'kind = "otlp"']
)
def test_a_kind_that_cannot_be_carried_says_so_with_its_place(tmp_path: Path, options: str) -> None:
    [entry] = via(tmp_path, f'[[sources]]\nname = "x"\n{options}\nvia = "bastion-eu"\n')
    with pytest.raises(ConfigError, match="can't be carried over SSH") as caught:
        registry.build(entry, remote=lambda _: pytest.fail("asked for a way"))
    assert caught.value.line and caught.value.key == "sources[0].via" and caught.value.file


def test_a_kind_that_works_on_hosts_has_its_ways_in_the_targets(tmp_path: Path) -> None:
    [entry] = via(tmp_path, '[[sources]]\nkind = "remote-host"\nhosts = ["a"]\nvia = "bastion-eu"\n')
    with pytest.raises(
        ConfigError, match=r"by their own ways \(say `via` in the hosts' \[\[targets\]\]"
    ) as caught:
        registry.build(entry, remote=lambda _: pytest.fail("asked for a way"))
    assert caught.value.line == 5
