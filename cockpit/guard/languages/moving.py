"""Copies out of containers, and message brokers: what the operands and modes say is moved where."""

from __future__ import annotations

from cockpit.actions.command import Risk
from cockpit.guard.call import Call
from cockpit.guard.findings import Finding


def docker(call: Call) -> list[Finding]:
    """Judge `docker cp FROM TO`: to `-` it prints an archive."""
    operands = call.parts.operands
    if len(operands) == 2 and operands[1].text == "-" and operands[0].text != "-":
        return [call.finding(Risk.READ, "prints an archive of files")]
    return [call.finding(Risk.CHANGE, "copies files into or out of a container")]


_ACTIONS = (
    "--list", "--describe", "--validate-regex", "--reset-offsets", "--create", "--alter", "--delete", "--add",
    "--remove", "--delete-offsets", "--generate", "--verify", "--execute", "--cancel", "--renew", "--expire",
)  # fmt: skip


def kafka(call: Call) -> list[Finding]:
    """Judge a Kafka tool that does what an option says: with no action among its options it isn't known."""
    if call.has(*_ACTIONS):
        return [call.finding(Risk.READ, "shows what there is")]
    return [call.finding(Risk.UNKNOWN, "names no action")]


def kcat(call: Call) -> list[Finding]:
    """Judge `kcat`: with no mode it consumes where it is at a terminal, else it sends what it reads."""
    if call.has("-C", "-L", "-Q", "-V", "-h", "-P", "-G"):
        return [call.finding(Risk.READ, "shows messages or the cluster")]
    return [call.finding(Risk.CHANGE, "may send messages")]
