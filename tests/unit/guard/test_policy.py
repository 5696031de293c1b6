"""What each environment asks before a risk is taken: the table of the policy, cell by cell."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cockpit.actions.command import Command, Origin, shell_command
from cockpit.guard.approval import Grant
from cockpit.guard.guard import Guard
from cockpit.guard.judge import Assessment, Decision, ReadOnly
from cockpit.guard.policy import Reasons
from cockpit.guard.settings import OwnRule
from cockpit.shells.session import shell_on
from cockpit.targets import Environment, TargetRule, Targets

TARGETS = Targets(tuple(TargetRule(name=each[:3], environment=each) for each in Environment))
GRANT = Grant(request="01X", approver="bob@example.com", digest="", expires_ns=0)
READ, CHANGE, UNKNOWN, DESTROY = "id", "id > made", "no-such-program", "echo x; rm -r data"


def asked(line: str, target: str, **given: object) -> Command:
    return replace(shell_command(line, TARGETS.resolve(target), actor="ann@here"), **given)


def guard(*, elevated: bool = False, approved: bool = False, own: tuple[OwnRule, ...] = ()) -> Guard:
    return Guard(
        TARGETS,
        own=own,
        reasons=Reasons(ticket=r"CHG-\d+", incident=r"INC-\d+"),
        elevated=lambda: elevated,
        granted=lambda _: GRANT if approved else None,
    )


@pytest.mark.parametrize(
    ("line", "target", "decision", "requires"),
    [
        (READ, "dev", "run", ()),
        (CHANGE, "dev", "run", ()),
        (UNKNOWN, "dev", "run", ()),
        (DESTROY, "dev", "confirm", ("confirmation",)),
        (READ, "sta", "run", ()),
        (CHANGE, "sta", "confirm", ("confirmation",)),
        (UNKNOWN, "sta", "confirm", ("confirmation",)),
        (DESTROY, "sta", "confirm", ("target-name",)),
        *[
            row
            for careful in ("pro", "dis", "named-nowhere")
            for row in (
                (READ, careful, "run", ()),
                (CHANGE, careful, "confirm", ("open-reason", "target-name", "elevation")),
                (UNKNOWN, careful, "confirm", ("open-reason", "target-name", "elevation")),
                (
                    DESTROY,
                    careful,
                    "deny",
                    ("break-glass", "open-reason", "target-name", "elevation", "second-person"),
                ),
            )
        ],
    ],
)
def test_the_table(line: str, target: str, decision: str, requires: tuple[str, ...]) -> None:
    got = guard().assess(asked(line, target))
    assert (got.decision, got.requires) == (decision, requires)


@pytest.mark.parametrize(
    ("given", "requires"),
    [
        ({"incident": "INC-7"}, ("target-name", "elevation")),
        ({"ticket": "CHG-7"}, ("target-name", "elevation")),
        ({"ticket": "CHG-7 or so"}, ("open-reason", "target-name", "elevation")),
        ({"incident": "whatever"}, ("open-reason", "target-name", "elevation")),
        ({"reason": "because"}, ("open-reason", "target-name", "elevation")),
        ({"incident": "INC-7", "typed": "dev"}, ("target-name", "elevation")),
        ({"incident": "INC-7", "typed": "pro"}, ("elevation",)),
        ({"incident": "INC-7", "confirmed": True}, ("target-name", "elevation")),
        ({"break_glass": True, "typed": "pro"}, ("open-reason", "elevation")),
    ],
)
def test_what_production_is_given_is_what_it_still_lacks(given: dict[str, object], requires: object) -> None:
    assert guard().assess(asked(CHANGE, "pro", **given)).requires == requires


def test_without_a_pattern_no_ticket_counts() -> None:
    got = Guard(TARGETS, elevated=lambda: True).assess(asked(CHANGE, "pro", ticket="CHG-7", typed="pro"))
    assert got.requires == ("open-reason",)


def test_all_that_production_needs_lets_a_change_run() -> None:
    got = guard(elevated=True).assess(asked(CHANGE, "pro", incident="INC-7", typed="pro"))
    assert (got.decision, got.requires, got.environment) == (Decision.RUN, (), Environment.PRODUCTION)


def test_destruction_needs_a_second_person_even_when_elevated() -> None:
    command = asked(DESTROY, "pro", incident="INC-7", typed="pro")
    assert guard(elevated=True).assess(command).decision is Decision.DENY
    command = replace(command, break_glass=True)
    assert guard(elevated=True).assess(command).decision is Decision.APPROVE
    assert guard(elevated=True, approved=True).assess(command).decision is Decision.RUN
    assert guard(approved=True).assess(command).requires == ("elevation",)


def test_what_was_approved_beforehand_asks_nothing_more() -> None:
    beforehand = replace(GRANT, beforehand=True)
    for line in (CHANGE, DESTROY):
        got = Guard(TARGETS, granted=lambda _: beforehand).assess(asked(line, "pro"))
        assert (got.decision, got.reasons[-1]) == (
            Decision.RUN,
            "approved by bob@example.com beforehand (01X)",
        )


def test_a_command_counts_where_it_lands() -> None:
    got = guard().assess(asked("ssh ops@pro-1 'cd /srv; rm -r data'", "dev"))
    assert (got.decision, got.environment, got.place) == (Decision.DENY, Environment.PRODUCTION, "pro-1")
    assert "no rule names pro-1, so it counts as production" in " ".join(got.reasons)
    assert guard().assess(asked("ssh sta touch x", "dev")).requires == ("confirmation",)
    assert guard().assess(asked("ssh pro id", "dev")).decision is Decision.RUN


def test_an_unnamed_target_is_told_how_to_be_named() -> None:
    told = " ".join(guard().assess(asked(CHANGE, "local")).reasons)
    assert "no rule names local" in told and "cockpit init" in told and '[[targets]] name = "local"' in told
    assert "no rule names" not in " ".join(guard().assess(asked(CHANGE, "pro")).reasons)


def test_what_a_pane_offers_is_confirmed_by_its_form() -> None:
    command = asked(UNKNOWN, "pro", origin=Origin.PANE)
    assert guard().assess(command).requires == ("confirmation",)
    assert guard().assess(replace(command, confirmed=True)).decision is Decision.RUN


def test_read_only_denies_all_but_reading() -> None:
    judge = ReadOnly(guard(elevated=True))
    assert judge.assess(asked(READ, "pro")).decision is Decision.RUN
    denied = judge.assess(asked(CHANGE, "dev"))
    assert denied.decision is Decision.DENY and "read-only" in denied.reasons[-1]


OWN = (
    OwnRule(command="deployctl status *", risk="read"),  # type: ignore[arg-type]
    OwnRule(command="deployctl wipe", risk="destructive", why="wipes it"),  # type: ignore[arg-type]
    OwnRule(command="id *", risk="change"),  # type: ignore[arg-type]
    OwnRule(command="rm *", risk="read"),  # type: ignore[arg-type]
)


@pytest.mark.parametrize(
    ("line", "target", "risk"),
    [
        ("deployctl status", "dev", "read"),
        ("deployctl status web --all | grep up", "dev", "read"),
        ("deployctl status web", "pro", "unknown"),
        ("deployctl status; deployctl start", "dev", "unknown"),
        ("deployctl wipe", "pro", "destructive"),
        ("deployctl wipe now", "dev", "unknown"),
        ("id -u", "pro", "change"),
        ("rm -r x", "pro", "destructive"),
        ("ssh pro rm -r x", "dev", "destructive"),
        ("rm -r x", "sta", "read"),
    ],
)
def test_own_rules_raise_everywhere_and_lower_outside_production_alone(
    line: str, target: str, risk: str
) -> None:
    got: Assessment = guard(own=OWN).assess(asked(line, target))
    assert got.risk == risk


@pytest.mark.parametrize(
    ("line", "preview"),
    [
        ("kubectl apply -f web.yaml", ("kubectl", "diff", "-f", "web.yaml")),
        ("terraform apply -auto-approve", ("terraform", "plan", "-auto-approve")),
        ("rsync -a a/ b/", ("rsync", "-n", "-a", "a/", "b/")),
        (
            "psql shop -c 'update carts set open = false where id = 7'",
            ("psql", "shop", "-c", "EXPLAIN update carts set open = false where id = 7"),
        ),
        ("psql shop -c 'drop table carts'", ()),
        ("kubectl apply -f web.yaml; rm x", ()),
        ("kubectl apply -f $x", ()),
    ],
)
def test_what_has_a_dry_run_offers_it(line: str, preview: tuple[str, ...]) -> None:
    assert guard().assess(asked(line, "pro")).preview == preview


@pytest.mark.parametrize(
    ("target", "decision", "requires"),
    [
        ("dev", "run", ()),
        ("sta", "run", ()),
        ("pro", "confirm", ("confirmation",)),
        ("dis", "confirm", ("confirmation",)),
        ("named-nowhere", "confirm", ("confirmation",)),
    ],
)
def test_an_interactive_shell_asks_for_a_confirmation_where_care_is_due(
    target: str, decision: str, requires: tuple[str, ...]
) -> None:
    shell = shell_on(asked("rm -rf /", target))
    assessment = guard().assess(shell)
    assert (assessment.decision, assessment.requires) == (decision, requires)
    assert assessment.risk == "unknown" and "by line" in assessment.reasons[0]
    for given in ({"confirmed": True}, {"typed": target}):
        assert guard().assess(replace(shell, **given)).decision == "run"
    assert ReadOnly(guard()).assess(replace(shell, confirmed=True)).decision == "deny"
