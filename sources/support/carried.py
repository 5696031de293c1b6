"""Carries a source's HTTP requests through its bastion, where it has one: httpx over sockets that `Remote` dials."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from cockpit.source import Source

if TYPE_CHECKING:
    import httpx

    from sources.support.http import TransportFactory


def carried(source: Source[Any]) -> TransportFactory:
    """Return what makes a source's transport: one through its bastion, or httpx's own where there is none.

    Whether there is one is known only once the source is used, so it is looked at then.
    """

    def make(context: ssl.SSLContext) -> httpx.AsyncBaseTransport | None:
        if source.remote is None:
            return None
        from sources.support.tunnel import TunnelTransport

        return TunnelTransport(source.remote, context)

    return make
