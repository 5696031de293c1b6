from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.signals import SECOND, fingerprint, rfc3339
from sources.support.promlabels import external_labels, host_of_instance, resource_of, selector
from sources.support.timestamps import nanoseconds


def test_no_labels_have_the_hash_of_nothing() -> None:
    assert fingerprint({}) == "cbf29ce484222325", "FNV-1a's offset basis"


def test_a_fingerprint_does_not_depend_on_order_but_on_every_byte() -> None:
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert (
        len({fingerprint(labels) for labels in ({"a": "1"}, {"a": "2"}, {"a1": ""}, {"a": "", "1": ""})}) == 4
    )


@pytest.mark.parametrize(
    ("instance", "host"),
    [
        ("node-1:9100", "node-1"),
        ("node-1", "node-1"),
        ("10.0.0.1:80", "10.0.0.1"),
        ("[::1]:9090", "::1"),
        ("fe80::1", "fe80::1"),
        ("https://shop.example/health", "shop.example"),
        ("https://ann:pw@shop.example:8443/x", "shop.example"),
        ("", ""),
    ],
)
def test_hosts_of_instances(instance: str, host: str) -> None:
    assert host_of_instance(instance) == host


def test_labels_name_service_host_and_pod() -> None:
    labels = {"job": "api", "app": "shop", "instance": "n:1", "namespace": "eu", "pod": "p-1"}
    assert resource_of(labels) == {
        "service.name": "shop",
        "host.name": "n",
        "k8s.namespace.name": "eu",
        "k8s.pod.name": "p-1",
    }
    assert resource_of(labels, service_label="job")["service.name"] == "api"


def test_external_labels_are_read_from_a_printed_configuration() -> None:
    yaml = (
        'global:\n  scrape_interval: 15s\n  external_labels:\n    cluster: eu-1\n    quoted: "yes"\n'
        "    single: 'it''s'\n  evaluation_interval: 15s\nscrape_configs:\n- job_name: x\n"
        "  external_labels:\n    not: this\n"
    )
    assert external_labels(yaml) == {"cluster": "eu-1", "quoted": "yes", "single": "it's"}
    assert external_labels("remote_write:\n- url: x\n") == {}


@given(st.text(max_size=300))
def test_any_text_is_read_for_external_labels(text: str) -> None:
    assert isinstance(external_labels(f"global:\n  external_labels:\n{text}"), dict)


def test_selectors_are_escaped() -> None:
    assert selector({"b": 'x"y\\', "a": "1"}) == '{a="1", b="x\\"y\\\\"}'


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01T00:00:01.123456789Z", SECOND + 123_456_789),
        ("1970-01-01T02:00:01+02:00", SECOND),
        ("0001-01-01T00:00:00Z", 0),
        ("2026-13-01T00:00:00Z", 0),
        ("yesterday", 0),
        ("", 0),
    ],
)
def test_times(text: str, moment: int) -> None:
    assert nanoseconds(text) == moment


@given(st.integers(0, 4_000_000_000_000))
def test_times_come_back(milliseconds: int) -> None:
    moment = milliseconds * 1_000_000
    assert nanoseconds(rfc3339(moment)) == moment
