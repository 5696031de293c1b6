"""The alerts that stand, folded by fingerprint whoever reports them, grouped, now or as of a moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from cockpit.signals import Alert, AlertState, severity_rank
from cockpit.stores.base import Clock, Store, wall_clock

CHANGES = 20_000
"""Changes kept, to answer as of a moment."""

HELD_BACK = (AlertState.SILENCED, AlertState.ACKNOWLEDGED, AlertState.INHIBITED)
URGENCY = {
    AlertState.FIRING: 0,
    AlertState.PENDING: 1,
    AlertState.ACKNOWLEDGED: 2,
    AlertState.SILENCED: 3,
    AlertState.INHIBITED: 4,
    AlertState.RESOLVED: 5,
}
"""The order of states: what asks for somebody comes first."""


class AlertGroup(Struct, frozen=True, gc=False):
    """Alerts that belong together.

    Attributes:
        labels: What they are grouped by: Alertmanager's group labels, or the alert's name where it has none.
        alerts: The most urgent first.
    """

    labels: Mapping[str, str]
    alerts: Sequence[Alert]

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """What tells it from other groups."""
        return tuple(sorted(self.labels.items()))


Place = tuple[bool, int, int, int, str]
"""What alerts are ordered by; the last is the fingerprint."""

Change = tuple[int, str, Alert | None]
"""(when, fingerprint, the alert before)."""


class AlertStore(Store):
    """Alerts by fingerprint, each folded from the sources that report it."""

    def __init__(self, *, capacity: int = 50_000, clock: Clock = wall_clock) -> None:
        super().__init__()
        self.capacity = capacity
        self.refused = 0
        """Alerts past the bound."""
        self.arranged = 0
        """Moves when alerts came, went or changed place; `version` moves with every word about them."""
        self._clock = clock
        self._by_source: dict[str, dict[str, Alert]] = {}
        self._folded: dict[str, Alert] = {}
        self._changes: deque[Change] = deque(maxlen=CHANGES)
        self._places: dict[str, Place] = {}
        self._order: list[Place] = []
        """The places in their order, but for those that moved since it was last asked for."""
        self._moved: set[str] = set()
        self._view: tuple[tuple[int, int | None], list[Alert]] | None = None
        self._groups: tuple[tuple[int, int | None], list[AlertGroup]] | None = None

    def __len__(self) -> int:
        return len(self._folded)

    def append(self, batch: Sequence[Alert]) -> None:
        """Take alerts in; each replaces the one of its source and fingerprint."""
        for alert in batch:
            self._by_source.setdefault(alert.source, {})[alert.fingerprint] = alert
            self._fold(alert.fingerprint)
        self.touched()

    def replace(self, source: str, batch: Sequence[Alert]) -> None:
        """Take all alerts that a source knows now; its others are gone.

        One that is the same object as before is as it was: nothing is worked out again for it.
        """
        before = self._by_source.get(source, {})
        kept = batch[: self.capacity]
        self.refused += len(batch) - len(kept)
        after = {alert.fingerprint: alert for alert in kept}
        self._by_source[source] = after
        gone = before.keys() - after.keys()
        for fingerprint in gone:
            self._fold(fingerprint)
        news = [(known, alert) for known, alert in after.items() if before.get(known) is not alert]
        others = [alerts for name, alerts in self._by_source.items() if name != source and alerts]
        for fingerprint, alert in news:
            known = None if others else self._folded.get(fingerprint)
            if known is not None and _in_place(known, alert):
                self._folded[fingerprint] = alert
            else:
                self._fold(fingerprint)
        if gone or news:
            self.touched()

    def get(self, fingerprint: str, as_of: int | None = None) -> Alert | None:
        """Return one alert, now or as it was at a moment; None where it doesn't stand."""
        if as_of is None:
            return self._folded.get(fingerprint)
        return next((alert for alert in self.alerts(as_of) if alert.fingerprint == fingerprint), None)

    def alerts(self, as_of: int | None = None) -> list[Alert]:
        """Return every alert once: the most severe first, then the most urgent state, then the youngest."""
        stamp = (self.version, as_of)
        if self._view is None or self._view[0] != stamp:
            if as_of is None:
                self._sort()
                view = [self._folded[place[-1]] for place in self._order]
            else:
                view = sorted(self._as_of(as_of).values(), key=_order)
            self._view = (stamp, view)
        return self._view[1]

    def groups(self, as_of: int | None = None) -> list[AlertGroup]:
        """Return the alerts in their groups, the group of the first alert first."""
        stamp = (self.version, as_of)
        if self._groups is None or self._groups[0] != stamp:
            self._groups = (stamp, group(self.alerts(as_of)))
        return self._groups[1]

    def matching(self, test: Callable[[Mapping[str, str]], bool]) -> list[Alert]:
        """Return the alerts whose labels pass a test, in the order of `alerts`."""
        return [alert for alert in self.alerts() if test(alert.labels)]

    def _fold(self, fingerprint: str) -> None:
        """Work out one alert again from all that is said of it."""
        before = self._folded.get(fingerprint)
        said = [alerts[fingerprint] for alerts in self._by_source.values() if fingerprint in alerts]
        after = said[0] if len(said) == 1 else _merged(said) if said else None
        if before is not None and after is not None and _in_place(before, after):
            self._folded[fingerprint] = after
            return
        self.arranged += 1
        self._moved.add(fingerprint)
        self._changes.append((self._clock(), fingerprint, before))
        if after is None:
            self._folded.pop(fingerprint, None)
            self._places.pop(fingerprint, None)
        elif before is not None or len(self._folded) < self.capacity:
            self._folded[fingerprint] = after
            self._places[fingerprint] = _order(after)
        else:
            self.refused += 1

    def _sort(self) -> None:
        """Put what moved in its place; what stood still is in order, which makes the sort a merge."""
        if not self._moved:
            return
        order = [place for place in self._order if place[-1] not in self._moved]
        order += [self._places[fingerprint] for fingerprint in self._moved if fingerprint in self._places]
        order.sort()
        self._order = order
        self._moved.clear()

    def _as_of(self, moment: int) -> dict[str, Alert]:
        """Undo the changes since a moment.

        What started after it, by its own word, goes as well; what was first heard of later but had started by then
        stays, as it was first heard of.
        """
        then = dict(self._folded)
        for at, fingerprint, before in reversed(self._changes):
            if at <= moment:
                break
            if before is not None:
                then[fingerprint] = before
            elif (heard := then.get(fingerprint)) is not None and not heard.starts_at:
                del then[fingerprint]
        return {fingerprint: alert for fingerprint, alert in then.items() if alert.starts_at <= moment}


