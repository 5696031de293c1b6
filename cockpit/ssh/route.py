"""The way to a host: the hops before it, outermost first, each with its configuration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cockpit.errors import UsageError
from cockpit.ssh.host_config import HostConfig, Jump

LONGEST = 8
"""Hops of a way; more is a circle."""

Resolve = Callable[[Jump], Awaitable[HostConfig]]
"""Returns a host's configuration, the user and port given overriding it; raises ConfigError."""
Route = tuple[HostConfig, ...]
"""The hops of a way, the host itself last."""


async def route(host: str, resolve: Resolve, *, via: str = "", user: str = "", port: int = 0) -> Route:
    """Return the way to a host.

    As in OpenSSH each jump host's own configuration counts, its own ProxyJump included; of `ProxyJump a,b` host `b`
    is reached through `a` whatever its configuration says.

    Args:
        host: The host's name.
        resolve: Reads its configuration.
        via: The host through which it is reached, whatever its configuration says.
        user: The user on it, over the configuration's.
        port: Its port, over the configuration's.

    Raises:
        UsageError: The way never ends.
        ConfigError: The configuration is wrong.
    """
    jumps = (Jump(host=via),) if via else None
    return await _way(Jump(host=host, user=user, port=port), jumps, resolve, ())


async def _way(to: Jump, jumps: tuple[Jump, ...] | None, resolve: Resolve, behind: tuple[Jump, ...]) -> Route:
    # A host of the same name may be another one, by its user or port; the same way twice is none.
    if len(behind) >= LONGEST or to in behind:
        raise UsageError(
            f"the way never ends: {' <- '.join(each.host for each in (*behind, to))}",
            where=behind[0].host,
            remedy="mend ProxyJump in ssh_config, or `via` in cockpit.toml",
        )
    config = await resolve(to)
    if jumps is None:
        jumps = config.proxy_jump
    if not jumps:
        return (config,)
    before = await _way(jumps[-1], jumps[:-1] or None, resolve, (*behind, to))
    return (*before, config)
