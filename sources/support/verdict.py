"""What a check found: the worst state seen, every reason for it, and the readings beside it."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.signals import HealthSample, HealthState, Resource, Value

REASONS = 4
"""How many reasons a row says; a check that fails in more ways than that has one cause."""


class Verdict:
    """Gathers what a check finds, and makes the one health sample of it.

    Attributes:
        state: The worst state found so far.
        details: Readings for the detail view, in the order they were noted.
    """

    def __init__(self) -> None:
        self.state = HealthState.OK
        self.details: dict[str, Value] = {}
        self._found: list[tuple[int, str]] = []

    def fault(self, state: HealthState, reason: str) -> None:
        """Add something that is not as it should be, in words a person can act on."""
        if state.rank > self.state.rank:
            self.state = state
        if (state.rank, reason) not in self._found:
            self._found.append((state.rank, reason))

    def note(self, readings: Mapping[str, Value]) -> None:
        """Add readings for the detail view; a reading of None is left out."""
        self.details.update((name, value) for name, value in readings.items() if value is not None)

    @property
    def reason(self) -> str:
        """The reasons, worst first."""
        worst_first = sorted(self._found, key=lambda found: -found[0])
        said = "; ".join(reason for _, reason in worst_first[:REASONS])
        more = len(worst_first) - REASONS
        return f"{said}; and {more} more" if more > 0 else said

    def sample(
        self, subject: str, *, at: int, source: str, value: float | None, resource: Resource, passed: str = ""
    ) -> HealthSample:
        """Return the health sample: seconds as its value, `passed` as its reason where nothing was wrong."""
        return HealthSample(
            at=at,
            subject=subject,
            kind="check",
            state=self.state,
            reason=self.reason or passed,
            value=value,
            unit="s",
            source=source,
            resource=resource,
            details=self.details,
        )
