"""Finds the way to a target: what its rule and the inventories say, and ssh_config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cockpit.errors import UsageError
from cockpit.ssh.config import resolve
from cockpit.ssh.host_config import HostConfig, Jump
from cockpit.ssh.route import LONGEST, Route, route
from cockpit.targets import Targets

if TYPE_CHECKING:
    from cockpit.config import Settings


class Finder:
    """Finds ways by the configuration's targets and ssh_config.

    Args:
        settings: Name the targets and the ssh_config to read.
        targets: The targets as inventories know them; without, what cockpit.toml says of them.

    Attributes:
        files: The files to read in place of OpenSSH's own; None for those.
    """

    def __init__(self, settings: Settings, targets: Targets | None = None) -> None:
        self._targets = targets or Targets(settings.targets)
        self.files = [Path(settings.ssh.config)] if settings.ssh.config else None

    async def __call__(self, name: str) -> Route:
        """Return the way to a target; the agent goes along only where a rule lets it.

        Raises:
            ConfigError: ssh_config is wrong.
            UsageError: The way never ends.
        """
        return await self._way(name, ())

    def asked(self, name: str) -> Jump:
        """Return whom ssh_config is asked about for a target."""
        target = self._targets.resolve(name)
        return Jump(host=target.host or name, user=target.user, port=target.port)

    async def _way(self, name: str, behind: tuple[str, ...]) -> Route:
        if name in behind or len(behind) >= LONGEST:
            raise UsageError(
                f"the way never ends: {' <- '.join((*behind, name))}",
                where=behind[0],
                remedy="mend `via` in cockpit.toml or in the inventory",
            )
        target, to = self._targets.resolve(name), self.asked(name)
        if target.via:
            before = await self._way(target.via, (*behind, name))
            config = await self._resolve(to)
        else:
            *jumps, config = await route(to.host, self._resolve, user=to.user, port=to.port)
            before = tuple(replace(jump, forward_agent="") for jump in jumps)
        agent = (config.forward_agent or "yes") if target.forward_agent else ""
        return (*before, replace(config, name=name, forward_agent=agent))

    async def _resolve(self, jump: Jump) -> HostConfig:
        return await resolve(jump.host, files=self.files, user=jump.user, port=jump.port)
