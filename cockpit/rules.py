"""Threshold rules: alerts from health samples, with durations and hysteresis.

A rule looks at one number, or at the state, of every subject that it fits. It is pending from the first bad sample,
fires when the samples have been bad for its duration, and ends when one is clear. What happens between the two
limits changes nothing, so a value that wavers fires once. Only samples move a rule on: while no data comes, nothing
starts to fire, and a subject that is gone, or silent for `NO_DATA`, resolves.

The words are Prometheus's (`for`, `keep_firing_for`) and so is the fingerprint, so that an alert known to an
Alertmanager with the same labels folds into this one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from cockpit.signals import (
    SECOND,
    Alert,
    AlertState,
    HealthSample,
    HealthState,
    Resource,
    Signal,
    fingerprint,
    host_of,
    service_of,
    severity_rank,
)
from cockpit.stores.base import Clock, wall_clock

NO_DATA = 300 * SECOND
"""How long a subject may be silent before its alerts resolve, as Prometheus has it."""

LATE = 300 * SECOND
"""A sample older than this starts no alert and lets none fire."""

RESOLVED = 900 * SECOND
"""How long an alert that ended is still listed."""

REMEMBERED = 20_000
"""Subjects whose rules are remembered; past that, they are looked up anew."""

INSTANCES = 20_000
"""Alerts held at most; past that no new one starts."""

SOURCE = "rules"
"""The `source` of these alerts."""


class ThresholdRule(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True,
    rename={"for_s": "for", "keep_s": "keep_firing_for"},
):  # fmt: skip
    """One `[[rules]]` table of cockpit.toml: exactly one of `above`, `below` and `state` says what is bad."""

    name: str
    """The alert's name: `HostDiskFilling`."""
    subject: str = "*"
    """A shell pattern of subjects: `disk /*`."""
    kind: str = "*"
    """A shell pattern of kinds: `host`, `check`, `unit`."""
    source: str = "*"
    """A shell pattern of source names."""
    above: float | None = None
    """A value over this is bad."""
    below: float | None = None
    """A value under this is bad."""
    clear: float | None = None
    """The value at which a firing alert ends; the limit itself where it isn't given."""
    state: HealthState | None = None
    """This state and any worse one is bad."""
    for_s: float = 0.0
    """Seconds for which it must be bad before the alert fires; `for` in the file."""
    keep_s: float = 0.0
    """Seconds for which it must be clear before a firing alert ends; `keep_firing_for` in the file."""
    severity: str = "warning"
    """`critical`, `error`, `warning` or `info`."""
    summary: str = "{subject}: {reason}"
    """One line for a person; `{subject}`, `{value}`, `{reason}`, `{host}` and `{service}` are filled in."""
    runbook_url: str = ""
    """Where it says what to do."""

    def __post_init__(self) -> None:
        given = [limit for limit in (self.above, self.below, self.state) if limit is not None]
        if len(given) != 1:
            raise ValueError("a rule has exactly one of `above`, `below` and `state`")
        if not self.name:
            raise ValueError("a rule has a name")
        if self.for_s < 0 or self.keep_s < 0:
            raise ValueError("`for` and `keep_firing_for` are not negative")
        if self.clear is not None:
            if self.state is not None:
                raise ValueError("`clear` goes with `above` or `below`")
            if self.above is not None and self.clear > self.above:
                raise ValueError("`clear` is not over `above`")
            if self.below is not None and self.clear < self.below:
                raise ValueError("`clear` is not under `below`")

    @property
    def expression(self) -> str:
        """The rule in one line: `disk /* > 90 for 5m, clears below 85`."""
        about = self.subject if self.subject != "*" or self.kind == "*" else f"every {self.kind}"
        clears = ""
        if self.state is not None:
            text = f"{about} is {self.state}"
        elif self.above is not None:
            text = f"{about} > {self.above:g}"
            clears = f", clears below {self.clear:g}" if self.clear is not None else ""
        else:
            text = f"{about} < {self.below:g}"
            clears = f", clears above {self.clear:g}" if self.clear is not None else ""
        return text + (f" for {_span(self.for_s)}" if self.for_s else "") + clears

    def fits(self, source: str, subject: str, kind: str) -> bool:
        """Tell whether the rule looks at that subject."""
        return (
            fnmatchcase(subject, self.subject)
            and fnmatchcase(kind, self.kind)
            and fnmatchcase(source, self.source)
        )

    def bad(self, sample: HealthSample) -> bool:
        """Tell whether a sample is past the limit."""
        if self.state is not None:
            return sample.state.rank >= self.state.rank
        value = sample.value
        if value is None:
            return False
        return value > self.above if self.above is not None else self.below is not None and value < self.below

    def is_clear(self, sample: HealthSample) -> bool:
        """Tell whether a sample ends an alert: neither bad nor between the limits."""
        if self.state is not None:
            return not self.bad(sample)
        value = sample.value
        if value is None:
            return False
        if self.above is not None:
            return value <= self.above if self.clear is None else value < self.clear
        limit = self.below if self.clear is None else self.clear
        return limit is not None and (value >= limit if self.clear is None else value > limit)

    def told_by(self, sample: HealthSample) -> bool:
        """Tell whether a sample says anything to this rule: a limit on the value needs a number."""
        return self.state is not None or (sample.value is not None and math.isfinite(sample.value))


