"""What the http, tcp and dns checks share: many looks at once, a health row each, one line for `doctor`."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from cockpit.errors import SourceError
from cockpit.signals import HealthSample, HealthState
from cockpit.source import Emit, Options, PollingSource

AT_ONCE = 16
"""Looks under way at the same time, so that a thousand checks don't open a thousand sockets."""

Look = Callable[[], Awaitable[HealthSample]]
O = TypeVar("O", bound=Options)  # noqa: E741  the options type of a source


def unique(subjects: Sequence[str]) -> list[str]:
    """Return the subjects told apart: the second of the same name gets ` #2`, and so on."""
    counts: dict[str, int] = {}
    told: list[str] = []
    for subject in subjects:
        counts[subject] = counts.get(subject, 0) + 1
        told.append(subject if counts[subject] == 1 else f"{subject} #{counts[subject]}")
    return told


class CheckSource(PollingSource[O]):
    """A source whose every configured check becomes one health row.

    A check that fails is a row that is down, never an error of the source: the source did its work.
    """

    emits = frozenset({HealthSample})

    @abstractmethod
    def looks(self) -> Sequence[Look]:
        """Return one look for each configured check.

        A look never raises, and takes at most `timeout` twice: once for itself, once to read a refused certificate.
        """

    @property
    def deadline(self) -> float:
        """Seconds until it counts as late: every wave of looks may use its whole time."""
        waves = -(-len(self.looks()) // AT_ONCE)
        return self.options.interval + self.options.timeout * (2 * waves + 1)

    async def poll(self, emit: Emit) -> None:
        """Look at everything, and emit each row when it is known, so that a slow check holds no other back."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(look: Look) -> None:
            async with gate:
                sample = await look()
            await emit([sample])

        async with asyncio.TaskGroup() as group:
            for look in self.looks():
                group.create_task(one(look))

    async def check(self) -> str:
        """Run every check once and say how many pass.

        Raises:
            SourceError: At least one is down; the message names the first and says why.
        """
        samples: list[HealthSample] = []

        async def keep(look: Look, gate: asyncio.Semaphore) -> None:
            async with gate:
                samples.append(await look())

        gate = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for look in self.looks():
                group.create_task(keep(look, gate))
        down = [sample for sample in samples if sample.state is HealthState.DOWN]
        if down:
            first = down[0]
            raise SourceError(
                f"{len(down)} of {len(samples)} checks down: {first.subject}: {first.reason}",
                where=self.name,
                remedy="mend what is down, or take it out of this source's checks",
            )
        poor = [sample for sample in samples if sample.state is not HealthState.OK]
        if poor:
            return f"{len(samples)} checks answer, {len(poor)} degraded: {poor[0].subject}: {poor[0].reason}"
        return f"{len(samples)} of {len(samples)} checks pass"
