"""The hops that are in use, one connection each, shared by every way that leads over them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cockpit.ssh.asking import Asker
from cockpit.ssh.hop import Hop, HopStatus
from cockpit.ssh.route import Route

Find = Callable[[str], Awaitable[Route]]
"""Returns the way to a target by its name; raises CockpitError where there is none."""

Key = tuple[object, ...]


class Pool:
    """Hops by where they lead. Belongs to the connections' loop."""

    def __init__(self, find: Find, asker: Asker, changed: Callable[[], None] = lambda: None) -> None:
        self._find = find
        self._asker = asker
        self._changed = changed
        self._hops: dict[Key, Hop] = {}

    async def hop(self, host: str) -> Hop:
        """Return the last hop of the way to a target; it is connected when it is first used.

        Raises:
            CockpitError: No way leads there.
        """
        before: Hop | None = None
        key: Key = ()
        for config in await self._find(host):
            key = (
                key,
                config.user,
                config.hostname,
                config.port,
                config.host_key_alias,
                config.proxy_command,
            )
            if key not in self._hops:
                self._hops[key] = Hop(config, before, self._asker, self._changed)
            before = self._hops[key]
        assert before is not None
        return before

    def statuses(self) -> tuple[HopStatus, ...]:
        """Return how each hop is doing, those nearer to us first."""
        return tuple(hop.status() for hop in self._hops.values())

    async def close(self) -> None:
        """Close all, the farthest first."""
        for hop in reversed(self._hops.values()):
            await hop.close()
        self._hops.clear()
