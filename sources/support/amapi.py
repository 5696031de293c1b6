"""Answers of Alertmanager's API, version 2, as typed structs, and what they mean as signals.

The shapes follow the OpenAPI description that Alertmanager's repository holds (api/v2/openapi.yaml).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from cockpit.signals import Alert, AlertState, Matcher, Silence, fingerprint, rfc3339
from sources.support.promlabels import resource_of
from sources.support.timestamps import nanoseconds

MAX_EXPRESSION = 8_000


class Receiver(Struct, frozen=True, gc=False):
    """Who is told."""

    name: str = ""


class AlertStatus(Struct, frozen=True, gc=False):
    """Whether an alert is held back, and by what."""

    state: str = "unprocessed"
    silencedBy: list[str] | None = None
    inhibitedBy: list[str] | None = None
    mutedBy: list[str] | None = None


class GettableAlert(Struct, frozen=True, gc=False):
    """One alert."""

    labels: dict[str, str]
    annotations: dict[str, str] | None = None
    startsAt: str = ""
    endsAt: str = ""
    updatedAt: str = ""
    fingerprint: str = ""
    generatorURL: str = ""
    receivers: list[Receiver] | None = None
    status: AlertStatus = AlertStatus()


class AlertGroup(Struct, frozen=True, gc=False):
    """Alerts that are told together."""

    labels: dict[str, str] | None = None
    receiver: Receiver = Receiver()
    alerts: list[GettableAlert] | None = None


class ApiMatcher(Struct, frozen=True, gc=False):
    """One condition of a silence."""

    name: str
    value: str
    isRegex: bool = False
    isEqual: bool = True


class SilenceStatus(Struct, frozen=True, gc=False):
    """Where a silence is in its life."""

    state: str = "active"


class GettableSilence(Struct, frozen=True, gc=False):
    """One silence."""

    id: str
    matchers: list[ApiMatcher]
    startsAt: str = ""
    endsAt: str = ""
    createdBy: str = ""
    comment: str = ""
    status: SilenceStatus = SilenceStatus()


class PostableSilence(Struct, frozen=True, gc=False):
    """A silence to be made."""

    matchers: list[ApiMatcher]
    startsAt: str
    endsAt: str
    createdBy: str
    comment: str


class SilenceMade(Struct, frozen=True, gc=False):
    """The answer to a silence that was made."""

    silenceID: str


class VersionInfo(Struct, frozen=True, gc=False):
    """Which build answers."""

    version: str = ""


class ClusterStatus(Struct, frozen=True, gc=False):
    """Whether members talk to each other: `ready`, `settling` or `disabled`."""

    status: str = ""


class Status(Struct, frozen=True, gc=False):
    """Who answers."""

    versionInfo: VersionInfo = VersionInfo()
    cluster: ClusterStatus = ClusterStatus()


def silence_of(found: GettableSilence, source: str) -> Silence:
    """Return a silence as the cockpit holds it."""
    return Silence(
        id=found.id,
        matchers=tuple(Matcher(m.name, m.value, m.isRegex, m.isEqual) for m in found.matchers),
        starts_at=nanoseconds(found.startsAt),
        ends_at=nanoseconds(found.endsAt),
        created_by=found.createdBy,
        comment=found.comment,
        state=found.status.state,
        source=source,
    )


class Reading(Struct, frozen=True, gc=False):
    """What one member of a cluster says."""

    groups: list[AlertGroup]
    silences: list[GettableSilence]


def alerts_of(readings: Iterable[Reading], *, now: int, source: str, mark: str, limit: int) -> list[Alert]:
    """Merge what members say into alerts, each fingerprint once.

    Where members differ in an alert's state, the louder one stands: a silence that has not reached a member does not
    keep that member from telling people.

    Args:
        readings: One a member.
        now: When they were read, in nanoseconds.
        source: The source's name.
        mark: How a silence's comment starts when it is an acknowledgement.
        limit: Alerts kept.
    """
    readings = list(readings)
    silences = {one.id: one for reading in readings for one in reading.silences}
    merged: dict[str, Alert] = {}
    for reading in readings:
        for group in reading.groups:
            for found in group.alerts or ():
                alert = _alert(found, group, silences, now=now, source=source, mark=mark)
                known = merged.get(alert.fingerprint)
                if known is not None:
                    merged[alert.fingerprint] = _merged(known, alert)
                elif len(merged) < limit:
                    merged[alert.fingerprint] = alert
    names = {fingerprint: _title(alert) for fingerprint, alert in merged.items()}
    return [_inhibited(alert, names) for alert in merged.values()]


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


def _inhibited(alert: Alert, names: Mapping[str, str]) -> Alert:
    if not alert.inhibited_by:
        return alert
    by = ", ".join(names.get(one, f"an alert not listed here ({one})") for one in alert.inhibited_by)
    words = f"inhibited by {by}"
    return replace(alert, held_by=f"{alert.held_by}; {words}" if alert.held_by else words)


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
