"""The guard: what a command may do, where it lands, and what that asks for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence

from cockpit.actions.command import Command, Kind, Risk
from cockpit.guard.approval import Grant
from cockpit.guard.classify import Classified, Classifier
from cockpit.guard.findings import Finding
from cockpit.guard.judge import Assessment
from cockpit.guard.policy import CAREFUL, Asked, Reasons, decide, missing, remedies
from cockpit.guard.settings import OwnRule
from cockpit.targets import LOCAL, Target, Targets

REASONS = 8
"""Findings that an assessment tells."""
_SHELL = Classified(
    risk=Risk.UNKNOWN,
    findings=(
        Finding(risk=Risk.UNKNOWN, part="login-shell", why="is interactive; what is typed is judged by line"),
    ),
)


class Guard:
    """Judges commands by rules and policy.

    Args:
        targets: Tells how careful to be where.
        own: Rules that users added.
        reasons: What counts as an open reason.
        elevated: Tells whether production may be changed just now.
        granted: Finds the second person's approval that covers a command, already checked.
    """

    def __init__(
        self,
        targets: Targets,
        *,
        own: Sequence[OwnRule] = (),
        reasons: Reasons | None = None,
        elevated: Callable[[], bool] = lambda: False,
        granted: Callable[[Command], Grant | None] = lambda _: None,
    ) -> None:
        self._targets = targets
        self._own = tuple(own)
        self._reasons = reasons or Reasons()
        self._elevated = elevated
        self._granted = granted

    def assess(self, command: Command) -> Assessment:
        """Judge a command; never runs anything."""
        classified = _SHELL if command.kind is Kind.SHELL else self._lenient.command(command)
        place = self._place(command.target, classified.findings)
        if place.environment in CAREFUL and command.kind is not Kind.SHELL:
            classified = self._strict.command(command)
            place = self._place(command.target, classified.findings)
        grant = self._granted(command)
        asked = Asked(
            command=command,
            risk=classified.risk,
            environment=place.environment,
            name=place.name,
            elevated=self._elevated(),
            approved=grant is not None,
            beforehand=grant is not None and grant.beforehand,
        )
        lacking = missing(asked, self._reasons)
        return Assessment(
            risk=classified.risk,
            decision=decide(asked, lacking),
            reasons=(*_told(classified), *_where(place, classified.risk), *_by(grant)),
            requires=tuple(need.value for need in lacking),
            environment=place.environment,
            place=place.name,
            undo=next((each.undo for each in classified.findings if each.undo), ""),
            preview=_preview(classified),
            remedy="; ".join(dict.fromkeys(remedies(lacking, place.name))),
        )

    @functools.cached_property
    def _strict(self) -> Classifier:
        return Classifier(self._own)

    @functools.cached_property
    def _lenient(self) -> Classifier:
        return Classifier(self._own, lower=True) if self._own else self._strict

    def _place(self, target: Target, findings: Iterable[Finding]) -> Target:
        """Return, of all places that a command lands on, the one that asks for most care."""
        hosts = {each.host for each in findings if each.host}
        places = [*(self._targets.resolve(host) for host in sorted(hosts)), target]
        return max(places, key=lambda each: each.environment.rank)


def _told(classified: Classified) -> tuple[str, ...]:
    """Return the findings that make the risk, or for a command that reads, all of them."""
    grave = [each for each in classified.findings if each.risk is classified.risk]
    rest = [each for each in classified.findings if each.risk not in {classified.risk, Risk.READ}]
    told = [str(each) for each in [*grave, *rest]]
    return tuple(told[:REASONS]) + ((f"and {len(told) - REASONS} more",) if len(told) > REASONS else ())


def _where(place: Target, risk: Risk) -> tuple[str, ...]:
    if place.named or risk is Risk.READ:
        return ()
    how = "`cockpit init` writes that for this machine" if place.name == LOCAL else "in cockpit.toml"
    return (
        f"no rule names {place.name}, so it counts as production: name it with "
        f'[[targets]] name = "{place.name}" environment = "…" ({how})',
    )


def _by(grant: Grant | None) -> tuple[str, ...]:
    if grant is None:
        return ()
    return (f"approved by {grant.approver}{' beforehand' if grant.beforehand else ''} ({grant.request})",)


def _preview(classified: Classified) -> tuple[str, ...]:
    """Return the dry run of a command that is nothing but one program's call."""
    found = [each for each in classified.findings if each.risk is not Risk.READ]
    previews = {each.preview for each in found if each.preview}
    return previews.pop() if len(previews) == 1 and len(classified.findings) == 1 else ()
