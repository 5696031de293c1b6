"""Labels as Prometheus and Alertmanager use them: whom they name, and where they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cockpit.source import resource

_SERVICE = ("service", "app", "app_kubernetes_io_name", "job")
_K8S = {
    "namespace": "k8s.namespace.name",
    "pod": "k8s.pod.name",
    "container": "k8s.container.name",
    "node": "k8s.node.name",
    "deployment": "k8s.deployment.name",
}
LONGEST_URL = 2_000
"""Characters of an `instance` within which its scheme and userinfo are looked for."""
_URL = re.compile(r"[a-z][a-z0-9+.-]*+://(?:[^/@]*+@)?", re.IGNORECASE)
_YAML_PAIR = re.compile(r"""    ([A-Za-z_]\w*|"[^"]+"|'[^']+'): ?(.*)""", re.ASCII)


def host_of_instance(instance: str) -> str:
    """Return the host of an `instance` label: without scheme, path and port, an IPv6 address without brackets."""
    scheme = _URL.match(instance, 0, LONGEST_URL)
    host = instance[scheme.end() if scheme else 0 :].partition("/")[0]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    if host.count(":") == 1:
        return host.partition(":")[0]
    return host


def resource_of(labels: Mapping[str, str], *, service_label: str = "") -> dict[str, str]:
    """Return whom labels name, by OpenTelemetry's names.

    Args:
        labels: Of a target, an alert or a series.
        service_label: The label that names the service; else `service`, `app` or `job`, the first that is there.
    """
    names = (service_label,) if service_label else _SERVICE
    service = next((labels[name] for name in names if labels.get(name)), "")
    host = (
        host_of_instance(labels.get("instance", "")) or labels.get("host", "") or labels.get("hostname", "")
    )
    return resource(
        service, host, ((theirs, labels[ours]) for ours, theirs in _K8S.items() if labels.get(ours))
    )


def selector(labels: Mapping[str, str], *, without: frozenset[str] = frozenset()) -> str:
    """Return labels as `{a="b", c="d"}`, or an empty string where there are none."""
    pairs = [f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()) if name not in without]
    return f"{{{', '.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def external_labels(yaml: str) -> dict[str, str]:
    """Return the external labels in a configuration as a Prometheus server prints its own.

    A server adds them to an alert on its way to Alertmanager, so an alert's fingerprint there depends on them. The
    printed form is normalised (two spaces a level, a label a line), so a YAML library is not needed to read it.
    """
    found: dict[str, str] = {}
    within_global = within = False
    for line in yaml.splitlines():
        if line and not line.startswith(" "):
            within_global, within = line.rstrip() == "global:", False
        elif within_global and not line.startswith("   "):
            within = line.rstrip() == "  external_labels:"
        elif within and (pair := _YAML_PAIR.fullmatch(line.rstrip())):
            found[_unquoted(pair[1])] = _unquoted(pair[2])
    return found


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return text
