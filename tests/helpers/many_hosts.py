"""Many hosts without a server: each a real process on this machine, which is told what host it stands for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from cockpit.actionlog.log import FILE, ActionLog
from cockpit.actionlog.records import Action
from cockpit.actions.command import Command, shell_command
from cockpit.actions.executor import Executor
from cockpit.actions.local import LocalRunning, LocalTransport
from cockpit.fanout.fanout import FanOut
from cockpit.fanout.host import HostRun
from cockpit.fanout.judging import GroupJudge, on_all
from cockpit.guard.guard import Guard
from cockpit.guard.judge import Judge
from cockpit.targets import Environment, Target, Targets

DEVELOPMENT = Environment.DEVELOPMENT


class Stands:
    """Carries commands to this machine, with `$HOST` as the first argument of a shell line."""

    async def start(self, command: Command) -> LocalRunning:
        argv = (*command.argv, command.target.name)
        return await LocalTransport().start(replace(command, argv=argv))


def hosts(count: int, environment: Environment = DEVELOPMENT, *, name: str = "web") -> list[Target]:
    width = len(str(count))
    return [
        Target(name=f"{name}-{number:0{width}}", environment=environment, transport="here")
        for number in range(1, count + 1)
    ]


def line(text: str, members: Sequence[Target], *, name: str = "@web", typed: str = "") -> Command:
    """Return a shell line for hosts; in it `$0` is the host's name."""
    command = shell_command(text, members[0], actor="ann@desk", incident="INC-1")
    return replace(on_all(command, name, members), typed=typed)


class Many:
    """A door to many hosts, and its log."""

    def __init__(self, folder: Path, judge: Judge | None = None) -> None:
        self.log = ActionLog.open(folder / FILE)
        guard = judge or Guard(Targets())
        self.executor = Executor(self.log, {"here": Stands()}, judge=GroupJudge(guard), grace_s=0.5)
        self.asked: list[str] = []
        self.answer = True

    def fan(self, *, parallel: int = 10) -> FanOut:
        return FanOut(self.executor, parallel=parallel, go_on=self.go_on)

    async def go_on(self, host: HostRun, others: tuple[HostRun, ...]) -> bool:
        self.asked.append(f"{host.name} {host.state}, {len(others)} left")
        return self.answer

    def recorded(self) -> list[Action]:
        """Return what is recorded, oldest first."""
        return list(reversed(self.log.reading().list(limit=10_000)))


@asynccontextmanager
async def many(folder: Path, judge: Judge | None = None) -> AsyncIterator[Many]:
    made = Many(folder, judge)
    try:
        yield made
    finally:
        made.log.close()
