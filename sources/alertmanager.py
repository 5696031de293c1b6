"""Alertmanager: grouped alerts, what holds each back, silences, and making and ending those.

The members of a cluster are read side by side and folded into one list, for any of them may be the one that is cut
off. Silencing is an argv in amtool's dialect that `act` carries out over the API, so it goes through the cockpit's
one door like any other command.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import ClassVar

from cockpit.errors import BadAnswer, CommandError, ConfigError, Denied, SourceError, Unreachable
from cockpit.signals import Alert, HealthSample, HealthState, Silence, rfc3339
from cockpit.source import Emit, PollingSource, Silencing
from sources.support import amapi, amfold, amtool
from sources.support.carried import carried
from sources.support.http import HttpClient, HttpOptions, TransportFactory
from sources.support.http_errors import NotFound, Unanswered
from sources.support.together import together

MAX_ALERTS = 20_000
"""Alerts taken in all."""
LARGE = 200
"""Alerts from which folding them is done in a thread."""


class AlertmanagerOptions(HttpOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of an alertmanager source."""

    url: str = ""
    """The address, such as `http://alertmanager:9093`; a cluster has `urls`."""
    urls: tuple[str, ...] = ()
    """The addresses of a cluster's members; one that is down degrades the source and no more."""
    acknowledge_mark: str = "ack:"
    """How a silence's comment starts when it acknowledges an alert rather than holds it back."""


