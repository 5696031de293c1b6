"""Everything of the cockpit but its screen, wired together: what the app and `cockpit snapshot` share.

Telemetry in: sources, supervisor, rules, stores. Commands out: see `cockpit.operations`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cockpit.choices import Choices
from cockpit.inventory.inventories import Inventories, kept_in, targets_of
from cockpit.rules import SOURCE as RULES
from cockpit.rules import RuleEngine
from cockpit.scope import WHOLE, Scope, ScopeTrail
from cockpit.signals import SECOND, Alert, HealthSample, Signal
from cockpit.ssh.status import SOURCE as HOPS
from cockpit.ssh.status import HopStatus
from cockpit.ssh.status import samples as hop_samples
from cockpit.stores.alerts import AlertStore
from cockpit.stores.base import Stores
from cockpit.stores.health import HealthStore
from cockpit.stores.logs import LogStore
from cockpit.stores.traces import TraceStore
from cockpit.supervisor import Plan, SourceState, SourceStatus, Supervisor
from cockpit.targets import LOCAL, Environment, Target, is_collective
from cockpit.tracer import Tracer

if TYPE_CHECKING:
    from pathlib import Path

    from cockpit.config import Settings, SourceEntry
    from cockpit.source import Remote, Source
    from cockpit.ssh.connections import Connections
    from cockpit.stores.logs.files.reading import LogFiles
    from cockpit.stores.logs.ring.spill import Spill

EMITS = {
    "host": ("HealthSample",),
    "files": ("LogRecord",),
    "journald": ("LogRecord",),
    "otlp": ("Span", "LogRecord"),
}
"""What the default sources feed, so that pane titles name them before their plugins are loaded."""


class Cockpit:
    """Stores, sources, rules, scope and targets.

    Attributes:
        settings: What cockpit.toml says.
        warnings: What the sources' options warn about, found as they are made.
        target: Where commands land now.
        targets: Where commands may land; `inventories` tell it of hosts.
        hops: Says how each hop of the SSH connections is doing; the same object again while nothing changed.
        choices: What the operator chose on the screen and finds again.
        goto: A link to a log record to go to at the start; empty for none.
        connections: The SSH connections that carry sources; the cockpit's own, closed with it, where nobody set
            others before the start.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        environment: Environment | None = None,
        data: Path | None = None,
        files: LogFiles | None = None,
    ) -> None:
        """Wire what a configuration names.

        Args:
            settings: What cockpit.toml says.
            environment: Where to begin, by the first target of that environment.
            data: The data directory, in which the answers of inventories are kept; None keeps none.
            files: Log files to look at in place of what sources bring, none of which are started.
        """
        limits = settings.limits
        self.settings = settings
        self.warnings: list[str] = list(settings.warnings)
        self.tracer = Tracer()
        self.trail = ScopeTrail(Scope(span=settings.screen.window if files is None else WHOLE))
        self.stores = Stores(
            HealthStore(points=limits.health_points, subjects=limits.subjects),
            AlertStore(capacity=limits.alerts),
            LogStore(capacity=limits.log_records, spill=_spill_of(settings, data) if files is None else None),
            TraceStore(spans=limits.spans),
            files=files,
        )
        self.files = files
        self.choices = Choices(data)
        self.rules = RuleEngine(settings.rules)
        self.targets = targets_of(settings)
        self.inventories = Inventories(
            settings.inventories, self.targets, told=self._warn, folder=kept_in(data) if data else None
        )
        self._target = self._first_target(environment)
        self._target_version = self.targets.version
        self.goto = ""
        self.connections: Connections | None = None
        self._own_connections: Connections | None = None
        self._connecting = threading.Lock()
        if environment is not None and self.target.environment is not environment:
            self.warnings.append(
                f"no target of {environment} has a name of its own: "
                f"commands land on {self.target.name}, which is {self.target.environment}"
            )
        self.supervisor = Supervisor(
            [self._plan(entry) for entry in settings.sources if files is None],
            self.stores,
            tracer=self.tracer,
        )
        self.hops: Callable[[], Sequence[HopStatus]] = tuple
        self._hops: Sequence[HopStatus] = ()
        self._rules_version = -1
        self._rules_second = 0
        self._rules_status = SourceStatus(
            name=RULES, kind=RULES, state=SourceState.STARTING, emits=frozenset({"Alert"})
        )
        self.stores.hooks.append(self._feed_rules)

    def start(self) -> None:
        """Start the sources, and ask the inventories."""
        self.supervisor.start()
        if self.files is not None:
            self.files.start()
        self.inventories.start()

    async def stop(self) -> None:
        """Stop the sources within a second, and close the connections that are the cockpit's own."""
        await asyncio.gather(self.supervisor.stop(), self.inventories.stop())
        if self.files is not None:
            await self.files.stop()
        if self._own_connections is not None:
            await self._own_connections.close()

    def drain(self, budget: float = 0.006) -> int:
        """Move what came in to the stores, and let the rules speak when they have something new to say."""
        moved = self.supervisor.drain(budget)
        now = time.time_ns()
        if (hops := self.hops()) is not self._hops:
            self._hops = hops
            self.stores.take(HOPS, hop_samples(hops), HealthSample)
        if self.rules.version != self._rules_version or now // SECOND != self._rules_second:
            self._rules_second = now // SECOND
            self._speak(now)
        return moved

    def window(self, now: int) -> tuple[int, int]:
        """Return the time that is looked at; of log files all that they speak of, where nothing narrows it."""
        spanned = None if self.files is None else self.files.spanned
        scope = self.trail.now
        if spanned is None:
            return scope.window(now)
        start, end = scope.window(spanned[1])
        return (start, end) if scope.span != WHOLE else spanned

    def latest(self, now: int) -> int:
        """Return the last moment there is to look at: the end of log files, else now."""
        spanned = None if self.files is None else self.files.spanned
        return now if spanned is None else spanned[1]

    def statuses(self) -> tuple[SourceStatus, ...]:
        """Return how each source is doing, the built-in rules among them."""
        return (
            (*self.supervisor.statuses(), self._rules_status)
            if self.rules.rules
            else self.supervisor.statuses()
        )

    @property
    def target(self) -> Target:
        """Where commands land now, as careful as inventories say by now that one has to be there."""
        version = self.targets.version
        if version != self._target_version:
            self._target, self._target_version = self.targets.again(self._target.name), version
        return self._target

    def choose_target(self, name: str) -> Target:
        """Let commands land somewhere else from now on: on a host, or on several by one name.

        Raises:
            UsageError: It is no name, or stands for no host.
        """
        self._target, self._target_version = self.targets.choose(name), self.targets.version
        return self._target

    def worst_environment(self) -> Target:
        """Return the target that asks for most care among those configured and the one in use."""
        worst = self.targets.worst()
        if worst is None or self.target.environment.rank >= worst.environment.rank:
            return self.target
        return worst

    def _first_target(self, environment: Environment | None) -> Target:
        """Start on this machine, or on the first target of the environment that the command line names."""
        for rule in self.targets.rules:
            if environment is not None and rule.environment is environment and not is_collective(rule.name):
                return self.targets.resolve(rule.name)
        return self.targets.resolve(LOCAL)

    def _plan(self, entry: SourceEntry) -> Plan:
        return Plan(
            name=entry.name,
            kind=entry.kind,
            make=partial(self._make, entry),
            enabled=entry.enabled,
            emits=frozenset(EMITS.get(entry.kind, ())),
        )

    def _make(self, entry: SourceEntry) -> Source[Any]:
        """Load a plugin and make its source; runs on the feed's thread."""
        from cockpit.registry import build

        return build(entry, warn=self._warn, remote=self._remote)

    def _remote(self, via: str) -> Remote:
        from cockpit.remote import Carrier
        from cockpit.ssh.connections import connections_of

        with self._connecting:
            if self.connections is None:
                self.connections = self._own_connections = connections_of(self.settings, targets=self.targets)
        return Carrier(self.connections, via, members=self.targets.names_of)

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)

    def _feed_rules(self, source: str, batch: Sequence[Signal], replaces: type | None) -> None:
        if replaces is HealthSample or (batch and isinstance(batch[0], HealthSample)):
            self.rules.feed(source, batch, replaces)

    def _speak(self, now: int) -> None:
        alerts = self.rules.alerts(now)
        self._rules_status = replace(
            self._rules_status, state=SourceState.LIVE, last_data_at=now, items=len(alerts)
        )
        if self.rules.version != self._rules_version:
            self._rules_version = self.rules.version
            self.stores.take(RULES, alerts, Alert)


def _spill_of(settings: Settings, data: Path | None) -> Spill | None:
    if not settings.logs.spill:
        return None
    from cockpit.stores.logs.ring.spill import spill_of  # not for what is drawn first

    return spill_of(settings.logs, data)
