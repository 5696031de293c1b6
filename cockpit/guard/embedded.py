"""The judges of embedded languages by the names that rules call them, each imported when it is first needed."""

from __future__ import annotations

import functools
from importlib import import_module

from cockpit.errors import ConfigError
from cockpit.guard.call import Language

PACKAGE = "cockpit.guard.languages"
JUDGES = {
    "shell": "shells:shell",
    "eval": "shells:evaluated",
    "alias": "shells:alias",
    "trap": "shells:trap",
    "source": "shells:source",
    "exec": "shells:replaced",
    "variables": "shells:variables",
    "history": "shells:history",
    "jobs": "shells:jobs",
    "ssh": "remote:ssh",
    "env": "environments:env",
    "sudo": "environments:sudo",
    "xargs": "many:xargs",
    "find": "finding:find",
    "watch": "many:watch",
    "copies": "files:copies",
    "tee": "files:tee",
    "pieces": "files:pieces",
    "calculator": "files:calculator",
    "man": "files:man",
    "less": "texts:less",
    "mlr": "texts:mlr",
    "fd": "finding:fd",
    "kill": "processes:kill",
    "taskset": "processes:taskset",
    "ionice": "processes:ionice",
    "chrt": "processes:chrt",
    "prlimit": "processes:prlimit",
    "pidstat": "processes:pidstat",
    "crontab": "processes:crontab",
    "at": "processes:at",
    "useradd": "processes:useradd",
    "applet": "wrapping:applet",
    "su": "wrapping:su",
    "flock": "wrapping:flock",
    "script": "wrapping:script",
    "entr": "wrapping:entr",
    "lines": "wrapping:lines",
    "capsh": "wrapping:capsh",
    "parallel": "wrapping:parallel",
    "expect": "wrapping:expect",
    "tmux": "wrapping:tmux",
    "screen": "wrapping:screen",
    "tar": "archives:tar",
    "zip": "archives:zip_",
    "unzip": "archives:unzip",
    "packer": "archives:packer",
    "cpio": "archives:cpio",
    "ar": "archives:ar",
    "jar": "archives:jar",
    "seven": "archives:seven",
    "code": "code:code",
    "editor": "code:editor",
    "perl": "perl:perl",
    "python": "python:python",
    "sed": "sed:sed",
    "awk": "awk:awk",
    "psql": "clients:psql",
    "mysql": "clients:mysql",
    "sqlite": "clients:sqlite",
    "redis": "clients:redis",
    "mongo": "clients:mongo",
    "clickhouse": "clients:clickhouse",
    "duckdb": "clients:duckdb",
    "cql": "clients:cql",
    "influx": "clients:influx",
    "tsql": "clients:tsql",
    "script_input": "shells:script_input",
    "again": "nested:again",
    "terraform_fmt": "hashicorp:terraform_fmt",
    "aws_outfile": "clouds:aws_outfile",
    "aws_s3_copy": "clouds:aws_s3_copy",
    "aws_records": "clouds:aws_records",
    "aws_ssm": "clouds:aws_ssm",
    "aws_sql": "clouds:sql",
    "aws_command": "clouds:aws_command",
    "gcloud_ssh": "clouds:gcloud_ssh",
    "to_stdout": "clouds:to_stdout",
    "bq_query": "clouds:sql",
    "az_credentials": "clouds:az_credentials",
    "az_rest": "clouds:az_rest",
    "az_invoke": "clouds:az_invoke",
    "forge_api": "clouds:forge_api",
    "vault_read": "hashicorp:vault_read",
    "consul_lock": "hashicorp:consul_lock",
    "consul_watch": "hashicorp:consul_watch",
    "nomad_exec": "hashicorp:nomad_exec",
    "ansible": "configuring:ansible",
    "ansible_inventory": "configuring:inventory",
    "salt": "configuring:salt",
    "docker_cp": "moving:docker",
    "kafka": "moving:kafka",
    "kcat": "moving:kcat",
    "plugin": "nested:plugin",
    "kubectl": "nested:kubectl",
    "inner_kubectl": "nested:inner_kubectl",
    "git_settings": "versioning:settings",
    "git_transport": "versioning:transport",
    "git_grep": "versioning:pager",
    "git_difftool": "versioning:tool",
    "git_rebase": "versioning:executed",
    "git_branch": "versioning:branch",
    "git_tag": "versioning:tag",
    "git_checkout": "versioning:checkout",
    "git_restore": "versioning:restore",
    "git_config": "versioning:config",
    "git_filters": "versioning:filtered",
    "service": "services:service",
    "dbus": "services:dbus",
    "unit_properties": "services:unit_properties",
}
"""The module and function of each judge."""


@functools.cache
def language(name: str) -> Language:
    """Return the judge of a language.

    Raises:
        ConfigError: A rule names one that isn't there.
    """
    place = JUDGES.get(name)
    if place is None:
        raise ConfigError(f"no judge is called {name!r}", remedy=f"one of {', '.join(JUDGES)}")
    module, _, function = place.partition(":")
    judge: Language = getattr(import_module(f"{PACKAGE}.{module}"), function)
    return judge
