"""What plugins do to the loop that they share, and what must not come of it."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, ClassVar

import pytest

from cockpit.errors import OutcomeUnknown, SourceError
from cockpit.signals import Alert, HealthSample, HealthState, Matcher, Silence
from cockpit.source import Emit, Source
from cockpit.supervisor import SourceState
from cockpit.supervisor.intake import Intake
from tests.unit.supervisor.test_supervisor import Probe, Quick, supervised, until


class Helper:
    def work(self) -> None:
        time.sleep(3)


class BlocksElsewhere(Probe):
    """Blocks in a callback that no method of the source is on the stack of."""

    async def run(self, emit: Emit) -> None:
        await emit([])
        asyncio.get_running_loop().call_later(0.1, Helper().work)
        await super().run(emit)


class Exits(Probe):
    async def poll(self, emit: Emit) -> None:
        sys.exit(3)


class ExitsInATask(Probe):
    async def poll(self, emit: Emit) -> None:
        async def leave() -> None:
            sys.exit(3)

        await asyncio.create_task(leave())


class CancelsItself(Probe):
    async def poll(self, emit: Emit) -> None:
        raise asyncio.CancelledError


class Stays(Probe):
    """Hears no cancelling for two seconds, and is silent, so that it is taken for hung."""

    alive: ClassVar[int] = 0
    most: ClassVar[int] = 0

    async def run(self, emit: Emit) -> None:
        Stays.alive += 1
        Stays.most = max(Stays.most, Stays.alive)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            try:
                await asyncio.sleep(end - time.monotonic())
            except asyncio.CancelledError:
                continue
        Stays.alive -= 1


class Speaks(Probe):
    """Goes on emitting after it was cancelled."""

    said: ClassVar[list[str]] = []

    async def run(self, emit: Emit) -> None:
        await emit([])
        try:
            await asyncio.Event().wait()
        finally:
            await emit([sample("late", self.name)])
            Speaks.said.append("late")


class Answers(Probe):
    closed: ClassVar[list[str]] = []

    async def query_logs(self, query: str, within: Any, limit: int) -> Any:
        raise KeyError("duck")

    async def list_silences(self) -> list[Silence]:
        matcher = Matcher("a\x1b]0;x\x07", "b")
        return [Silence(id="1", matchers=(matcher,), starts_at=1, ends_at=2, comment="\x1b[2Jgone")]

    async def act(self, argv: Any) -> str:
        if argv == ["wait"]:
            await asyncio.sleep(60)
        if argv == ["exit"]:
            sys.exit(1)
        return "done\x1b[1m"

    async def aclose(self) -> None:
        Answers.closed.append(self.name)


def sample(subject: str, source: str) -> HealthSample:
    return HealthSample(at=time.time_ns(), subject=subject, kind="check", state=HealthState.OK, source=source)


async def test_the_others_are_live_again_when_the_blocking_one_has_let_go() -> None:
    async with supervised(bad=BlocksElsewhere, good=Probe) as supervisor:
        status = await until(supervisor, "bad", lambda status: "blocked" in status.error)
        assert status.state is SourceState.DOWN
        await until(supervisor, "good", lambda status: status.state is SourceState.LIVE)
        await until(supervisor, "bad", lambda status: status.restarts == 1)
        await until(supervisor, "bad", lambda status: status.state is SourceState.LIVE)
        good = next(status for status in supervisor.statuses() if status.name == "good")
        assert good.state is SourceState.LIVE


@pytest.mark.parametrize("make", [Exits, ExitsInATask])
async def test_a_source_that_exits_ends_itself_alone(make: type[Source[Quick]]) -> None:
    async with supervised(bad=make, good=Probe) as supervisor:
        await until(supervisor, "bad", lambda status: status.state is SourceState.DOWN)
        await until(supervisor, "bad", lambda status: status.restarts >= 1)
        items = next(status.items for status in supervisor.statuses() if status.name == "good")
        await until(supervisor, "good", lambda status: status.items > items + 3)


async def test_a_source_that_cancels_itself_is_started_again() -> None:
    async with supervised(bad=CancelsItself) as supervisor:
        status = await until(supervisor, "bad", lambda status: status.restarts >= 1)
        assert "cancelled itself" in status.error


async def test_a_source_that_does_not_end_is_not_started_beside_itself() -> None:
    async with supervised(bad=Stays) as supervisor:
        await until(supervisor, "bad", lambda status: "does not end" in status.error)
        await until(
            supervisor, "bad", lambda status: status.state is SourceState.STARTING or not status.error
        )
        assert Stays.most == 1


async def test_what_a_source_says_after_its_end_is_not_heard() -> None:
    Speaks.said.clear()
    async with supervised(bad=Speaks) as supervisor:
        await until(supervisor, "bad", lambda status: status.restarts >= 1)
        assert Speaks.said == ["late"]
        assert supervisor.stores.health.get("bad", "late") is None


async def test_questions_that_fail_are_errors_of_ours_and_answers_are_clean() -> None:
    async with supervised(probe=Answers) as supervisor:
        await until(supervisor, "probe", lambda status: status.items > 0)
        with pytest.raises(SourceError, match="query_logs failed: KeyError"):
            await supervisor.ask("probe", "query_logs", "", None, 1)
        with pytest.raises(OutcomeUnknown, match="no answer to act"):
            await supervisor.ask("probe", "act", ["wait"], timeout=0.1)
        with pytest.raises(OutcomeUnknown, match="SystemExit"):
            await supervisor.ask("probe", "act", ["exit"])
        assert await supervisor.ask("probe", "act", []) == "done␛[1m"
        (silence,) = await supervisor.ask("probe", "list_silences")
        assert silence.comment == "␛[2Jgone"
        assert "\x1b" not in silence.matchers[0].name


async def test_a_question_whose_loop_ends_is_an_error_not_a_cancelling() -> None:
    async with supervised(probe=Answers) as supervisor:
        await until(supervisor, "probe", lambda status: status.items > 0)
        asked = asyncio.create_task(supervisor.ask("probe", "act", ["wait"]))
        await asyncio.sleep(0.1)
        await supervisor.stop()
        with pytest.raises(OutcomeUnknown, match="stopped before it answered"):
            await asked


async def test_a_source_is_closed_when_it_is_no_longer_used() -> None:
    Answers.closed.clear()
    async with supervised(probe=Answers) as supervisor:
        await until(supervisor, "probe", lambda status: status.items > 0)
        assert Answers.closed == []
    assert set(Answers.closed) == {"probe"}


async def test_no_source_speaks_for_another() -> None:
    intake = Intake("liar")
    await intake([sample("x", "honest")])
    delivery = intake.take()
    assert delivery is not None
    assert [signal.source for signal in delivery[0]] == ["liar"]


async def test_empty_deliveries_take_room_too() -> None:
    intake = Intake("empty", capacity=10, patience=0.02)
    for _ in range(30):
        await intake.replace(Alert, [])
    waiting = 0
    while intake.take() is not None:
        waiting += 1
    assert waiting == 10
