"""Copies between here and a container, whose operands say what is written."""

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
