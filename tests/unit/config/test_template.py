from __future__ import annotations

import re
from pathlib import Path

import pytest

from cockpit import config, registry
from cockpit.config import Settings, template
from cockpit.config.options import read_options
from cockpit.discovery import PROBES, Discovered, Service

NOTHING = Discovered(host="box\nname = 'injected'")
EVERYTHING = Discovered(
    host="box",
    services=tuple(
        Service(kind=probe.kind, what=probe.what, url=f"http://127.0.0.1:{probe.port}{probe.page}")
        for probe in PROBES
        if probe.path
    )
    * 2,
    otlp_port_taken=True,
)


def loaded(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "c.toml"
    file.write_text(text)
    return config.load(str(file))


def uncommented(text: str) -> str:
    """Take the `# ` away from every line that is a table's header or a setting."""
    return re.sub(r"^# (?=\[|[\w.]+ = )", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("found", [NOTHING, EVERYTHING], ids=["nothing", "everything"])
@pytest.mark.parametrize("commented", [True, False], ids=["as written", "uncommented"])
def test_what_is_written_loads_without_a_mistake(tmp_path: Path, found: Discovered, commented: bool) -> None:
    text = template.render(found)
    settings = loaded(tmp_path, text if commented else uncommented(text))
    for entry in settings.sources:
        _, warnings = read_options(entry, registry.load(entry.kind).options_type)
        assert warnings == ()


def test_what_was_found_is_live_and_the_rest_is_commented(tmp_path: Path) -> None:
    found = Discovered(
        host="box", services=(Service(kind="prometheus", what="Prometheus", url="http://127.0.0.1:1"),)
    )
    text = template.render(found)
    own = [entry for entry in loaded(tmp_path, text).sources if entry.index >= 0]
    assert [(entry.name, entry.kind, dict(entry.options)) for entry in own] == [
        ("prometheus", "prometheus", {"url": "http://127.0.0.1:1"})
    ]
    assert 'kind = "alertmanager"' in text
    uncommented_kinds = {entry.kind for entry in loaded(tmp_path, uncommented(text)).sources}
    assert {"alertmanager", "http", "tcp", "dns", "jaeger", "zipkin", "exposition"} <= uncommented_kinds


def test_a_taken_port_moves_the_receiver(tmp_path: Path) -> None:
    (otlp,) = (
        entry
        for entry in loaded(tmp_path, template.render(Discovered(host="b", otlp_port_taken=True))).sources
        if entry.kind == "otlp"
    )
    assert otlp.options["port"] == 14318


def test_every_commented_setting_changes_something(tmp_path: Path) -> None:
    settings = loaded(tmp_path, uncommented(template.render(NOTHING)))
    assert settings.screen != config.Screen()
    assert settings.on_call.name
    assert settings.keys
    assert settings.rules[-1].name == "DataDiskFilling"
