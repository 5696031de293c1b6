"""Whatever stands in a cockpit.toml: it loads, or every mistake has a place."""

from __future__ import annotations

import tempfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit import config, registry
from cockpit.config.options import read_options
from cockpit.config.settings import File, Limits, OnCall, Screen, SourceTable
from cockpit.errors import ConfigError, ConfigErrors
from cockpit.rules import ThresholdRule
from cockpit.targets import TargetRule
from tests.helpers.examples import examples

NAMES = sorted(
    {
        name
        for struct in (File, Limits, OnCall, Screen, SourceTable, ThresholdRule, TargetRule)
        for name in struct.__struct_encode_fields__
    }
    | {"url", "checks", "password", "headers", "ca_file", "env", "file", "command", "interval", "odd key"}
)
SCALARS = st.one_of(
    st.integers(-(2**40), 2**40),
    st.floats(),
    st.booleans(),
    st.sampled_from(["host", "http", "prometheus", "production", "local", "", "x"]),
    st.text(max_size=8),
    st.just(date(2030, 1, 1)),
    st.just(datetime(2030, 1, 1, 8)),
    st.just(time(8)),
)
VALUES = st.recursive(
    SCALARS,
    lambda held: st.lists(held, max_size=3) | st.dictionaries(st.sampled_from(NAMES), held, max_size=4),
    max_leaves=15,
)
SOURCES = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["host", "http", "prometheus", "tcp", "otlp", "alertmanager"])},
        optional=dict.fromkeys(
            ("url", "checks", "password", "headers", "ca_file", "interval", "name"), VALUES
        ),
    ),
    max_size=3,
)


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6), SOURCES | VALUES)
def test_any_document_loads_or_says_where_it_is_wrong(content: dict[str, Any], sources: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "c.toml"
        file.write_text(tomlkit.dumps({**content, "sources": sources}), newline="")
        try:
            found = config.load(str(file))
        except ConfigErrors as errors:
            for mistake in errors.mistakes:
                assert mistake.line > 0
                assert mistake.key
            return
        for entry in found.sources:
            try:
                read_options(entry, registry.load(entry.kind).options_type)
            except ConfigError as error:
                assert entry.index >= 0
                assert error.line > 0
