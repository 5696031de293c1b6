"""Where a command lands, and how careful to be there."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from fnmatch import translate
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from cockpit.errors import UsageError
from cockpit.naming import address_fault, name_fault, user_fault


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

LOCAL = "local"
"""The target that is this machine, and the transport that reaches it."""
SSH = "ssh"
"""The transport that reaches hosts."""
GROUP = "group"
"""Stands in for a transport where a target is several hosts; a command for it goes to each of its members."""
ALL = "all"
"""The group of every host that is known."""
MARK = "@"
"""What a group's name is written with, as no host's name begins so."""
OWN_FILE = "cockpit.toml"
"""Where a host is known from that a rule names in full."""


class Target(Struct, frozen=True, kw_only=True):
    """A place where commands land: this machine, a host, a group of hosts, or a source that offers actions."""

    name: str
    environment: Environment = Environment.PRODUCTION
    transport: str = LOCAL
    """Which transport carries commands there: `local`, `ssh`, `source`; `group` for a name of several hosts."""
    via: str = ""
    host: str = ""
    """What ssh is asked for: an address, or a name of ssh_config. Empty where that is the target's own name."""
    user: str = ""
    """As whom; empty for whom ssh_config says."""
    port: int = 0
    """On which port; 0 for what ssh_config says."""
    groups: tuple[str, ...] = ()
    forward_agent: bool = False
    named: bool = True
    """False where nothing named it, and it is production for that reason alone."""
    known_from: tuple[str, ...] = ()
    """What knows the host: inventories, and cockpit.toml; empty for a name that nothing knows."""


class TargetRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[targets]]` table of cockpit.toml."""

    name: str
    """A name, a shell pattern, or `@` and a group of an inventory; the first rule that fits a target decides."""
    environment: Environment = Environment.PRODUCTION
    """How careful to be there."""
    via: str = ""
    """The target through which it is reached; empty for none."""
    host: str = ""
    """The address, or the name in ssh_config, where that is not the target's own name."""
    user: str = ""
    """Whom to log in as, over ssh_config."""
    port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    """The port, over ssh_config; 0 for what that says."""
    groups: tuple[str, ...] = ()
    """Groups that it belongs to, beside those of inventories."""
    forward_agent: bool = False
    """Whether your SSH agent may be used from there, whatever ssh_config says."""

    def __post_init__(self) -> None:
        for text, what in _faults(self):
            if text:
                raise ValueError(f"{what} {text}")


def _faults(rule: TargetRule) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each part of a rule, empty where nothing is, and how to call that part."""
    yield "" if rule.name.strip() else "is empty", "`name`"
    yield address_fault(rule.host) if rule.host else "", "`host`"
    yield user_fault(rule.user) if rule.user else "", "`user`"
    yield name_fault(rule.via) if rule.via else "", "`via`"
    for group in rule.groups:
        yield name_fault(group), f"the group {group!r}"
    if rule.via and rule.via == rule.name:
        yield f"names {rule.via} itself; name the host before it", "`via`"
    if rule.via == LOCAL:
        yield "is this machine, from which every way begins; leave it out", "`via`"
    if rule.host and is_collective(rule.name):
        yield "would make one machine of all that the name fits", "`host`"
    if rule.name == LOCAL and (rule.via or rule.host or rule.user or rule.port or rule.forward_agent):
        yield "is this machine: `via`, `host`, `user`, `port` and `forward_agent` are for others", "`local`"


class Host(Struct, frozen=True, kw_only=True):
    """What inventories say of one host; `Targets` makes a target of it.

    Attributes:
        environment: None where they say nothing of it.
        known_from: The inventories that name it.
    """

    name: str
    host: str = ""
    user: str = ""
    port: int = 0
    via: str = ""
    groups: tuple[str, ...] = ()
    environment: Environment | None = None
    known_from: tuple[str, ...] = ()


class Targets:
    """Resolve a target's name to a target by the configured rules, first match first, and by what inventories say.

    Args:
        rules: The `[[targets]]` of cockpit.toml.
        apart: Names that are no hosts though a rule may name them: those of sources.

    Attributes:
        version: Moves whenever something was learned.
    """

    def __init__(self, rules: tuple[TargetRule, ...] = (), *, apart: Collection[str] = ()) -> None:
        self.rules = rules
        self._fits = tuple((rule, _fit(rule)) for rule in rules)
        self._apart = frozenset(apart)
        self.version = 0
        self._known = self._learned((), complete=False)

    def learn(self, hosts: Iterable[Host], *, complete: bool = True) -> None:
        """Take over what inventories say now. Takes 0.2 s for 10,000 hosts: call it from a thread of its own.

        Args:
            hosts: All that they name.
            complete: Whether all have answered; until then, a rule for a group holds for whatever may be in it.
        """
        self._known = self._learned(hosts, complete=complete)
        self.version += 1

    def resolve(self, name: str) -> Target:
        """Return the target of that name; named by nothing, it is production.

        Only `local` is reached by the local transport: what is meant for another machine never runs on this one.
        """
        known = self._known
        if name in known.hosts:
            return known.hosts[name]
        if name.startswith(MARK):
            return known.together.get(name) or _together(name, ())
        return self._target(Host(name=name), complete=known.complete)

    def choose(self, name: str) -> Target:
        """Return the target that an operator names: one host, or several as one target of the worst environment.

        Raises:
            UsageError: It is no name, or stands for no host.
        """
        members = self.members(name)
        if len(members) == 1 and not is_collective(name):
            return members[0]
        return _together(name, members)

    def again(self, name: str) -> Target:
        """Return what a name that was chosen before stands for now; by now that may be no host at all."""
        try:
            return self.choose(name)
        except UsageError:
            return _together(name, ())

    def members(self, name: str) -> tuple[Target, ...]:
        """Return the hosts that a name stands for, each once, in the order of their names within each part.

        Args:
            name: A host; `@` and a group; `@all`; a shell pattern, for the known hosts that it matches; or several of
                these with commas between them, of which those after a `!` are left out. A plain name stands for
                itself whether it is known or not, as ssh_config and DNS know more.

        Raises:
            UsageError: A part is no name, or stands for nothing; nothing is left.
        """
        parts = [part.strip() for part in name.split(",")]
        found: dict[str, Target] = {}
        for part in parts:
            if not part.startswith("!"):
                found.update((target.name, target) for target in self._part(part))
        for part in parts:
            if part.startswith("!"):
                left_out = [target.name for target in self._part(part[1:])]
                if not found.keys() & set(left_out) and not is_collective(part[1:]):
                    raise UsageError(
                        f"{part!r} leaves out what is not among them", remedy=self.nearest(part[1:])
                    )
                for member in left_out:
                    found.pop(member, None)
        if not found:
            raise UsageError(f"{name!r} leaves no host", remedy="name one that is not left out")
        return tuple(found.values())

    def names_of(self, name: str) -> tuple[str, ...]:
        """Return the names of the hosts that a name stands for, as `members` finds them."""
        return tuple(target.name for target in self.members(name))

    def is_known(self, name: str) -> bool:
        """Whether a rule or an inventory names that host, or it is this machine."""
        return name in self._known.hosts

    def names(self) -> Sequence[str]:
        """Return all that can be named: this machine, groups with their mark, and hosts, each part in order."""
        return self._known.names

    def listing(self) -> Sequence[Target]:
        """Return a target for each of `names`, those of groups as grave as the gravest of their members."""
        return self._known.listing

    def hosts(self) -> Sequence[Target]:
        """Return every host that is known, in the order of their names; this machine is not among them."""
        return self._known.groups[ALL]

    def groups(self) -> Mapping[str, Sequence[Target]]:
        """Return the groups by name, without their mark, and who is in each."""
        return self._known.groups

    def worst(self) -> Target | None:
        """Return the configured target that asks for most care, or None where none is configured."""
        ranked = sorted(self.rules, key=lambda rule: -rule.environment.rank)
        if not ranked:
            return None
        return Target(name=ranked[0].name, environment=ranked[0].environment, via=ranked[0].via)

    def meant(self, told: str) -> str:
        """Return the known host that telemetry calls so, or an empty string: by its whole or its first name.

        Args:
            told: A host's name as a signal has it, with a port or without.
        """
        name = told.rpartition(":")[0] if told.count(":") == 1 else told
        for each in (told, name, name.partition(".")[0]):
            if each in self._known.hosts:
                return each
        return ""

    def nearest(self, name: str) -> str:
        """Return a remedy: the nearest name that is known, else how to learn them."""
        from difflib import get_close_matches

        alike = [
            each for each in self._known.names if each[:1] == name[:1] and abs(len(each) - len(name)) < LIKE
        ]
        near = get_close_matches(name, alike[:MOST_COMPARED], n=1, cutoff=0.6)
        if near:
            return f"did you mean {near[0]}?"
        shown = ", ".join(self._known.names[:MOST_NAMED])
        more = len(self._known.names) - MOST_NAMED
        return f"known are {shown}{f' and {more:,} more: cockpit targets' if more > 0 else ''}"

    def _part(self, part: str) -> Iterable[Target]:
        known = self._known
        if part.startswith(MARK):
            if not known.groups.get(part[1:]):
                raise UsageError(f"no host is in a group {part!r}", remedy=self.nearest(part))
            return known.groups[part[1:]]
        if is_pattern(part):
            matches = re.compile(translate(part)).match
            matched = [target for target in known.groups[ALL] if matches(target.name)]
            if not matched:
                raise UsageError(f"no known host matches {part!r}", remedy=self.nearest(part))
            return matched
        if fault := name_fault(part):
            raise UsageError(f"the target {part!r} {fault}", remedy=self.nearest(part))
        return (self.resolve(part),)

    def _target(self, host: Host, *, complete: bool) -> Target:
        """Return a target by the first rule that fits; what that leaves open, inventories say."""
        rule, unsure = None, [Environment.DEVELOPMENT]
        for each, fits in self._fits:
            if fits(host):
                rule = each
                break
            if not complete and each.name.startswith(MARK) and host.name != LOCAL:
                unsure.append(each.environment)
        groups = tuple(dict.fromkeys((*(rule.groups if rule else ()), *host.groups)))
        given = rule.environment if rule else host.environment
        gravest = max((given or Environment.PRODUCTION, *unsure), key=lambda each: each.rank)
        via = (rule.via if rule else "") or host.via
        return Target(
            name=host.name,
            environment=gravest,
            transport=LOCAL if host.name == LOCAL else SSH,
            via=via if via != host.name else "",
            host=(rule.host if rule else "") or host.host,
            user=(rule.user if rule else "") or host.user,
            port=(rule.port if rule else 0) or host.port,
            groups=groups,
            forward_agent=rule.forward_agent if rule else False,
            named=given is not None,
            known_from=host.known_from,
        )

    def _learned(self, hosts: Iterable[Host], *, complete: bool) -> _Known:
        found = {
            rule.name: Host(name=rule.name, known_from=(OWN_FILE,))
            for rule in self.rules
            if not is_collective(rule.name) and rule.name not in self._apart and not name_fault(rule.name)
        }
        found.pop(LOCAL, None)
        for host in hosts:
            if host.name == LOCAL or name_fault(host.name):
                continue
            own = found[host.name].known_from if host.name in found else ()
            found[host.name] = _with(host, own)
        targets = {name: self._target(found[name], complete=complete) for name in sorted(found)}
        groups: dict[str, list[Target]] = {}
        for target in targets.values():
            for group in target.groups:
                groups.setdefault(group, []).append(target)
        groups[ALL] = list(targets.values())
        here = self._target(Host(name=LOCAL), complete=complete)
        return _Known({LOCAL: here, **targets}, groups, complete)


class _Known:
    """What is known at one moment; never changed, so that any thread may read it."""

    def __init__(
        self, hosts: Mapping[str, Target], groups: Mapping[str, Sequence[Target]], complete: bool
    ) -> None:
        self.hosts = hosts
        self.groups = groups
        self.complete = complete
        self.together = {MARK + group: _together(MARK + group, groups[group]) for group in sorted(groups)}
        self.listing = (hosts[LOCAL], *self.together.values(), *groups[ALL])
        self.names = tuple(target.name for target in self.listing)


def _together(name: str, members: Sequence[Target]) -> Target:
    """Return several hosts as one target, as grave as the gravest of them; none is production."""
    if not members:
        return Target(name=name, transport=GROUP, named=False)
    gravest = max(members, key=lambda each: (each.environment.rank, not each.named))
    return Target(name=name, environment=gravest.environment, transport=GROUP, named=gravest.named)


MOST_NAMED = 8
"""Names that a remedy lists."""
MOST_COMPARED = 250
"""Names that are compared with one that isn't known: of 10,000 that would take a third of a second."""
LIKE = 4
"""Letters that a name may have more or less than one that it is meant for."""


def is_pattern(name: str) -> bool:
    """Whether a name is a shell pattern."""
    return not set("*?[").isdisjoint(name)


def is_collective(name: str) -> bool:
    """Whether a name is a pattern, a group or a list: what may stand for several hosts."""
    return name.startswith((MARK, "!")) or "," in name or is_pattern(name)


def _fit(rule: TargetRule) -> Callable[[Host], object]:
    """Return what tells whether a rule fits a host; groups are those of inventories, as rules give groups too."""
    if rule.name.startswith(MARK):
        group = rule.name[len(MARK) :]
        return lambda host: (
            host.name != LOCAL and (group in host.groups or (group == ALL and host.known_from))
        )
    matches = re.compile(translate(rule.name)).match
    return lambda host: matches(host.name)


def _with(host: Host, own: tuple[str, ...]) -> Host:
    return replace(host, known_from=(*own, *host.known_from)) if own else host
