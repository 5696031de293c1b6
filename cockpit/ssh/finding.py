"""Finds the way to a target: its rule's `via`, and ssh_config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.ssh.config import resolve
from cockpit.ssh.host_config import HostConfig, Jump
from cockpit.ssh.route import Route, route
from cockpit.targets import Targets

if TYPE_CHECKING:
    from cockpit.config import Settings


class Finder:
    """Finds ways by the configuration's targets and ssh_config."""

    def __init__(self, settings: Settings) -> None:
        self._targets = Targets(settings.targets)
        self._files = [Path(settings.ssh.config)] if settings.ssh.config else None

    async def __call__(self, name: str) -> Route:
        """Return the way to a target.

        Raises:
            ConfigError: ssh_config is wrong.
            UsageError: The way never ends.
        """
        return await route(name, self._resolve, via=self._targets.resolve(name).via)

    async def _resolve(self, jump: Jump) -> HostConfig:
        return await resolve(jump.host, files=self._files, user=jump.user, port=jump.port)
