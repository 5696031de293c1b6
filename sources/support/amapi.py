"""Answers of Alertmanager's API, version 2, as typed structs.

The shapes follow the OpenAPI description that Alertmanager's repository holds (api/v2/openapi.yaml).
"""

from __future__ import annotations

from msgspec import Raw, Struct

from cockpit.signals import Matcher, Silence
from sources.support.http_body import decode
from sources.support.timestamps import nanoseconds


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
    fingerprint: str = ""
    generatorURL: str = ""
    receivers: list[Receiver] | None = None
    status: AlertStatus = AlertStatus()


class AlertGroup(Struct, frozen=True, gc=False):
    """Alerts that are told together."""

    labels: dict[str, str] | None = None
    receiver: Receiver = Receiver()
    alerts: list[GettableAlert] | None = None


class RawGroup(Struct, frozen=True, gc=False):
    """A group whose alerts are not decoded yet."""

    labels: dict[str, str] | None = None
    receiver: Receiver = Receiver()
    alerts: list[Raw] | None = None


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


GROUPS = "/api/v2/alerts/groups"


class GroupReader:
    """Decodes one member's alert groups, poll after poll; an alert given in the same bytes again is the same object.

    Ten thousand alerts take 15 ms to decode in one piece, during which no other thread has a turn. Most of them are
    as they were, so only the frame around them is decoded at once, in a sixth of that.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._known: dict[bytes, GettableAlert] = {}

    def read(self, body: bytes) -> list[AlertGroup]:
        """Return the groups that an answer holds.

        Raises:
            BadAnswer: It is no JSON, or not of that shape.
        """
        before, after = self._known, dict[bytes, GettableAlert]()
        groups = []
        for group in decode(body, list[RawGroup], where=self._where, path=GROUPS):
            alerts = []
            for piece in group.alerts or ():
                raw = bytes(piece)
                alert = after.get(raw) or before.get(raw)
                if alert is None:
                    alert = decode(raw, GettableAlert, where=self._where, path=GROUPS)
                after[raw] = alert
                alerts.append(alert)
            groups.append(AlertGroup(group.labels, group.receiver, alerts))
        self._known = after
        return groups
