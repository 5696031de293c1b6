"""The hops that are in use, one connection each, shared by every way that leads over them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cockpit.ssh.asking import Asker
from cockpit.ssh.hop import Hop
from cockpit.ssh.route import Route
from cockpit.ssh.status import HopStatus
from cockpit.ssh.times import Times

Find = Callable[[str], Awaitable[Route]]
"""Returns the way to a target by its name; raises CockpitError where there is none."""

Key = tuple[object, ...]


class Pool:
    """Hops by where they lead. Belongs to the connections' loop."""

    def __init__(
        self,
        find: Find,
        asker: Asker,
        changed: Callable[[], None] = lambda: None,
        times: Times | None = None,
    ) -> None:
        self._find = find
        self._asker = asker
        self._changed = changed
        self.times = times or Times()
        self._hops: dict[Key, Hop] = {}
        self._sweeping: asyncio.TimerHandle | None = None

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
                config.forward_agent,
            )
            if key not in self._hops:
                self._hops[key] = Hop(config, before, self._asker, self._changed, self.times)
            before = self._hops[key]
            before.touch()
        if self._sweeping is None:
            self._sweep()
        assert before is not None
        return before

    def _sweep(self) -> None:
        """Forget the hops that nobody wanted for long, the farthest first; and look again later."""
        for key, hop in reversed(tuple(self._hops.items())):
            if hop.idle:
                if hop.before is not None:
                    hop.before.behind.remove(hop)
                del self._hops[key]
                self._changed()
        again = self.times.never_up / 5
        self._sweeping = asyncio.get_running_loop().call_later(again, self._sweep) if self._hops else None

    def statuses(self) -> tuple[HopStatus, ...]:
        """Return how each hop is doing, those nearer to us first."""
        return tuple(hop.status() for hop in self._hops.values())

    async def close(self) -> None:
        """Close all, the farthest first."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        hops, self._hops = tuple(self._hops.values()), {}
        for hop in hops:
            hop.end()
        await asyncio.gather(*(hop.close() for hop in reversed(hops)))