class AlertmanagerSource(PollingSource[AlertmanagerOptions]):
    """Feeds alerts from an Alertmanager or a cluster of them, and silences there."""

    kind = "alertmanager"
    summary = "Alertmanager (API v2): grouped alerts, silences, inhibition; silences and acknowledges"
    options_type = AlertmanagerOptions
    emits: ClassVar[frozenset[type]] = frozenset({Alert, HealthSample})
    offers: ClassVar[frozenset[str]] = frozenset({"list_silences", "silence_argv", "expire_argv", "act"})
    carried = True

    def __init__(
        self, name: str, options: AlertmanagerOptions, *, transport: TransportFactory | None = None
    ) -> None:
        super().__init__(name, options)
        urls = dict.fromkeys((*([options.url] if options.url else []), *options.urls))
        if not urls:
            raise ConfigError(
                "an alertmanager source needs an address", key="url", remedy="set `url` or `urls`"
            )
        self.members = tuple(
            HttpClient(name, options, url=url, transport=transport or carried(self)) for url in urls
        )
        self._readers = {member: amapi.GroupReader(name) for member in self.members}
        self._folder = amfold.Folder(name, mark=options.acknowledge_mark, limit=MAX_ALERTS)
        self._emit: Emit | None = None
        self._polling = asyncio.Lock()

    async def poll(self, emit: Emit) -> None:
        """Read all members and emit what they say together.

        Raises:
            SourceError: Not one of them answered; the first one's reason.
        """
        self._emit = emit
        async with self._polling:
            found = await together(self._read(member) for member in self.members)
            readings = [result[0] for result in found if isinstance(result, tuple)]
            if not readings:
                raise next(result for result in found if isinstance(result, SourceError))
            alerts = await self._folded(readings)
            rows = [
                self._member_row(member, result) for member, result in zip(self.members, found, strict=True)
            ]
            await emit.replace(Alert, alerts)
            await emit.replace(HealthSample, rows)

    async def check(self) -> str:
        """Ask every member who it is, and count alerts and silences."""
        try:
            members = await together(self._introduced(member) for member in self.members)
            if all(isinstance(one, SourceError) for one in members):
                raise next(one for one in members if isinstance(one, SourceError))
            async with self._polling:
                found = await together(self._read(member) for member in self.members)
                readings = [result[0] for result in found if isinstance(result, tuple)]
                alerts = await self._folded(readings)
            silences = {
                one.id for reading in readings for one in reading.silences if one.status.state == "active"
            }
        finally:
            await self.aclose()
        said = [one.message if isinstance(one, SourceError) else one for one in members]
        if len(said) > 1:
            said = [f"{member.url}: {one}" for member, one in zip(self.members, said, strict=True)]
        return ", ".join([*said, f"{len(alerts)} alerts", f"{len(silences)} active silences"])

    async def list_silences(self) -> list[Silence]:
        """Return the silences that are active or pending, those of all members that answer, the next to end first.

        Raises:
            SourceError: Not one of them answered.
        """
        found = await together(self._silences(member) for member in self.members)
        answers = [result for result in found if not isinstance(result, SourceError)]
        if not answers:
            raise next(result for result in found if isinstance(result, SourceError))
        merged = {one.id: one for answer in answers for one in answer if one.status.state != "expired"}
        silences = [amapi.silence_of(one, self.name) for one in merged.values()]
        return sorted(silences, key=lambda silence: silence.ends_at)

    def silence_argv(self, wanted: Silencing) -> tuple[str, ...]:
        """Return the argv that, given to `act`, makes this silence.

        Raises:
            CommandError: It lacks a comment, an author or a matcher, or would last no time or too long.
        """
        return amtool.silence_argv(wanted)

    def expire_argv(self, silence_id: str) -> tuple[str, ...]:
        """Return the argv that, given to `act`, ends a silence now."""
        return amtool.expire_argv(silence_id)

    async def act(self, argv: Sequence[str]) -> str:
        """Make or end a silence on the first member that can be reached, and look again at once.

        Returns:
            The new silence's identifier; of an ending, a line for each silence.

        Raises:
            CommandError: The argv is not understood, or its silence is not allowed.
            Unanswered: It was sent, and whether it took effect is not known.
            SourceError: It did not take effect.
        """
        wanted = amtool.parse(argv, now=time.time_ns())
        if isinstance(wanted, amtool.Expiring):
            said = "\n".join([await self._expire(one) for one in wanted.ids])
        else:
            said = await self._make(wanted)
        if self._emit is not None:
            # What was asked for is done; a look that fails now is told by the next one.
            with contextlib.suppress(SourceError):
                await self.poll(self._emit)
        return said

    async def _make(self, wanted: Silencing) -> str:
        if wanted.ends_at <= time.time_ns():
            raise CommandError("the silence would have ended already", where=self.name, remedy="check --end")
        body = amapi.PostableSilence(
            matchers=[amapi.ApiMatcher(m.name, m.value, m.is_regex, m.is_equal) for m in wanted.matchers],
            startsAt=rfc3339(wanted.starts_at, digits=3),
            endsAt=rfc3339(wanted.ends_at, digits=3),
            createdBy=wanted.created_by,
            comment=wanted.comment,
        )
        for member in self.members[:-1]:
            with contextlib.suppress(_NotSent):
                return await self._post(member, body)
        return await self._post(self.members[-1], body)

    async def _post(self, member: HttpClient, body: amapi.PostableSilence) -> str:
        try:
            made = await member.post_json("/api/v2/silences", body, amapi.SilenceMade)
        except Unanswered:
            raise
        except Unreachable as error:
            raise _NotSent(error.message, where=self.name, remedy=error.remedy) from None
        return made.silenceID

    async def _expire(self, silence_id: str) -> str:
        for member in self.members[:-1]:
            with contextlib.suppress(_NotSent):
                return await self._delete(member, silence_id)
        return await self._delete(self.members[-1], silence_id)

    async def _delete(self, member: HttpClient, silence_id: str) -> str:
        try:
            await member.fetch("DELETE", f"/api/v2/silence/{silence_id}")
        except BadAnswer as error:
            # Alertmanager 0.25 answers 500 for an identifier it doesn't know, later ones 404.
            if isinstance(error, NotFound) or "not found" in error.message:
                raise CommandError(
                    f"there is no silence {silence_id}", where=self.name, remedy="has it expired already?"
                ) from None
            raise
        except Unanswered:
            raise
        except Unreachable as error:
            raise _NotSent(error.message, where=self.name, remedy=error.remedy) from None
        return f"silence {silence_id} expired"

    async def _folded(self, readings: list[amapi.Reading]) -> list[Alert]:
        size = sum(len(group.alerts or ()) for reading in readings for group in reading.groups)
        if size > LARGE:
            return await asyncio.to_thread(self._folder.fold, readings, now=time.time_ns())
        return self._folder.fold(readings, now=time.time_ns())

    async def _read(self, member: HttpClient) -> tuple[amapi.Reading, float] | SourceError:
        """Read one member; what goes wrong is returned as a value, for the others to go on."""
        try:
            await member.open()
            started = time.perf_counter()
            return await self._reading(member), time.perf_counter() - started
        except (Unreachable, Denied, BadAnswer) as error:
            return error

    async def _introduced(self, member: HttpClient) -> str | SourceError:
        try:
            status = await member.get_json("/api/v2/status", amapi.Status)
        except (Unreachable, Denied, BadAnswer) as error:
            return error
        return f"Alertmanager {status.versionInfo.version} (cluster {status.cluster.status})"

    async def _reading(self, member: HttpClient) -> amapi.Reading:
        silences = asyncio.ensure_future(member.get_json("/api/v2/silences", list[amapi.GettableSilence]))
        try:
            groups = await member.get_read(amapi.GROUPS, self._readers[member].read)
            return amapi.Reading(groups, await silences)
        finally:
            silences.cancel()
            await asyncio.gather(silences, return_exceptions=True)

    async def _silences(self, member: HttpClient) -> list[amapi.GettableSilence] | SourceError:
        try:
            return await member.get_json("/api/v2/silences", list[amapi.GettableSilence])
        except (Unreachable, Denied, BadAnswer) as error:
            return error

    def _member_row(
        self, member: HttpClient, result: tuple[amapi.Reading, float] | SourceError
    ) -> HealthSample:
        failed = isinstance(result, SourceError)
        return HealthSample(
            at=time.time_ns(),
            subject=f"alertmanager {member.url}",
            kind="source",
            state=HealthState.DOWN if failed else HealthState.OK,
            reason=result.message if isinstance(result, SourceError) else "",
            value=None if isinstance(result, SourceError) else result[1],
            unit="s",
            source=self.name,
        )

    async def aclose(self) -> None:
        """Close the connections; a later question opens them again."""
        for member in self.members:
            await member.aclose()


class _NotSent(Unreachable):
    """The request never left, so another member can be asked."""