def _span(seconds: float) -> str:
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"


DEFAULT_RULES: tuple[ThresholdRule, ...] = (
    ThresholdRule(name="HostCpuBusy", subject="cpu*", kind="host", above=90, clear=80, for_s=300,
                  summary="CPU has been busy for 5 minutes: {reason}"),
    ThresholdRule(name="HostLoadHigh", subject="load*", kind="host", state=HealthState.DEGRADED, for_s=300,
                  keep_s=60, summary="Load is {reason}"),
    ThresholdRule(name="HostMemoryLow", subject="memory*", kind="host", above=90, clear=85, for_s=120,
                  summary="Memory is running out: {reason}"),
    ThresholdRule(name="HostMemoryExhausted", subject="memory*", kind="host", above=97, clear=94, for_s=30,
                  severity="critical", summary="Memory is all but gone: {reason}"),
    ThresholdRule(name="HostOomKill", subject="oom kills*", kind="host", above=0, severity="error",
                  summary="{reason}"),
    ThresholdRule(name="HostSwapFull", subject="swap*", kind="host", above=80, clear=70, for_s=300,
                  summary="Swap is running out: {reason}"),
    ThresholdRule(name="HostPressure", subject="pressure *", kind="host", above=40, clear=25, for_s=180,
                  summary="{reason}"),
    ThresholdRule(name="HostDiskFilling", subject="disk /*", kind="disk", above=90, clear=87, for_s=120),
    ThresholdRule(name="HostDiskFull", subject="disk /*", kind="disk", state=HealthState.DOWN, for_s=30,
                  keep_s=60, severity="critical"),
    ThresholdRule(name="HostDiskHangs", subject="disks *", kind="disk", state=HealthState.DOWN, for_s=30,
                  severity="critical"),
    ThresholdRule(name="HostDiskBusy", subject="disk io *", kind="disk", state=HealthState.DEGRADED, for_s=600,
                  keep_s=60),
    ThresholdRule(name="HostNetworkTrouble", kind="network", state=HealthState.DEGRADED, for_s=60, keep_s=60),
    ThresholdRule(name="HostFileHandles", subject="file handles*", kind="host", state=HealthState.DEGRADED,
                  for_s=60, keep_s=60, summary="File handles are running out: {reason}"),
    ThresholdRule(name="HostDown", subject="host *", kind="host", state=HealthState.DOWN, for_s=30,
                  severity="critical"),
    ThresholdRule(name="HostClock", subject="clock", kind="host", state=HealthState.DEGRADED, for_s=600,
                  summary="The clock is {reason}"),
    ThresholdRule(name="UnitFailed", kind="unit", state=HealthState.DOWN, severity="error"),
    ThresholdRule(name="UnitTrouble", kind="unit", state=HealthState.DEGRADED, for_s=60, keep_s=60),
    ThresholdRule(name="CheckDown", kind="check", state=HealthState.DOWN, for_s=15, severity="critical"),
    ThresholdRule(name="CheckDegraded", kind="check", state=HealthState.DEGRADED, for_s=120, keep_s=60),
    ThresholdRule(name="TargetDown", kind="target", state=HealthState.DOWN, for_s=60, severity="error"),
    ThresholdRule(name="ServiceDown", kind="service", state=HealthState.DOWN, for_s=60, severity="critical"),
)  # fmt: skip
"""What is watched without any configuration: this host, its units, and every check, target and service."""