def group(alerts: Sequence[Alert]) -> list[AlertGroup]:
    """Put alerts into their groups, keeping their order."""
    groups: dict[tuple[tuple[str, str], ...], list[Alert]] = {}
    known: dict[int, list[Alert]] = {}  # the alerts of one answer share their group's labels
    for alert in alerts:
        members = known.get(id(alert.group)) if alert.group else None
        if members is None:
            labels = alert.group or {"alertname": alert.name}
            members = groups.setdefault(tuple(sorted(labels.items())), [])
            known[id(alert.group)] = members
        members.append(alert)
    return [AlertGroup(dict(key), members) for key, members in groups.items()]


def _in_place(before: Alert, after: Alert) -> bool:
    """Say whether two reports of one alert have the same place in the order."""
    return (
        before.state is after.state
        and before.starts_at == after.starts_at
        and (before.severity is after.severity or before.severity == after.severity)
    )


def _order(alert: Alert) -> Place:
    held = alert.state in HELD_BACK or alert.state is AlertState.RESOLVED
    return held, -severity_rank(alert.severity), URGENCY[alert.state], -alert.starts_at, alert.fingerprint


def _merged(said: Sequence[Alert]) -> Alert:
    """Fold what several sources say of one alert.

    One that has receivers notifies people, so it decides whether the alert is held back, and an alert that fires at
    any of them fires. The others, such as the Prometheus that evaluates the rule, add what they alone know.
    """
    notifying = [alert for alert in said if alert.receivers] or list(said)
    base = min(notifying, key=lambda alert: URGENCY[alert.state])

    def known(field: str) -> object:
        return getattr(base, field) or next((value for alert in said if (value := getattr(alert, field))), "")

    value = (
        base.value if base.value is not None else next((a.value for a in said if a.value is not None), None)
    )
    return replace(
        base,
        at=max(alert.at for alert in said),
        expression=known("expression"),
        generator_url=known("generator_url"),
        runbook_url=known("runbook_url"),
        value=value,
        annotations=known("annotations") or {},
        starts_at=min(alert.starts_at for alert in said),
    )
