"""The silence form: what it would hit is counted and listed while one types."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from cockpit.errors import UsageError
from cockpit.rules import SOURCE as RULES
from cockpit.signals import SECOND, Alert, Matcher
from cockpit.source import Silencing
from cockpit.stores.alerts import AlertStore
from cockpit.stores.matching import compile_matchers, parse_matchers
from widgets.detail import Detail
from widgets.text import age, clock, safe

ACK_MARK = "ack:"
"""How an acknowledgement's comment starts, so that it is told from a silence."""
ACK_SPAN = 3600 * SECOND
LONG = 24 * 3600 * SECOND
SHORT = 10 * 60 * SECOND
PREVIEW = 12
_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60}


def acknowledgement(alert: Alert, author: str, now: int) -> Silencing:
    """Return the short silence that acknowledges one alert: all its labels, so that nothing else is hit."""
    return Silencing(
        matchers=tuple(Matcher(name, value) for name, value in sorted(alert.labels.items())),
        starts_at=now,
        ends_at=now + ACK_SPAN,
        created_by=author,
        comment=f"{ACK_MARK} {author} looks at it",
    )


def parse_duration(text: str) -> int:
    """Read `2h`, `1h30m` or `3d` and return nanoseconds.

    Raises:
        UsageError: It is none of these.
    """
    if not re.fullmatch(r"(?:\d{1,4}[wdhm])+", text.strip()):
        raise UsageError(f"{text!r} is no duration", remedy="such as 2h, 1h30m or 3d")
    seconds = sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([wdhm])", text))
    if not seconds:
        raise UsageError("a silence needs a duration", remedy="such as 2h")
    return seconds * SECOND


class SilenceForm(Detail):
    """Matchers, duration and a comment, with a live preview."""

    DEFAULT_CSS = """
    SilenceForm {
        & .form--row { height: 1; padding: 0 1; }
        & .form--row > Label { width: 11; color: $text-muted; }
        & .form--row > Input { width: 1fr; height: 1; border: none; padding: 0; background: $boost; }
        & .form--row > Input:focus { background: $panel; text-style: bold; }
        & .form--hint { height: auto; padding: 0 1; color: $text-warning; }
    }
    """

    @dataclass
    class Sent(Message):
        """The form was sent.

        Attributes:
            source: Which source shall hold the silence.
            wanted: The silence.
        """

        source: str
        wanted: Silencing

    def __init__(
        self,
        store: AlertStore,
        sources: Sequence[str],
        matchers: Sequence[Matcher],
        meant: Collection[str],
        *,
        author: str,
        now: int,
    ) -> None:
        """Make the form.

        Args:
            store: The alerts to preview on.
            sources: Which sources could hold the silence, the best first.
            matchers: What the form starts with.
            meant: Fingerprints of the alerts that the operator had in mind.
            author: In whose name.
            now: Nanoseconds.
        """
        super().__init__("New silence", {})
        self.store = store
        self.sources = list(sources)
        self.matchers = matchers
        self.meant = set(meant)
        self.author = author
        self.now = now

    def compose(self) -> ComposeResult:
        """Lay fields, hint and preview under one another."""
        text = ", ".join(map(str, self.matchers))
        yield Static(
            Content("New silence · Tab next field · Enter sends · Esc drops it"), classes="detail--heading"
        )
        for name, value, hint in (
            ("comment", "", "required: why, and who knows more"),
            ("duration", "2h", "such as 30m, 2h, 1d"),
            ("matchers", text, 'such as alertname="Down", instance=~"db-.*"'),
            ("author", self.author, "in whose name"),
            ("source", self.sources[0], f"one of {', '.join(self.sources)}"),
        ):
            with Horizontal(classes="form--row"):
                yield Label(name)
                yield Input(value, placeholder=hint, id=f"silence-{name}", compact=True)
        yield Static(id="silence-hint", classes="form--hint")
        yield Static(id="silence-preview", classes="form--row detail--fields")

    def on_mount(self) -> None:
        """Start with the comment, which nobody can leave out."""
        self.query_one("#silence-preview").styles.height = "auto"
        self._preview()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._preview()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            wanted = self.wanted()
        except UsageError as error:
            self._hint(str(error))
            return
        self.post_message(self.Sent(self._value("source"), wanted))

    def wanted(self) -> Silencing:
        """Return the silence that the form asks for.

        Raises:
            UsageError: A field is missing or wrong.
        """
        comment, author = self._value("comment"), self._value("author")
        if not comment:
            raise UsageError("a silence needs a comment", remedy="say why, for whoever finds it")
        if not author:
            raise UsageError("a silence needs an author")
        if self._value("source") not in self.sources:
            raise UsageError(
                f"{self._value('source')!r} takes no silences", remedy=f"one of {', '.join(self.sources)}"
            )
        matchers = parse_matchers(self._value("matchers"))
        if not any(matcher.is_equal and matcher.value for matcher in matchers):
            raise UsageError("a silence needs a matcher that does not match everything")
        compile_matchers(matchers)
        return Silencing(
            matchers=matchers,
            starts_at=self.now,
            ends_at=self.now + parse_duration(self._value("duration")),
            created_by=author,
            comment=comment,
        )

    def follow_now(self, now: int) -> None:
        """Let the start move on with the clock, and count again."""
        self.now = now
        self._preview()

    def _value(self, name: str) -> str:
        return self.query_one(f"#silence-{name}", Input).value.strip()

    def _preview(self) -> None:
        """Count and list what the matchers hit now, and warn of what may not be meant."""
        lines: list[str] = []
        hints: list[str] = []
        try:
            matchers = parse_matchers(self._value("matchers"))
            found = self.store.matching(compile_matchers(matchers)) if matchers else []
            hit = [alert for alert in found if alert.source != RULES]
        except UsageError as error:
            hit = []
            hints.append(str(error))
        more = sum(alert.fingerprint not in self.meant for alert in hit)
        missed = len(self.meant) - (len(hit) - more)
        noun = "alert that stands" if len(hit) == 1 else "alerts that stand"
        lines.append(f"would hold back {len(hit):,} {noun} now, and any that come and match")
        if more:
            hints.append(f"{more:,} of them are more than you chose")
        if missed > 0:
            hints.append(f"{missed:,} of those you chose are not hit")
        hints += self._warn_of_expiry()
        lines += [f"  {alert.severity or 'none'} {alert.name} {_instance(alert)}" for alert in hit[:PREVIEW]]
        if len(hit) > PREVIEW:
            lines.append(f"  … and {len(hit) - PREVIEW:,} more")
        self.query_one("#silence-preview", Static).update(
            Content("\n".join(safe(line, 200) for line in lines))
        )
        self._hint(" · ".join(hints))

    def _warn_of_expiry(self) -> list[str]:
        try:
            span = parse_duration(self._value("duration"))
        except UsageError as error:
            return [str(error)]
        ends = f"it expires {clock(self.now + span, date=True)} UTC"
        if span > LONG:
            return [f"{ends}: {age(span)} is long; who will remember it?"]
        if span < SHORT:
            return [f"{ends}: it may fire again before you are done"]
        return [ends]

    def _hint(self, text: str) -> None:
        self.query_one("#silence-hint", Static).update(Content(safe(text, 400)))


def _alerts(count: int) -> str:
    return "1 alert" if count == 1 else f"{count:,} alerts"


def _instance(alert: Alert) -> str:
    return alert.labels.get("instance", "") or alert.labels.get("service", "")
