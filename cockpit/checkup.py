"""Try every source and target for real: what `cockpit doctor` reports.

A source is tried in a thread and on an event loop of its own, so that one that hangs, even one that never yields to
its loop, takes nobody else's time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import Struct

from cockpit import registry
from cockpit.actionlog.log import FILE as ACTION_LOG
from cockpit.config import Settings, SourceEntry
from cockpit.errors import CockpitError, ConfigErrors
from cockpit.hygiene import clean_text
from cockpit.inventory.checking import findings
from cockpit.inventory.inventories import targets_of
from cockpit.remote import Carrier
from cockpit.ssh.connections import connections_of
from cockpit.targets import Target, TargetRule, is_collective, is_pattern

LOCAL = "local"
PATIENCE = 2.0
"""Seconds past its time for a source to stop by itself before it is left behind."""


class Finding(Struct, frozen=True, kw_only=True):
    """What came of trying one source or target.

    Attributes:
        kind: The source's kind, `inventory` or `target`.
        latency_ms: How long it took; 0 where nothing was tried.
        error: What didn't work.
        hint: What to do about it.
        detail: What worked.
    """

    name: str
    kind: str
    state: Literal["ok", "failed", "disabled"]
    latency_ms: float = 0.0
    error: str = ""
    hint: str = ""
    detail: str = ""


class Checkup:
    """Tries what a configuration names.

    Attributes:
        warnings: What the sources' options warn about, a line each; filled by `run`.
        targets: The targets; `run` has them learn from the inventories.
    """

    def __init__(self, settings: Settings, data: Path, *, timeout: float) -> None:
        self.settings = settings
        self.data = data
        self.timeout = timeout
        self.warnings: list[str] = []
        named = any(fnmatchcase(LOCAL, rule.name) for rule in settings.targets)
        self.targets = targets_of(settings)
        self._rules = settings.targets if named else (TargetRule(name=LOCAL), *settings.targets)

    @property
    def names(self) -> list[str]:
        """The names of all sources, inventories and targets, in the order of the report."""
        named = [entry.name for entry in self.settings.sources]
        named += [table.called for table in self.settings.inventories]
        return named + [rule.name for rule in self._rules]

    def run(self, only: Collection[str] | None = None) -> list[Finding]:
        """Try everything, or what is named, and return a finding each, in the order of the configuration."""
        entries = [entry for entry in self.settings.sources if only is None or entry.name in only]
        inventories = asyncio.run(findings(self.settings, self.targets, only))
        connections = connections_of(self.settings, targets=self.targets)
        remote = partial(Carrier, connections, members=self.targets.names_of)
        tries = [
            _Try(entry, self.timeout, self.warnings.append, remote) for entry in entries if entry.enabled
        ]
        for attempt in tries:
            attempt.start()
        rules = [rule for rule in self._rules if only is None or rule.name in only]
        hosts = self.hosts([rule.name for rule in rules if self._is_host(rule)])
        targets = [hosts.get(rule.name) or self._target(rule) for rule in rules]
        by_name = {attempt.entry.name: attempt.finding() for attempt in tries}
        asyncio.run(connections.close())
        return [by_name.get(entry.name) or _disabled(entry) for entry in entries] + inventories + targets

    def hosts(self, names: Sequence[str]) -> dict[str, Finding]:
        """Connect to hosts for real, whether or not a rule names them, and return a finding each by name."""
        if not names:
            return {}
        from cockpit.ssh.trying import try_hosts

        targets = self.targets
        trying = try_hosts(self.settings, list(dict.fromkeys(names)), targets=targets, timeout=self.timeout)
        tried = asyncio.run(trying)
        return {
            name: Finding(
                name=name,
                kind="target",
                state="failed" if outcome.error else "ok",
                latency_ms=outcome.latency_ms,
                error=outcome.error,
                hint=outcome.hint,
                detail="" if outcome.error else f"{targets.resolve(name).environment}: {outcome.detail}",
            )
            for name, outcome in tried.items()
        }

    def is_host(self, name: str) -> bool:
        """Tell whether a name is that of a host reached by SSH, as far as the configuration tells."""
        return name not in self.names or any(
            rule.name == name and self._is_host(rule) for rule in self._rules
        )

    def _is_host(self, rule: TargetRule) -> bool:
        return not is_collective(rule.name) and rule.name != LOCAL and not self._covered(rule)

    def _covered(self, rule: TargetRule) -> list[str]:
        return [entry.name for entry in self.settings.sources if fnmatchcase(entry.name, rule.name)]

    def _target(self, rule: TargetRule) -> Finding:
        if fnmatchcase(LOCAL, rule.name):
            return self._local(rule, self.targets.resolve(LOCAL))
        if covered := self._covered(rule):
            detail = f"{rule.environment}: the actions of {', '.join(covered)}"
            return Finding(name=rule.name, kind="target", state="ok", detail=detail)
        what = "a pattern" if is_pattern(rule.name) else "a group"
        return Finding(
            name=rule.name,
            kind="target",
            state="disabled",
            detail=f"{rule.environment}: {what}, so nothing to try; cockpit doctor HOST tries one host",
        )

    def _local(self, rule: TargetRule, target: Target) -> Finding:
        """Look for what a command on this machine needs, without running one: that is the executor's alone."""
        started = time.monotonic()
        shell = shutil.which(os.environ.get("SHELL") or "sh")
        error, hint = "", ""
        if shell is None:
            error, hint = f"there is no shell {os.environ.get('SHELL')}", "set SHELL to one that exists"
        else:
            error, hint = _unwritable(self.data)
        unnamed = "" if target.named else "; no [[targets]] entry names it, so it counts as production"
        return Finding(
            name=rule.name,
            kind="target",
            state="failed" if error else "ok",
            latency_ms=_since(started),
            error=error,
            hint=hint,
            detail="" if error else f"{target.environment}: {shell}, action log in {self.data}{unnamed}",
        )