class _Instance(Struct, gc=False):
    """One rule on one subject, from its first bad sample until it is forgotten."""

    rule: ThresholdRule
    source: str
    subject: str
    labels: Mapping[str, str]
    fingerprint: str
    resource: Resource
    active_at: int
    last_at: int
    value: float | None = None
    reason: str = ""
    fired_at: int = 0
    clear_since: int = 0
    resolved_at: int = 0
    resolution: str = ""

    @property
    def state(self) -> AlertState:
        if self.resolved_at:
            return AlertState.RESOLVED
        return AlertState.FIRING if self.fired_at else AlertState.PENDING


_Key = tuple[int, str, str]
"""(the rule's number, source, subject)."""


class RuleEngine:
    """Evaluate rules over every health sample that comes in.

    Attributes:
        version: Moves when an alert starts, fires, changes or ends.
    """

    def __init__(self, rules: Sequence[ThresholdRule] = DEFAULT_RULES, clock: Clock = wall_clock) -> None:
        self.rules = tuple(rules)
        self.version = 0
        self._clock = clock
        self._fitting: dict[tuple[str, str, str], tuple[int, ...]] = {}
        self._instances: dict[_Key, _Instance] = {}

    def feed(self, source: str, batch: Sequence[Signal], replaces: type | None = None) -> None:
        """Look at a batch as a hook of the stores: its samples move the rules on.

        Args:
            source: Who sent it.
            batch: Signals; only health samples matter.
            replaces: `HealthSample` where the batch is all that the source knows: other subjects are gone.
        """
        now = self._clock()
        for item in batch:
            if isinstance(item, HealthSample):
                for number in self._rules_for(source, item):
                    self._evaluate(number, source, item, now)
        if replaces is HealthSample and self._instances:
            known = {item.subject for item in batch if isinstance(item, HealthSample)}
            for key, instance in list(self._instances.items()):
                if instance.source == source and instance.subject not in known:
                    self._end(key, instance, now, "the subject is gone")

    def alerts(self, now: int) -> list[Alert]:
        """Return every alert that is pending, firing or lately resolved, the oldest first.

        A firing alert is shown as inhibited while a more severe one fires on the same subject.
        """
        self._forget(now)
        worst: dict[tuple[str, str], _Instance] = {}
        for instance in self._instances.values():
            if instance.state is AlertState.FIRING:
                key = (instance.source, instance.subject)
                if key not in worst or _rank(instance) > _rank(worst[key]):
                    worst[key] = instance
        return [
            _alert(instance, worst.get((instance.source, instance.subject)))
            for instance in sorted(self._instances.values(), key=lambda one: one.active_at)
        ]

    def _rules_for(self, source: str, sample: HealthSample) -> tuple[int, ...]:
        key = (source, sample.subject, sample.kind)
        found = self._fitting.get(key)
        if found is None:
            if len(self._fitting) >= REMEMBERED:
                self._fitting.clear()
            found = self._fitting[key] = tuple(
                number for number, rule in enumerate(self.rules) if rule.fits(*key)
            )
        return found

    def _evaluate(self, number: int, source: str, sample: HealthSample, now: int) -> None:
        rule = self.rules[number]
        key = (number, source, sample.subject)
        instance = self._instances.get(key)
        at = min(sample.at, now)
        if instance is not None and instance.last_at > now:
            instance.last_at = now  # the clock was set back
        late = now - at > LATE
        if late or not rule.told_by(sample) or (instance is not None and at < instance.last_at):
            return
        if instance is None or instance.resolved_at:
            if rule.bad(sample) and (instance is not None or len(self._instances) < INSTANCES):
                self._instances[key] = fresh = _start(rule, source, sample, at)
                self._advance(key, fresh, sample, at)
                self.version += 1
            return
        self._advance(key, instance, sample, at)

    def _advance(self, key: _Key, instance: _Instance, sample: HealthSample, at: int) -> None:
        """Move a pending or firing instance on by one sample."""
        rule = instance.rule
        instance.last_at = at
        if rule.bad(sample):
            instance.clear_since = 0
            if not instance.fired_at and at - instance.active_at >= rule.for_s * SECOND:
                instance.fired_at = at
        elif not instance.fired_at:
            self._end(key, instance, at, "")
            return
        elif not rule.is_clear(sample):
            instance.clear_since = 0
        else:
            instance.clear_since = instance.clear_since or at
            if at - instance.clear_since >= rule.keep_s * SECOND:
                self._end(key, instance, at, sample.reason)
        if (instance.value, instance.reason) != (sample.value, sample.reason):
            instance.value, instance.reason = sample.value, sample.reason
            self.version += 1

    def _end(self, key: _Key, instance: _Instance, at: int, why: str) -> None:
        if instance.resolved_at:
            return
        self.version += 1
        if not instance.fired_at:
            del self._instances[key]
            return
        instance.resolved_at, instance.resolution = max(at, instance.fired_at), why

    def _forget(self, now: int) -> None:
        """Resolve what is silent, and drop what was resolved long ago."""
        for key, instance in list(self._instances.items()):
            if instance.resolved_at:
                if now - instance.resolved_at > RESOLVED:
                    del self._instances[key]
                    self.version += 1
            elif now - instance.last_at > NO_DATA:
                self._end(key, instance, now, f"no data for {_span(NO_DATA / SECOND)}")


