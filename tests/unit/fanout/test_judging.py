"""A command on several hosts is judged by the host that asks for most care, and what is given once holds for each."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cockpit.actions.command import Command, Kind, Risk, on_member
from cockpit.errors import UsageError
from cockpit.fanout.judging import MOST, GroupJudge, PartOf, on_all
from cockpit.guard.approval import Grant, digest
from cockpit.guard.guard import Guard
from cockpit.guard.judge import Decision
from cockpit.targets import Environment, Target, TargetRule, Targets
from tests.helpers.many_hosts import hosts, line

PRODUCTION, STAGING = Environment.PRODUCTION, Environment.STAGING
RULES = (TargetRule(name="db-prod", environment=PRODUCTION), TargetRule(name="build", environment=STAGING))


def judge(*, elevated: bool = True, granted: Grant | None = None) -> GroupJudge:
    guard = Guard(
        Targets(RULES),
        elevated=lambda: elevated,
        granted=lambda command: granted if granted and granted.covers(command, 0) else None,
    )
    return GroupJudge(guard)


def test_the_worst_environment_decides_and_the_groups_name_is_typed() -> None:
    members = [*hosts(2), *hosts(1, STAGING, name="stage"), *hosts(1, PRODUCTION, name="prod")]
    judged = judge(elevated=False).assess(line("systemctl restart nginx", members))
    assert (judged.environment, judged.place, judged.decision) == (PRODUCTION, "@web", Decision.CONFIRM)
    assert judged.requires == ("confirmation", "target-name", "elevation")
    assert judged.reasons[0] == "4 hosts (1 production, 1 staging, 2 development): web-[1-2],stage-1,prod-1"
    assert "--confirm @web" in judged.remedy


def test_the_name_of_all_typed_is_that_of_each() -> None:
    members = [*hosts(2), *hosts(2, PRODUCTION, name="prod")]
    command = line("systemctl restart nginx", members, typed="@web")
    assert judge().assess(command).decision is Decision.RUN
    make = judge().maker(command)
    each = [make(member) for member in members]
    assert [command.typed for command in each] == [member.name for member in members]
    assert {judge().assess(command).decision for command in each} == {Decision.RUN}
    assert all(command.kind is Kind.COMMAND and not command.members for command in each)


@pytest.mark.parametrize("typed", ["", "web-1", "prod-1", "@all"])
def test_another_name_typed_lets_nothing_run(typed: str) -> None:
    members = [*hosts(1), *hosts(2, PRODUCTION, name="prod")]
    command = line("systemctl restart nginx", members, typed=typed)
    assert judge().assess(command).decision is Decision.CONFIRM
    refused = [judge().assess(judge().maker(command)(member)).decision for member in members[1:]]
    assert Decision.CONFIRM in refused


def test_what_lands_on_something_worse_besides_has_that_typed() -> None:
    command = line("ssh db-prod systemctl restart postgresql", hosts(3))
    judged = judge().assess(command)
    assert (judged.environment, judged.place) == (PRODUCTION, "db-prod")
    assert judge().assess(replace(command, typed="@web")).decision is Decision.CONFIRM
    typed = replace(command, typed="db-prod")
    assert judge().assess(typed).decision is Decision.RUN
    assert judge().assess(judge().maker(typed)(hosts(3)[0])).decision is Decision.RUN


def test_reading_needs_nothing_anywhere() -> None:
    judged = judge(elevated=False).assess(line("uptime", hosts(3, PRODUCTION)))
    assert (judged.risk, judged.decision, judged.requires) == (Risk.READ, Decision.RUN, ())


def test_destruction_in_production_needs_a_second_person_for_the_very_hosts() -> None:
    members = hosts(3, PRODUCTION)
    command = replace(line("rm -rf /srv/data", members, typed="@web"), break_glass=True, approval="R")
    assert judge().assess(command).decision is Decision.APPROVE
    grant = Grant(
        request="R",
        approver="bo",
        digest=digest(command),
        expires_ns=1,
        members=frozenset(digest(on_member(command, member)) for member in members),
    )
    assert judge(granted=grant).assess(command).decision is Decision.RUN
    more = line("rm -rf /srv/data", hosts(4, PRODUCTION), typed="@web")
    assert (
        judge(granted=grant).assess(replace(more, break_glass=True, approval="R")).decision
        is not Decision.RUN
    )
    assert digest(command) != digest(replace(command, members=command.members[:2]))


def test_a_digest_of_a_command_on_one_target_is_what_it_always_was() -> None:
    command = Command(argv=("true",), target=Target(name="x"), actor="a")
    assert digest(command) == "0e5fa09f6ffd550fa42eea58a9bbd262d387391d59fa01a498cf6f5b65821e5f"


def test_a_part_says_of_what_it_is_part() -> None:
    judged = PartOf(judge(), "01ABC", "@web").assess(on_member(line("true", hosts(2)), hosts(2)[0]))
    assert judged.reasons[-1] == "part of 01ABC on @web"


def test_too_many_hosts_are_no_fan_out() -> None:
    members = hosts(1) * (MOST + 1)
    with pytest.raises(UsageError, match="10,001 hosts"):
        on_all(Command(argv=("true",), target=members[0], actor="a"), "@all", members)