class _Try:
    """One source being tried."""

    def __init__(
        self,
        entry: SourceEntry,
        timeout: float,
        warn: Callable[[str], None],
        remote: Callable[[str], Carrier],
    ) -> None:
        self.entry = entry
        self.remote = remote
        self.timeout = timeout
        self.warn = warn
        self.started = 0.0
        self.outcome: str | BaseException | None = None
        self.took = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"check {entry.name}", daemon=True)

    def start(self) -> None:
        self.started = time.monotonic()
        self._thread.start()

    def finding(self) -> Finding:
        """Wait for the outcome, as long as its time allows."""
        self._done.wait(max(0.0, self.started + self.timeout + PATIENCE - time.monotonic()))
        outcome, took = self.outcome, self.took or _since(self.started)
        if isinstance(outcome, str):
            detail = " ".join(clean_text(outcome).split())
            return self._finding("ok", took, detail=detail)
        if outcome is None or isinstance(outcome, TimeoutError):
            where = "" if outcome else "; it blocks its event loop"
            return self._finding(
                "failed",
                took,
                error=f"no answer within {self.timeout:g} s{where}",
                hint="try --timeout with more",
            )
        if isinstance(outcome, ConfigErrors):
            return self._finding("failed", took, error=str(outcome))
        if isinstance(outcome, CockpitError):
            place = outcome.where if outcome.where != self.entry.name else ""
            error = f"{place}: {outcome.message}" if place else outcome.message
            return self._finding("failed", took, error=clean_text(error), hint=clean_text(outcome.remedy))
        what = clean_text(f"{type(outcome).__name__}: {outcome}")
        return self._finding(
            "failed", took, error=what, hint=f"a defect of the {self.entry.kind} plugin; report it"
        )

    def _finding(
        self,
        state: Literal["ok", "failed"],
        took: float,
        *,
        error: str = "",
        hint: str = "",
        detail: str = "",
    ) -> Finding:
        return Finding(
            name=self.entry.name,
            kind=self.entry.kind,
            state=state,
            latency_ms=took,
            error=error,
            hint=hint,
            detail=detail,
        )

    def _work(self) -> None:
        asyncio.run(self._guarded())

    async def _guarded(self) -> None:
        """Note what a try returns or raises, whatever that is: a plugin is a stranger's code.

        It is noted here, for the loop may not end before a thread does that the plugin left.
        """
        (outcome,) = await asyncio.gather(self._contained(), return_exceptions=True)
        self.took = _since(self.started)
        self.outcome = outcome
        self._done.set()

    async def _contained(self) -> str:
        try:
            outcome = await self._check()
        except SystemExit as leaving:  # asyncio would pass it on to the loop
            raise RuntimeError(f"its check tried to end the whole program: {leaving!r}") from None
        if not isinstance(outcome, str):
            raise TypeError(f"its check returned {type(outcome).__name__}, not a line")
        return outcome

    async def _check(self) -> str:
        source = registry.build(self.entry, warn=self.warn, remote=self.remote)
        self.started = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout):
                return await source.check()
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE / 2):
                    await source.aclose()


def _disabled(entry: SourceEntry) -> Finding:
    return Finding(name=entry.name, kind=entry.kind, state="disabled", detail="enabled = false")


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)


def _unwritable(data: Path) -> tuple[str, str]:
    """Return why the action log can't be written and what to do, or two empty strings. Leaves nothing behind."""
    import sqlite3
    import tempfile
    from contextlib import closing

    hint = "say where with --data-dir or COCKPIT_DATA_DIR, or mend its rights; nothing runs unrecorded"
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=data):
            pass
        if (data / ACTION_LOG).exists():
            with closing(sqlite3.connect(data / ACTION_LOG, timeout=2, isolation_level=None)) as log:
                log.execute("BEGIN IMMEDIATE")
                log.execute("ROLLBACK")
    except (OSError, sqlite3.Error) as error:
        return f"the action log can't be written in {data}: {error}", hint
    return "", ""
