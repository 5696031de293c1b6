"""The alerts pane: what fires, in Alertmanager's groups, and what holds the rest back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult

from cockpit.errors import UsageError
from cockpit.evidence import Pin, of_alerts
from cockpit.keymap import Action
from cockpit.rules import SOURCE as RULES
from cockpit.signals import EMPTY, SECOND, Alert, AlertState, Resource, host_of, service_of
from cockpit.stores.alerts import HELD_BACK, URGENCY, AlertGroup, group
from cockpit.stores.base import Stores
from cockpit.stores.matching import common_matchers, compile_matchers, looks_like_matchers, parse_matchers
from widgets.asking import Asks
from widgets.keys import bindings, caught_up
from widgets.messages import Noticed, ScopeNarrowed, SilenceEnded, SilenceRequested
from widgets.pane import Pane
from widgets.rows import Piece, RowList, columns, widest
from widgets.text import age, clock, safe, severity_mark, severity_style

if TYPE_CHECKING:
    from widgets.silence import SilenceForm

STATE_STYLE = {AlertState.FIRING: "error", AlertState.PENDING: "warning", AlertState.RESOLVED: "ok"}
ROOMY = 76
"""Cells from which a row's words are written out."""
SHORT = {"critical": "crit", "warning": "warn", "error": "err", "information": "info"}
ASKED_SPAN = 30 * SECOND
BULK = 200
"""Alerts that one bulk acknowledgement may take."""


class AlertRow(Struct, frozen=True, gc=False):
    """A line of the list: a group's heading, or an alert beneath it.

    Attributes:
        group: The group.
        alert: The alert; None for the heading.
        folded: Whether the heading's alerts are folded away.
    """

    group: AlertGroup
    alert: Alert | None = None
    folded: bool = False


