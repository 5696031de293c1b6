"""CanonicalizeHostname: a short name completed by the domains that the configuration names."""

from __future__ import annotations

import asyncio
import socket

from cockpit.errors import HostUnreachable
from cockpit.ssh.config.matching import fits_list
from cockpit.ssh.config.reader import Reader

_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}


def enabled(reader: Reader) -> bool:
    """Tell whether names are completed, and the files read again for what they then are."""
    return reader.one("canonicalizehostname", "no") != "no"


async def canonical(host: str, reader: Reader) -> str:
    """Return a host's complete name, or the same one where it is none of those that are completed.

    Raises:
        HostUnreachable: No domain knows it, and CanonicalizeFallbackLocal is `no`.
    """
    wanted = reader.one("canonicalizehostname", "no")
    direct = all(reader.one(name, "none").lower() == "none" for name in ("proxycommand", "proxyjump"))
    if wanted == "no" or _address(host) or not (direct or wanted == "always"):
        return host
    dots = int(reader.one("canonicalizemaxdots", "1"))
    if host.endswith("."):
        tried = [host]
    elif host.count(".") > dots:
        return await _followed(host, reader)
    else:
        domains = reader.said["canonicaldomains"][0].words if "canonicaldomains" in reader.said else ()
        tried = [] if domains[:1] == ("none",) else [f"{host}.{domain}." for domain in domains]
    for full in tried:
        known, alias = await _looked_up(full, reader)
        if known:
            return _permitted(full.removesuffix("."), alias, reader)
    if reader.one("canonicalizefallbacklocal", "yes") == "no":
        raise HostUnreachable(
            "its name is unknown in all of CanonicalDomains",
            where=host,
            remedy="give its whole name, or add its domain; CanonicalizeFallbackLocal is no",
        )
    return await _followed(host, reader)


async def _followed(host: str, reader: Reader) -> str:
    """Return what a name is an alias of, where CanonicalizePermittedCNAMEs lets that count."""
    if "canonicalizepermittedcnames" not in reader.said:
        return host
    _, alias = await _looked_up(host, reader)
    return _permitted(host, alias, reader)


def _permitted(host: str, alias: str, reader: Reader) -> str:
    rules = reader.said.get("canonicalizepermittedcnames")
    for rule in rules[0].words if rules and alias and alias != host else ():
        sources, colon, targets = rule.lower().partition(":")
        if colon and fits_list(host.lower(), sources) and fits_list(alias.lower(), targets):
            return alias
    return host


async def _looked_up(name: str, reader: Reader) -> tuple[bool, str]:
    """Return whether the resolver knows a name, and the name that it is an alias of."""
    family = _FAMILIES.get(reader.one("addressfamily"), socket.AF_UNSPEC)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            name, None, family=family, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME
        )
    except (OSError, UnicodeError):
        return False, ""
    return True, found[0][3].removesuffix(".").lower()


def _address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
