"""Alertmanager's answers folded into alerts, each fingerprint once, whoever of a cluster reports it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from cockpit.signals import Alert, AlertState, fingerprint, rfc3339
from sources.support.amapi import AlertGroup, AlertStatus, GettableAlert, GettableSilence, Reading
from sources.support.promlabels import resource_of
from sources.support.timestamps import nanoseconds

MAX_EXPRESSION = 8_000
NEVER = 1 << 63


class _Said(Struct, frozen=True, gc=False):
    """What one member says of an alert in one of its groups, as it was worked out."""

    found: GettableAlert
    group: AlertGroup
    alert: Alert
    until: int
    """When its end, which lies ahead, is reached."""


class _Folded(Struct, frozen=True, gc=False):
    """An alert as it was told last, and what it was made of."""

    alert: Alert
    parts: tuple[Alert, ...]
    words: str
    """Which alerts inhibit it."""


class Folder:
    """Merges what members say into alerts, poll after poll.

    Where members differ in an alert's state, the louder one stands: a silence that has not reached a member does not
    keep that member from telling people.

    An alert of which nothing new is said is the very object of the poll before, which spares all that come after
    from looking at it again: of ten thousand alerts most are as they were.
    """

    def __init__(self, source: str, *, mark: str, limit: int) -> None:
        """Make a folder that remembers nothing yet.

        Args:
            source: The source's name.
            mark: How a silence's comment starts when it is an acknowledgement.
            limit: Alerts kept.
        """
        self._source = source
        self._mark = mark
        self._limit = limit
        self._silences: dict[str, GettableSilence] = {}
        self._groups: dict[tuple[object, ...], AlertGroup] = {}
        self._said: dict[tuple[int, int], _Said] = {}
        self._folded: dict[str, _Folded] = {}

    def fold(self, readings: Iterable[Reading], *, now: int) -> list[Alert]:
        """Return all alerts of the readings, one a member, that were taken at `now`, in nanoseconds."""
        readings = list(readings)
        self._learn({one.id: one for reading in readings for one in reading.silences})
        before, said = self._said, dict[tuple[int, int], _Said]()
        groups = dict[tuple[object, ...], AlertGroup]()
        parts: dict[str, list[Alert]] = {}
        for reading in readings:
            for each in reading.groups:
                key = (each.receiver.name, *sorted((each.labels or {}).items()))
                group = groups[key] = groups.get(key) or self._groups.get(key, each)
                for found in each.alerts or ():
                    place = id(found), id(group)
                    one = before.get(place)
                    if one is None or now >= one.until:
                        one = self._say(found, group, now)
                    said[place] = one
                    if one.alert.fingerprint in parts:
                        parts[one.alert.fingerprint].append(one.alert)
                    elif len(parts) < self._limit:
                        parts[one.alert.fingerprint] = [one.alert]
        self._said, self._groups = said, groups
        self._folded = {known: self._one(known, tuple(all_said), parts) for known, all_said in parts.items()}
        return [folded.alert for folded in self._folded.values()]

    def _learn(self, silences: dict[str, GettableSilence]) -> None:
        """Forget what was worked out of silences when they are others by now."""
        if silences != self._silences:
            self._silences = silences
            self._said = {place: one for place, one in self._said.items() if not one.alert.silenced_by}

    def _say(self, found: GettableAlert, group: AlertGroup, now: int) -> _Said:
        alert = _alert(found, group, self._silences, now=now, source=self._source, mark=self._mark)
        ahead = nanoseconds(found.endsAt)
        return _Said(found, group, alert, ahead if ahead > now else NEVER)

    def _one(self, known: str, parts: tuple[Alert, ...], all_parts: Mapping[str, list[Alert]]) -> _Folded:
        """Merge what is said of one alert, or take what was told before where that is the same."""
        before = self._folded.get(known)
        same = before if before is not None and _identical(parts, before.parts) else None
        if same is not None and not same.alert.inhibited_by:
            return same
        alert = reduce(_merged, parts)
        words = _inhibited_in_words(alert, all_parts)
        if same is not None and words == same.words:
            return same
        if words:
            alert = replace(alert, held_by=f"{alert.held_by}; {words}" if alert.held_by else words)
        if before is not None and replace(alert, at=before.alert.at) == before.alert:
            alert = before.alert
        return _Folded(alert, parts, words)


def _identical(some: tuple[Alert, ...], others: tuple[Alert, ...]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _alert(
    found: GettableAlert,
    group: AlertGroup,
    silences: Mapping[str, GettableSilence],
    *,
    now: int,
    source: str,
    mark: str,
) -> Alert:
    annotations = found.annotations or {}
    silenced_by = tuple(found.status.silencedBy or ())
    holding = [silences[one] for one in silenced_by if one in silences]
    return Alert(
        at=now,
        name=found.labels.get("alertname", ""),
        state=_state(found.status, holding, mark),
        severity=found.labels.get("severity", ""),
        labels=found.labels,
        annotations=annotations,
        starts_at=nanoseconds(found.startsAt),
        ends_at=_end(found, now),
        fingerprint=found.fingerprint or fingerprint(found.labels),
        group=group.labels or {},
        receivers=tuple(receiver.name for receiver in found.receivers or (group.receiver,)),
        silenced_by=silenced_by,
        inhibited_by=tuple(found.status.inhibitedBy or ()),
        held_by="; ".join(_held_in_words(found.status, silences)),
        expression=_expression(found.generatorURL),
        generator_url=found.generatorURL,
        runbook_url=annotations.get("runbook_url", "") or annotations.get("runbook", ""),
        source=source,
        resource=resource_of(found.labels),
    )


def _state(status: AlertStatus, holding: list[GettableSilence], mark: str) -> AlertState:
    if status.silencedBy:
        if mark and any(silence.comment.startswith(mark) for silence in holding):
            return AlertState.ACKNOWLEDGED
        return AlertState.SILENCED
    if status.inhibitedBy:
        return AlertState.INHIBITED
    return AlertState.SILENCED if status.state == "suppressed" else AlertState.FIRING


def _end(found: GettableAlert, now: int) -> int:
    """Return when an alert ended; the time-out that Alertmanager gives to a firing one lies ahead and is none."""
    end = nanoseconds(found.endsAt)
    return end if end <= now else 0


def _held_in_words(status: AlertStatus, silences: Mapping[str, GettableSilence]) -> Iterator[str]:
    for one in status.silencedBy or ():
        yield _silence_in_words(silences[one]) if one in silences else f"silenced by {one}"
    for interval in status.mutedBy or ():
        yield f"muted by the time interval {interval}"


def _silence_in_words(silence: GettableSilence) -> str:
    until = rfc3339(nanoseconds(silence.endsAt))[:16].replace("T", " ")
    return f"silenced by {silence.createdBy or 'nobody named'} until {until} UTC: {silence.comment}"


def _title(alert: Alert) -> str:
    service = alert.resource.get("service.name", "")
    return f"{alert.name} ({service})" if service else alert.name


def _inhibited_in_words(alert: Alert, parts: Mapping[str, list[Alert]]) -> str:
    if not alert.inhibited_by:
        return ""
    names = (
        _title(parts[one][0]) if one in parts else f"an alert not listed here ({one})"
        for one in alert.inhibited_by
    )
    return f"inhibited by {', '.join(names)}"


_LOUD = {AlertState.FIRING: 0, AlertState.ACKNOWLEDGED: 1, AlertState.SILENCED: 2, AlertState.INHIBITED: 3}


def _merged(one: Alert, other: Alert) -> Alert:
    """Fold two reports of one alert, of two members or of two routes of one member."""
    louder = min(one, other, key=lambda alert: _LOUD.get(alert.state, 0))
    starts = [start for start in (one.starts_at, other.starts_at) if start]
    return replace(
        louder,
        starts_at=min(starts, default=0),
        receivers=tuple(dict.fromkeys(one.receivers + other.receivers)),
    )


def _expression(generator_url: str) -> str:
    """Return the rule's expression out of the link that Prometheus gives to its graph."""
    if len(generator_url) > MAX_EXPRESSION:
        return ""
    try:
        return parse_qs(urlsplit(generator_url).query, max_num_fields=50).get("g0.expr", [""])[0]
    except ValueError:
        return ""