class AlertsPane(Pane):
    """Alerts with severity, age, service and state; silences and acknowledgements are made here."""

    NAME: ClassVar[str] = "alerts"
    SIGNAL: ClassVar[str] = "Alert"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action(
            "alerts.acknowledge", ("a",), "ack", "Acknowledge: a short silence in your name.", footer=True
        ),
        Action(
            "alerts.silence",
            ("s",),
            "silence",
            "Silence this alert, or the group on its heading.",
            footer=True,
            priority=True,
        ),
        Action(
            "alerts.silence_shown",
            ("S",),
            "silence shown",
            "Silence by the filter: what it shows now.",
            priority=True,
        ),
        Action("alerts.acknowledge_shown", ("A",), "ack shown", "Acknowledge every alert that is shown."),
        Action("alerts.end_silence", ("u",), "unsilence", "End the silences that hold this alert back."),
        Action(
            "alerts.active",
            ("t",),
            "active",
            "Show only what fires or is pending, or everything.",
            footer=True,
        ),
        Action("alerts.fold", ("space",), "fold", "Fold this group, or unfold it."),
        Action("alerts.fold_all", ("f",), "fold all", "Fold all groups, or unfold them."),
    )
    BINDINGS = bindings(ACTIONS)

    def __init__(self, stores: Stores, *, number: int, asks: Asks | None = None, author: str = "") -> None:
        super().__init__(stores, number=number)
        self._asked: dict[str, int] = {}
        """Alerts whose acknowledgement is on its way, and until when not to ask again."""
        self.asks = asks
        self.author = author
        self.only_active = False
        self.folded: set[Hashable] = set()
        self._fold_version = 0
        self._shown: Sequence[Alert] = ()
        self._counts: list[tuple[AlertState, int]] = []
        self._arrangement: Hashable = None
        self._wrong = ""
        self._cells = (8, 7, 4)
        """Cells that names, states and services ask for."""

    def body(self) -> ComposeResult:
        """Yield the list."""
        yield RowList[AlertRow](self.draw, key=_key, empty="no alerts")

    def stamp(self) -> tuple[Hashable, ...]:
        """Follow the store, and only now and then where the past is shown."""
        store, cursor = self.stores.alerts, self.scope.cursor
        moved = store.version if cursor is None else self.now // (2 * SECOND)
        return moved, self.only_active, self._fold_version

    def redraw(self) -> None:
        """Show the alerts that scope and filter admit, in their groups.

        New words about alerts that keep their places, as most polls bring them, cost only the rows in sight.
        """
        rows = self.query_one(RowList)
        arrangement = (self.stores.alerts.arranged, *self.stamp()[1:], self.scope, self.filter_text)
        if self.scope.cursor is None and arrangement == self._arrangement:
            rows.renew()
        else:
            self._arrangement = arrangement
            self._arrange(rows)
        if (detail := self.detail) is None:
            return
        from widgets.alert_detail import AlertDetail

        if isinstance(detail, AlertDetail):
            then = self.stores.alerts.get(detail.alert.fingerprint, self.scope.cursor)
            detail.follow_alert(then, self.moment)
            detail.follow_scope(self.scope, self.now)

    def _arrange(self, rows: RowList[AlertRow]) -> None:
        groups = self._groups()
        self._shown = [alert for each in groups for alert in each.alerts]
        counts = Counter(alert.state for alert in self._shown)
        self._counts = sorted(counts.items(), key=lambda each: URGENCY[each[0]])
        lines: list[AlertRow] = []
        for each in groups:
            folded = each.key in self.folded
            if len(each.alerts) > 1 or folded:
                lines.append(AlertRow(each, None, folded))
            if not folded:
                lines.extend(AlertRow(each, alert) for alert in each.alerts)
        rows.empty = (
            self._wrong or self.outside() or ("nothing fires" if len(self.stores.alerts) else "no alerts")
        )
        self._measure()
        rows.show_items(lines)

    def _latest(self, row: AlertRow) -> Alert | None:
        """Return what is said of a row's alert by now; None for a heading."""
        if row.alert is None or self.scope.cursor is not None:
            return row.alert
        return self.stores.alerts.get(row.alert.fingerprint) or row.alert

    def _measure(self) -> None:
        """Give each column the cells that its texts ask for."""
        shown = self._shown
        self._cells = (
            widest((alert.name for alert in shown), 8, 48),
            widest((str(alert.state) for alert in shown), 7, 12),
            widest((_where(alert) for alert in shown), 4, 28),
        )

    def passed(self) -> None:
        """Let the ages grow."""
        self.query_one(RowList).renew()
        if (form := self.detail) is None:
            return
        from widgets.silence import SilenceForm

        if isinstance(form, SilenceForm):
            form.follow_now(self.now)

    def summary(self) -> str:
        """Count what is shown by state."""
        if self._wrong:
            return self._wrong
        parts = [f"{count} {state}" for state, count in self._counts]
        hidden = len(self.stores.alerts) - len(self._shown)
        if hidden > 0:
            parts.append(f"{hidden} not shown")
        return ", ".join(parts)

    def draw(self, row: AlertRow, width: int) -> Sequence[Piece]:
        """Lay out a heading or an alert."""
        alert = self._latest(row)
        if alert is None:
            return self._heading(row, width)
        held = alert.state in HELD_BACK or alert.state is AlertState.RESOLVED
        severity = severity_style(alert.severity) if not held else "muted"
        name, state, where = self._cells
        grouped = len(row.group.alerts) > 1
        cells: list[tuple[str, str, int]] = [
            ((" " if grouped else "") + severity_mark(alert.severity), severity, 2),
            (_severity(alert.severity, width), severity, 8 if width >= ROOMY else 4),
            (safe(alert.name, 200), "muted" if held else "strong", min(name, max(12, width * 30 // 100))),
            (
                f"{alert.state}?" if alert.source in self.stale else str(alert.state),
                STATE_STYLE.get(alert.state, "muted"),
                min(state, 12 if width >= ROOMY else 8),
            ),
        ]
        if width >= 44:
            cells.append((safe(_where(alert), 100), "accent", min(where, max(8, width // 6))))
        words = alert.annotations.get("summary", "")
        if held and alert.held_by:
            words = " · ".join(filter(None, (words, alert.held_by)))
        cells.append((safe(words or alert.annotations.get("description", ""), 300), "muted", 0))
        if width >= 110:
            cells.append((safe(alert.source, 40), "muted", 10))
        cells.append((age(self.moment - alert.starts_at) if alert.starts_at else "?", "muted", -3))
        return columns(width, *cells)

    def _heading(self, row: AlertRow, width: int) -> Sequence[Piece]:
        worst = row.group.alerts[0]
        held = worst.state in HELD_BACK
        labels = (
            "  ".join(f"{name}={value}" for name, value in row.group.labels.items()) or "(no group labels)"
        )
        return columns(
            width,
            ("▸" if row.folded else "▾", severity_style(worst.severity) if not held else "muted", 1),
            (safe(labels, 300), "header", 0),
            (f"{len(row.group.alerts):,} alerts", "muted", -12),
        )

    def resource(self) -> Resource:
        """Return who the alert under the cursor is about; without a resource, what its labels call it."""
        alert = self._current()
        if alert is None:
            return EMPTY
        told = alert.labels.get("instance", "")
        return alert.resource if host_of(alert.resource) or not told else {"host.name": told}

    def copied(self) -> tuple[str, str]:
        """Copy the alert's labels as matchers."""
        alert = self._current()
        if alert is None:
            return "", ""
        return "{" + ", ".join(map(str, common_matchers([alert.labels]))) + "}", alert.name

    def evidence(self) -> Pin:
        """Pin the alert under the cursor or its group; an open alert goes with its plot."""
        from widgets.alert_detail import AlertDetail

        if isinstance(self.detail, AlertDetail):
            return self.detail.evidence(self.found_by(), self.moment)
        row = self.query_one(RowList).current
        if row is None:
            raise UsageError("there is no alert to pin")
        alerts = [self._latest(row) or row.alert] if row.alert else row.group.alerts
        return of_alerts([alert for alert in alerts if alert], query=self.found_by(), now=self.moment)

    # What the keys do.

    def action_active(self) -> None:
        """Show only what is active, or everything."""
        self.only_active = not self.only_active

    def action_fold(self) -> None:
        """Fold the group under the cursor, or unfold it."""
        row = self.query_one(RowList).current
        if row is not None:
            self.folded ^= {row.group.key}
            self._fold_version += 1

    def action_fold_all(self) -> None:
        """Fold all groups, or unfold them."""
        self.folded = set() if self.folded else {each.key for each in self._groups() if len(each.alerts) > 1}
        self._fold_version += 1

    async def action_silence(self) -> None:
        """Open the form for the alert or the group under the cursor."""
        await caught_up(self.screen.focused)
        row = self.query_one(RowList).current
        if row is not None:
            await self._open_form([row.alert] if row.alert else row.group.alerts)

    async def action_silence_shown(self) -> None:
        """Open the form for what the filter shows."""
        await caught_up(self.screen.focused)
        await self._open_form(self._shown, shown=True)

    def action_acknowledge(self) -> None:
        """Acknowledge the alert or the group under the cursor."""
        row = self.query_one(RowList).current
        if row is not None:
            self._acknowledge([row.alert] if row.alert else row.group.alerts)

    def action_acknowledge_shown(self) -> None:
        """Acknowledge every alert that is shown."""
        self._acknowledge(self._shown)

    def action_end_silence(self) -> None:
        """End the silences on the alert under the cursor."""
        alert = self._current()
        if alert is None or not alert.silenced_by:
            self.post_message(Noticed("no silence holds this alert back", "warning"))
            return
        if self._in_the_past():
            return
        for silence_id in alert.silenced_by:
            self.post_message(SilenceEnded(alert.source, silence_id))

    @on(RowList.Chosen)
    async def _open(self, event: RowList.Chosen) -> None:
        """Open an alert's detail and let the others follow, or fold a group."""
        event.stop()
        alert = self._latest(event.item)
        if alert is None:
            self.action_fold()
            return
        if service := service_of(alert.resource):
            self.post_message(ScopeNarrowed(service, {"service": service}))
        elif host := host_of(alert.resource):
            self.post_message(ScopeNarrowed(host, {"host": host}))
        from widgets.alert_detail import AlertDetail

        await self.open_detail(AlertDetail(alert, self.now, self.scope, asks=self.asks))

    def on_silence_form_sent(self, event: SilenceForm.Sent) -> None:
        """Pass the form's wish on, and go back to the rows."""
        event.stop()
        self.close_detail()
        self.post_message(SilenceRequested(event.source, event.wanted))

    async def _open_form(self, alerts: Sequence[Alert], *, shown: bool = False) -> None:
        alerts, sources = self._silenced_by(alerts)
        if not alerts or self._in_the_past():
            return
        matchers = common_matchers([alert.labels for alert in alerts])
        if shown and looks_like_matchers(self.filter_text):
            matchers = parse_matchers(self.filter_text)
        wanted = {alert.fingerprint for alert in alerts}
        from widgets.silence import SilenceForm

        form = SilenceForm(self.stores.alerts, sources, matchers, wanted, author=self.author, now=self.now)
        await self.open_detail(form)

    def _acknowledge(self, alerts: Sequence[Alert]) -> None:
        now = self.now
        self._asked = {fingerprint: until for fingerprint, until in self._asked.items() if until > now}
        firing = [
            alert
            for alert in alerts
            if alert.state in (AlertState.FIRING, AlertState.PENDING) and alert.fingerprint not in self._asked
        ]
        if not firing:
            self.post_message(Noticed("nothing here waits to be acknowledged", "warning"))
            return
        if len(firing) > BULK:
            words = f"{len(firing)} at once are too many; filter to {BULK} or fewer"
            self.post_message(Noticed(words, "warning"))
            return
        held, sources = self._silenced_by(firing)
        if not held or self._in_the_past():
            return
        from widgets.silence import acknowledgement

        for alert in held:
            self._asked[alert.fingerprint] = now + ASKED_SPAN
            source = alert.source if alert.source in sources else sources[0]
            wanted = acknowledgement(alert, self.author, now)
            done = f"{alert.name} acknowledged until {clock(wanted.ends_at)} UTC"
            self.post_message(SilenceRequested(source, wanted, done))

    def _silenced_by(self, alerts: Sequence[Alert]) -> tuple[Sequence[Alert], list[str]]:
        """Return the alerts that an Alertmanager can hold back, and who could, those that report them first.

        What the cockpit's own rules raise never reaches an Alertmanager, so that a silence there would do nothing.
        """
        offering = self.asks.offering("silence_argv") if self.asks is not None else []
        theirs = [alert for alert in alerts if alert.source != RULES]
        if not offering:
            self.post_message(
                Noticed("no source here takes silences; configure an alertmanager source", "warning")
            )
            return (), []
        if len(theirs) < len(alerts):
            words = "the cockpit's own rules raised this; no Alertmanager knows it, so none can hold it back"
            self.post_message(Noticed(words, "warning"))
        reporting = {alert.source for alert in theirs}
        return theirs, sorted(offering, key=lambda name: name not in reporting)

    def _in_the_past(self) -> bool:
        """Refuse to act on what is no longer so: the time cursor stands in the past."""
        if self.scope.cursor is None:
            return False
        self.post_message(Noticed("you are looking at the past; come back to now before you act", "warning"))
        return True

    def _current(self) -> Alert | None:
        row = self.query_one(RowList).current
        return self._latest(row) if row is not None else None

    def _groups(self) -> list[AlertGroup]:
        """Return the groups with the alerts that scope and filter admit."""
        as_of = self.scope.cursor
        store, text = self.stores.alerts, self.filter_text.strip()
        self._wrong = ""
        if not text and not self.only_active and not self.scope.service and not self.scope.host:
            return store.groups(as_of)
        try:
            fits = compile_matchers(parse_matchers(text)) if looks_like_matchers(text) else None
        except UsageError as error:
            self._wrong = error.message
            fits = None
        words = text.lower().split() if fits is None and not self._wrong else []
        return group(
            [
                alert
                for alert in store.alerts(as_of)
                if self.scope.admits(alert.resource)
                and (not self.only_active or alert.state in (AlertState.FIRING, AlertState.PENDING))
                and (fits is None or fits(alert.labels))
                and (not words or _has_words(alert, words))
            ]
        )


def _key(row: AlertRow) -> Hashable:
    return row.alert.fingerprint if row.alert is not None else row.group.key


def _where(alert: Alert) -> str:
    return service_of(alert.resource) or host_of(alert.resource)


def _severity(severity: str, width: int) -> str:
    """Return a severity's name, short where there is little room; its mark says it as well."""
    if not severity:
        return "none"
    return safe(severity, 40) if width >= ROOMY else SHORT.get(severity.lower(), safe(severity, 40))


def _has_words(alert: Alert, words: Sequence[str]) -> bool:
    text = f"{alert.name} {alert.state} {alert.severity} {alert.source} {' '.join(alert.labels.values())}".lower()
    return all(word in text for word in words)
