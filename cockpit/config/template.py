"""The cockpit.toml that `cockpit init` writes: what was found is live, what else there is stands in comments.

Each commented block loads as it stands once its `# ` is taken away; a test does that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cockpit.config.describe import toml_text

if TYPE_CHECKING:
    from cockpit.discovery import Discovered, Service

_HEAD = """\
# What the cockpit watches, and how careful it is. All of it is optional: without this file the cockpit shows this
# machine's health, its log files and journal, and receives OTLP. docs/configuration.md has every key,
# `cockpit sources` every option of every source, and `cockpit doctor` tries all of this for real.
#
# A secret is never written here in the clear. Say where it is kept:
#   password = { env = "PROM_PASSWORD" }
#   password = { file = "prom-password" }                       # relative to this file
#   password = { command = ["pass", "show", "prom"] }           # its first line
"""

_TARGETS = """
# Where commands may land, and how careful to be there: production, disaster-recovery, staging or development.
# The first entry that fits a name decides; `*` and `?` match. What no entry names counts as production.

[[targets]]
name = "local"                  # this machine, {host}
environment = "development"     # make it "production" if mistakes cost here

# [[targets]]
# name = "db-*"
# environment = "production"

# Who knows which hosts there are, besides your ssh_config.

# [[inventories]]
# kind = "ansible"                # or "command", which prints them
# path = "inventory"
"""

_SOURCES = """
# Where telemetry comes from. `host`, `files`, `journald` and `otlp` run without being named; an entry of the same
# name replaces one of them, and `enabled = false` in it turns it off.
"""

_REST = """
# Readings that make alerts, besides the built-in ones. An entry of the same name replaces one of those.

# [[rules]]
# name = "DataDiskFilling"
# subject = "disk /data*"
# above = 80
# clear = 75
# for = 300
# severity = "critical"

# What commands need before they run. In production a change needs an incident, or a ticket of this pattern.

# [guard]
# ticket_pattern = "CHG-[0-9]+"
# elevation_minutes = 15

# What commands of your own do: read, change or destructive.

# [[guard.rules]]
# command = "deployctl status *"
# risk = "read"

# Your SSH key seals the record of what was done, and these people's signatures count.

# [log]
# signing_key = "~/.ssh/id_ed25519"
# allowed_signers = "allowed_signers"

# How the screen looks.

# [screen]
# theme = "cockpit-light"
# frames_per_second = 10          # up to 30; fewer save bytes over a slow line
# window_minutes = 15
# themes = { production = "cockpit-production", development = "cockpit-light" }

# Who is on call, for the verdict line.

# [on_call]
# name = "Ada"
# contact = "+44 20 7946 0000"
# until = 2030-01-01T08:00:00Z

# Keys, by what they do; `?` on the screen names them all. `false` unbinds one.

# [keys]
# app.zoom = "f11"
# app.quit = ["Q", "f10"]
# app.shell = false
"""

_SAMPLES = {
    "prometheus": 'url = "http://127.0.0.1:9090"\nbearer = { env = "PROMETHEUS_TOKEN" }',
    "alertmanager": 'url = "http://127.0.0.1:9093"',
    "http": 'checks = ["https://shop.example/health"]',
    "tcp": 'checks = ["db.example:5432"]',
    "dns": 'checks = ["shop.example"]',
    "exposition": 'url = "http://127.0.0.1:9100/metrics"',
    "jaeger": 'url = "http://127.0.0.1:16686"',
    "zipkin": 'url = "http://127.0.0.1:9411"',
}
"""A sample of each kind that needs to be told something, in the order it is written."""

_OTLP_TAKEN = """
# Something listens on port 4318 already, so the cockpit's own OTLP receiver takes another. To receive what your
# services send, point them, or your collector's otlphttp exporter, at http://127.0.0.1:14318.

[[sources]]
name = "otlp"
kind = "otlp"
port = 14318
grpc_port = 14317
"""


def render(found: Discovered) -> str:
    """Return a cockpit.toml for a machine."""
    named: dict[str, int] = {}
    live = "".join(_live(service, _unique(service, named)) for service in found.services)
    taken = {service.kind for service in found.services}
    samples = "".join(
        _commented(f'[[sources]]\nname = "{kind}"\nkind = "{kind}"\n{sample}')
        for kind, sample in _SAMPLES.items()
        if kind not in taken
    )
    otlp = _OTLP_TAKEN if found.otlp_port_taken else ""
    host = " ".join(found.host.split())
    return _HEAD + _TARGETS.format(host=host) + _SOURCES + live + otlp + samples + _REST


def _live(service: Service, name: str) -> str:
    return (
        f"\n[[sources]]                     # {service.what} answers here\n"
        f'name = {toml_text(name)}\nkind = "{service.kind}"\nurl = {toml_text(service.url)}\n'
    )


def _unique(service: Service, named: dict[str, int]) -> str:
    """Return a name for a service that none before it has."""
    name = re.sub(r"[^a-z0-9]+", "-", service.what.lower()).strip("-")
    named[name] = named.get(name, 0) + 1
    return name if named[name] == 1 else f"{name}-{named[name]}"


def _commented(block: str) -> str:
    return "\n" + "".join(f"# {line}\n" for line in block.splitlines())
