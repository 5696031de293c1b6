"""Reads ssh_config as OpenSSH does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cockpit.ssh.host_config import HostConfig, Jump
from cockpit.ssh.openssh import dump


async def resolve(
    host: str, *, files: Sequence[Path] | None = None, user: str = "", port: int = 0
) -> HostConfig:
    """Return what the configuration says about a host.

    Args:
        host: The name as the operator typed it.
        files: The user's and the system's file; None takes OpenSSH's own.
        user: Overrides the configuration, as `ssh -l` does.
        port: Overrides the configuration, as `ssh -p` does.

    Raises:
        ConfigError: A file is wrong.
    """
    arguments = [*(("-F", str(files[0])) if files else ()), *(("-l", user) if user else ())]
    arguments += ["-p", str(port)] if port else []
    said = await dump(host, arguments=arguments)

    def one(name: str, default: str = "") -> str:
        value = said.get(name, [default])[0]
        return "" if value == "none" else value

    def paths(name: str) -> tuple[str, ...]:
        words = [word for line in said.get(name, []) for word in line.split() if word != "none"]
        return tuple(str(Path(word).expanduser()) for word in words)

    return HostConfig(
        name=host,
        hostname=one("hostname", host),
        user=one("user"),
        port=int(one("port", "22")),
        proxy_jump=tuple(_jump(each) for each in one("proxyjump").split(",") if each),
        proxy_command=one("proxycommand"),
        host_key_alias=one("hostkeyalias"),
        user_known_hosts_files=paths("userknownhostsfile"),
        global_known_hosts_files=paths("globalknownhostsfile"),
        identity_files=paths("identityfile"),
        certificate_files=paths("certificatefile"),
        identities_only=one("identitiesonly") == "yes",
        identity_agent=os.environ.get("SSH_AUTH_SOCK", ""),
    )


def _jump(text: str) -> Jump:
    place, _, port = text.rpartition(":") if text.rpartition(":")[2].isdigit() else (text, "", "")
    user, _, host = place.rpartition("@")
    return Jump(host=host.strip("[]"), user=user, port=int(port) if port else 0)