def _rank(instance: _Instance) -> int:
    return severity_rank(instance.rule.severity)


def _start(rule: ThresholdRule, source: str, sample: HealthSample, at: int) -> _Instance:
    labels = dict(_labels(rule, source, sample))
    return _Instance(
        rule=rule,
        source=source,
        subject=sample.subject,
        labels=labels,
        fingerprint=fingerprint(labels),
        resource=sample.resource,
        active_at=at,
        last_at=at,
        value=sample.value,
        reason=sample.reason,
    )


def _labels(rule: ThresholdRule, source: str, sample: HealthSample) -> Iterator[tuple[str, str]]:
    yield "alertname", rule.name
    yield "severity", rule.severity
    yield "subject", sample.subject
    yield "source", source
    if host := host_of(sample.resource):
        yield "host", host
    if service := service_of(sample.resource):
        yield "service", service


def _alert(instance: _Instance, worst: _Instance | None) -> Alert:
    rule, state = instance.rule, instance.state
    held = state is AlertState.FIRING and worst is not None and _rank(worst) > _rank(instance)
    return Alert(
        at=instance.last_at,
        name=rule.name,
        state=AlertState.INHIBITED if held else state,
        severity=rule.severity,
        labels=instance.labels,
        annotations=dict(_annotations(instance)),
        starts_at=instance.fired_at or instance.active_at,
        ends_at=instance.resolved_at,
        fingerprint=instance.fingerprint,
        group={"alertname": rule.name},
        inhibited_by=(worst.fingerprint,) if held and worst is not None else (),
        expression=rule.expression,
        runbook_url=rule.runbook_url,
        value=instance.value if rule.state is None else None,
        source=SOURCE,
        resource=instance.resource,
    )


def _annotations(instance: _Instance) -> Iterator[tuple[str, str]]:
    value = "" if instance.value is None else f"{instance.value:g}"
    filled = {
        "{subject}": instance.subject,
        "{value}": value,
        "{reason}": instance.reason,
        "{host}": host_of(instance.resource),
        "{service}": service_of(instance.resource),
    }
    yield "summary", _fill(instance.rule.summary, filled)
    now = instance.reason if instance.rule.state is not None else value
    yield "description", instance.rule.expression + (f"; now {now}" if now else "")
    if instance.rule.runbook_url:
        yield "runbook_url", instance.rule.runbook_url
    if instance.resolution:
        yield "resolved", instance.resolution


def _fill(template: str, filled: Mapping[str, str]) -> str:
    """Fill a template in one pass, so that a value that looks like a placeholder stays as it is."""
    parts, rest = [], template
    while rest:
        start = rest.find("{")
        name = next((name for name in filled if rest.startswith(name, start)), "") if start >= 0 else ""
        if start < 0:
            parts.append(rest)
            break
        parts.append(rest[:start] + (filled[name] if name else "{"))
        rest = rest[start + (len(name) or 1) :]
    return "".join(parts)
