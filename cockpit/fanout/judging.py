"""Judges a command on several hosts: each where it lands, and all by the one that asks for most care.

Hosts that stand alike are judged alike, so one of a kind speaks for the others; what runs on each host is judged once
more by itself before it starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from cockpit.actions.command import Command, Kind, Risk, on_member
from cockpit.errors import UsageError
from cockpit.fanout.fold import folded
from cockpit.guard.judge import Assessment, Decision, Judge
from cockpit.guard.policy import Need, remedies
from cockpit.targets import GROUP, Environment, Target

MOST = 10_000
"""Hosts of one fan-out."""
_GRAVITY = (Risk.READ, Risk.CHANGE, Risk.UNKNOWN, Risk.DESTRUCTIVE)
_Kind = tuple[Environment, bool, str]
"""Where a host stands: its environment, whether something names it, and its own name where that matters."""


def on_all(command: Command, name: str, members: Sequence[Target]) -> Command:
    """Return a command on several hosts.

    Args:
        command: What is to run; its target does not matter.
        name: What the operator calls them, such as `@web`.
        members: The hosts.

    Raises:
        UsageError: They are too many.
    """
    if len(members) > MOST:
        raise UsageError(f"{name} is {len(members):,} hosts", remedy=f"at most {MOST:,} at once")
    gravest = max(members, key=lambda each: (each.environment.rank, not each.named))
    target = Target(name=name, environment=gravest.environment, transport=GROUP, named=gravest.named)
    return replace(command, target=target, members=tuple(members), kind=Kind.FAN_OUT)


class GroupJudge:
    """Judges what lands on several hosts; whatever lands on one is left to another judge."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def assess(self, command: Command) -> Assessment:
        """Judge a command; never runs anything."""
        if not command.members:
            return self._judge.assess(command)
        kinds, name = self._kinds(command)
        judged = list(kinds.values())
        if command.typed:
            make = self._maker(command, kinds, name)
            judged = [self._judge.assess(make(one)) for one in _one_of_each(command).values()]
        gravest = max(judged, key=_care)
        requires = tuple(
            sorted(
                {need for each in judged for need in each.requires},
                key=lambda each: (_asked_when(each), each),
            )
        )
        return replace(
            gravest,
            risk=max((each.risk for each in judged), key=_GRAVITY.index),
            decision=_decision(judged, requires),
            reasons=(_where(command), *dict.fromkeys(reason for each in judged for reason in each.reasons)),
            requires=requires,
            place=name,
            preview=(),
            remedy="; ".join(dict.fromkeys(remedies(_needs(requires), name))),
        )

    def maker(self, command: Command) -> Callable[[Target], Command]:
        """Return what makes of a command on several hosts that on one of them, with what the operator gave for all.

        Who typed the name of all of them has typed that of each.
        """
        return self._maker(command, *self._kinds(command))

    def _kinds(self, command: Command) -> tuple[dict[_Kind, Assessment], str]:
        """Judge one host of each kind as if no name was typed yet; return that, and the name that is to be typed.

        That is what the operator calls all of them, unless the command lands on something worse besides.
        """
        nameless = replace(command, typed="")
        judged = {
            kind: self._judge.assess(on_member(nameless, one)) for kind, one in _one_of_each(command).items()
        }
        place = max(judged.values(), key=_care).place
        return judged, command.target.name if place in {each.name for each in command.members} else place

    @staticmethod
    def _maker(command: Command, kinds: dict[_Kind, Assessment], name: str) -> Callable[[Target], Command]:
        typed = command.typed == name
        elsewhere = {
            kind: kinds[kind].place
            for kind, one in _one_of_each(command).items()
            if kinds[kind].place != one.name
        }

        def make(member: Target) -> Command:
            place = elsewhere.get(_kind(command, member), member.name) if typed else ""
            return replace(on_member(command, member), typed=place)

        return make


class PartOf:
    """Says of what another judge judges that it is part of a fan-out, so that its record says so."""

    def __init__(self, judge: Judge, action: str, name: str) -> None:
        self._judge = judge
        self._said = f"part of {action} on {name}"

    def assess(self, command: Command) -> Assessment:
        """Judge a command; never runs anything."""
        judged = self._judge.assess(command)
        return replace(judged, reasons=(*judged.reasons, self._said))


def _kind(command: Command, member: Target) -> _Kind:
    # An approval is about named hosts, so that under one each is judged by itself.
    return member.environment, member.named, member.name if command.approval else ""


def _one_of_each(command: Command) -> dict[_Kind, Target]:
    found: dict[_Kind, Target] = {}
    for member in command.members:
        found.setdefault(_kind(command, member), member)
    return found


def _care(judged: Assessment) -> tuple[int, int]:
    return judged.environment.rank, _GRAVITY.index(judged.risk)


def _decision(judged: Sequence[Assessment], requires: tuple[str, ...]) -> Decision:
    decisions = {each.decision for each in judged}
    if Decision.DENY in decisions:
        return Decision.DENY
    if requires == (Need.SECOND_PERSON.value,):
        return Decision.APPROVE
    return Decision.RUN if decisions == {Decision.RUN} else Decision.CONFIRM


def _needs(requires: Iterable[str]) -> tuple[Need, ...]:
    known = {need.value: need for need in Need}
    return tuple(known[need] for need in requires if need in known)


def _asked_when(need: str) -> int:
    order = [each.value for each in Need]
    return order.index(need) if need in order else len(order)


def _where(command: Command) -> str:
    count = Counter(member.environment for member in command.members)
    environments = ", ".join(f"{count[each]} {each}" for each in Environment if count[each])
    hosts = "1 host" if len(command.members) == 1 else f"{len(command.members):,} hosts"
    return f"{hosts} ({environments}): {folded(member.name for member in command.members)}"
