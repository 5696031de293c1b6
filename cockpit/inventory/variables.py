"""The variables of an Ansible inventory that say how a host is reached; all others are left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

HOST = ("ansible_ssh_host", "ansible_host")
USER = ("ansible_ssh_user", "ansible_user")
PORT = ("ansible_ssh_port", "ansible_port")
CONNECTION = "ansible_connection"
PRIORITY = "ansible_group_priority"
WANTED = frozenset((*HOST, *USER, *PORT, CONNECTION, PRIORITY))
BY_SSH = frozenset(("", "ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh"))
"""Values of `ansible_connection` for hosts that SSH reaches."""

Variables = dict[str, str]


def kept(raw: Mapping[object, object]) -> Variables:
    """Return the variables that are wanted, as text; what is no plain value is as if it weren't there."""
    found: Variables = {}
    for name in WANTED & raw.keys():
        value = raw[name]
        if isinstance(value, str | int) and not isinstance(value, bool):
            found[str(name)] = str(value)
    return found


def first(variables: Variables, names: Sequence[str]) -> str:
    """Return the first of some variables that says something."""
    return next((variables[name] for name in names if variables.get(name)), "")


def is_template(value: str) -> bool:
    """Whether a value has to be worked out by Ansible first."""
    return "{{" in value or "{%" in value
