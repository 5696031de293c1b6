"""What the guard found in a command: a risk a part, with the reason in plain words."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from cockpit.actions.command import Risk

PART = 80
"""Characters of a command's part that a reason quotes."""
_RANK = {Risk.READ: 0, Risk.UNKNOWN: 1, Risk.CHANGE: 2, Risk.DESTRUCTIVE: 3}


class Finding(Struct, frozen=True, kw_only=True):
    """One part of a command, judged.

    Attributes:
        risk: What that part may do.
        part: The part's own words, such as `kubectl delete pod web-1`.
        why: What it does, in plain words that go after the part.
        undo: How it is undone, where the rule knows; empty otherwise.
        host: Another machine that the part lands on, such as the one of `ssh host …`; empty for the target itself.
        preview: What shows its effect without having it, such as a dry run, as an argv; empty where nothing does.
    """

    risk: Risk
    part: str
    why: str
    undo: str = ""
    host: str = ""
    preview: tuple[str, ...] = ()

    def __str__(self) -> str:
        part = self.part if len(self.part) <= PART else f"{self.part[: PART - 1]}…"
        return f"`{part}` {self.why}"


def rank(risk: Risk) -> int:
    """Return how grave a risk is: read 0, unknown 1, change 2, destructive 3."""
    return _RANK[risk]


def riskiest(findings: Iterable[Finding]) -> Risk:
    """Return the gravest risk among findings; a command in which nothing was found at all is unknown."""
    return max((finding.risk for finding in findings), key=rank, default=Risk.UNKNOWN)


def about(risk: Risk, part: str, why: str) -> Finding:
    """Return a finding about a part that may stand on several lines."""
    return Finding(risk=risk, part=" ".join(part.split()), why=why)
