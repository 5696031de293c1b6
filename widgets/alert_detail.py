"""One alert: its expression's graph over everything that is known of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from textual import work
from textual.widget import Widget

from cockpit.errors import CockpitError
from cockpit.evidence import Pin, of_alerts, of_plot
from cockpit.scope import Scope
from cockpit.signals import SECOND, Alert, Series
from cockpit.source import TimeRange
from widgets.asking import Asks
from widgets.detail import Detail, Field
from widgets.plot import Plot
from widgets.text import age, clock, quantity

STEPS = 240
FRESH = 15 * SECOND
"""How long a graph of a live window stands before it is asked for anew."""
TOLD = ("summary", "description", "runbook_url")
"""Annotations that stand among the fields."""
_COMPARED = re.compile(
    r"(?P<left>.+?)\s*(?:>=|<=|==|!=|>|<)\s*(?:bool\s+)?(?P<right>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*",
    re.DOTALL,
)
"""An expression compared with a number, which is how most alerting rules end."""


def graphed(expression: str) -> tuple[str, tuple[float, ...]]:
    """Return what to plot of a rule's expression, and its thresholds.

    The comparison is left out, since its result has points only where the rule holds.
    """
    found = _COMPARED.fullmatch(expression.strip())
    if found is None or _cuts_inside(found["left"]):
        return expression, ()
    return found["left"], (float(found["right"]),)


def _cuts_inside(text: str) -> bool:
    """Tell whether an expression ends inside a bracket, or is one side of a set operation."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    unbalanced = any(bare.count(left) != bare.count(right) for left, right in ("()", "[]", "{}"))
    return unbalanced or re.search(r"\b(?:and|or|unless)\b", bare) is not None


class AlertDetail(Detail):
    """Labels, annotations, runbook, what holds it back, and its expression plotted over the scope's window."""

    DEFAULT_CSS = "AlertDetail > Plot { height: 2fr; } AlertDetail > VerticalScroll { height: 3fr; }"

    def __init__(self, alert: Alert, now: int, scope: Scope, *, asks: Asks | None) -> None:
        super().__init__(alert.name, _sections(alert, now))
        self._asked_at = 0
        self.alert = alert
        self.scope = scope
        self.now = now
        self.asks = asks

    def extra(self) -> Iterable[Widget]:
        """Yield the plot, where there is an expression to plot."""
        if self.alert.expression and self._answerers():
            yield Plot()

    def on_mount(self) -> None:
        """Ask for the graph."""
        if self.query(Plot):
            self._ask()

    def follow_scope(self, scope: Scope, now: int) -> None:
        """Ask for the graph anew where another window is looked at, and mark the time cursor in it."""
        asked, self.scope, self.now = self.scope, scope, now
        if not self.query(Plot):
            return
        if (asked.span, asked.end) != (scope.span, scope.end) or (
            scope.live and now - self._asked_at > FRESH
        ):
            self._ask()
        elif asked.cursor != scope.cursor:
            plot = self.query_one(Plot)
            plot.show(plot.series, thresholds=plot.thresholds, cursor=scope.cursor, note=plot.note)

    def follow_alert(self, alert: Alert | None, now: int) -> None:
        """Show the alert as it is now; one that is gone keeps its last state, and says so."""
        if alert is None:
            gone: list[Field] = [("gone", "no source reports it any more; this is how it last stood")]
            self.show({"": gone, **_sections(self.alert, now)})
            return
        self.alert = alert
        self.show(_sections(alert, now))

    def evidence(self, query: str, now: int) -> Pin:
        """Return the alert as evidence, with its plot where one is drawn."""
        series = self.query_one(Plot).series if self.query(Plot) else ()
        if not series:
            return of_alerts([self.alert], query=query, now=now)
        expression, thresholds = graphed(self.alert.expression)
        title = f"{self.alert.name} {self.alert.state}: {expression}"
        window, about = self.scope.window(self.now), {"alert": self.alert}
        query = " ".join(filter(None, (expression, query)))
        return of_plot(title, series, query=query, window=window, thresholds=thresholds, about=about)

    def _answerers(self) -> list[str]:
        names = self.asks.offering("query_metrics") if self.asks is not None else []
        return sorted(names, key=lambda name: name != self.alert.source)

    @work(exclusive=True, exit_on_error=False)
    async def _ask(self) -> None:
        expression, thresholds = graphed(self.alert.expression)
        plot = self.query_one(Plot)
        self._asked_at = self.now
        start, end = self.scope.window(self.now)
        step = max(1.0, (end - start) / SECOND / STEPS)
        trouble = ""
        for name in self._answerers():
            if not plot.series:
                plot.show((), note=f"asking {name} …")
            try:
                assert self.asks is not None
                series = await self.asks.ask(
                    name, "query_metrics", expression, TimeRange(start, end), step, timeout=15
                )
            except CockpitError as error:
                trouble = f"{name}: {error}"
                continue
            if series:
                plot.show(self._own(series), thresholds=thresholds, cursor=self.scope.cursor)
                return
        plot.show((), note=trouble or "no points in this window")

    def _own(self, series: Sequence[Series]) -> Sequence[Series]:
        """Return the lines that may be this alert's, by their labels; all of them where none is."""
        labels = self.alert.labels
        own = [
            each
            for each in series
            if all(labels.get(name) == value for name, value in each.labels.items() if name != "__name__")
        ]
        return own or series


def _sections(alert: Alert, now: int) -> dict[str, list[Field]]:
    fields = [
        (
            "state",
            f"{alert.state}, for {age(now - alert.starts_at)}" if alert.starts_at else str(alert.state),
        ),
        ("summary", alert.annotations.get("summary", "")),
        ("description", alert.annotations.get("description", "")),
        ("held back", alert.held_by),
        ("severity", alert.severity),
        ("value", quantity(alert.value)),
        ("started", f"{clock(alert.starts_at, date=True)} UTC" if alert.starts_at else ""),
        ("runbook", alert.runbook_url),
        ("expression", alert.expression),
        ("generator", alert.generator_url),
        ("receivers", ", ".join(alert.receivers)),
        ("source", f"{alert.source}, unchanged for {age(now - alert.at)}"),
        ("fingerprint", alert.fingerprint),
    ]
    return {
        "": [(name, value) for name, value in fields if value],
        "Annotations": [(name, value) for name, value in alert.annotations.items() if name not in TOLD],
        "Labels": list(alert.labels.items()),
    }
