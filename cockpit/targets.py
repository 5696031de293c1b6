"""Where a command lands, and how careful to be there."""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct


class Environment(StrEnum):
    """How much a mistake costs. What no rule names counts as production."""

    PRODUCTION = "production"
    DISASTER_RECOVERY = "disaster-recovery"
    STAGING = "staging"
    DEVELOPMENT = "development"

    @property
    def rank(self) -> int:
        """3 for production down to 0 for development."""
        return _RANK[self]


_RANK = {
    Environment.PRODUCTION: 3,
    Environment.DISASTER_RECOVERY: 2,
    Environment.STAGING: 1,
    Environment.DEVELOPMENT: 0,
}


class Target(Struct, frozen=True, kw_only=True):
    """A place where commands land: this machine, a host, a cluster, or a source that offers actions."""

    name: str
    environment: Environment = Environment.PRODUCTION
    transport: str = "local"
    """Which transport carries commands there: `local`, `source`; `ssh` and others come with their rooms."""
    via: str = ""
    named: bool = True
    """False where no rule named it, and it is production for that reason alone."""


class TargetRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[targets]]` table of cockpit.toml."""

    name: str
    """A name or a shell pattern; the first rule that fits a target's name decides."""
    environment: Environment = Environment.PRODUCTION
    """How careful to be there."""
    via: str = ""
    """The target through which it is reached; empty for none."""


LOCAL = "local"
"""The target that is this machine, and the transport that reaches it."""


class Targets:
    """Resolve a target's name to a target by the configured rules, first match first."""

    def __init__(self, rules: tuple[TargetRule, ...] = ()) -> None:
        self.rules = rules

    def resolve(self, name: str) -> Target:
        """Return the target of that name; unnamed by any rule, it is production.

        Only `local` is reached by the local transport: what is meant for another machine never runs on this one.
        """
        transport = LOCAL if name == LOCAL else "ssh"
        for rule in self.rules:
            if fnmatchcase(name, rule.name):
                return Target(name=name, environment=rule.environment, transport=transport, via=rule.via)
        return Target(name=name, transport=transport, named=False)

    def worst(self) -> Target | None:
        """Return the configured target that asks for most care, or None where none is configured."""
        ranked = sorted(self.rules, key=lambda rule: -rule.environment.rank)
        if not ranked:
            return None
        return Target(name=ranked[0].name, environment=ranked[0].environment, via=ranked[0].via)
