"""Alerts: folded over sources, ordered by urgency, grouped, and as they were at a moment."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from cockpit.signals import SECOND, Alert, AlertState
from cockpit.stores.alerts import AlertStore

START = 1_000 * SECOND


class Clock:
    now = START

    def __call__(self) -> int:
        return self.now


def alert(
    name: str,
    state: AlertState = AlertState.FIRING,
    *,
    source: str = "am",
    severity: str = "warning",
    starts_at: int = START,
    receivers: tuple[str, ...] = (),
    expression: str = "",
    group: dict[str, str] | None = None,
) -> Alert:
    return Alert(
        at=START,
        name=name,
        state=state,
        severity=severity,
        labels={"alertname": name},
        starts_at=starts_at,
        fingerprint=name,
        source=source,
        receivers=receivers,
        expression=expression,
        group=group or {},
    )


def names(alerts: Sequence[Alert]) -> list[str]:
    return [each.name for each in alerts]


def test_the_most_severe_comes_first_then_the_most_urgent_then_the_youngest() -> None:
    store = AlertStore()
    store.append(
        [
            alert("held", AlertState.SILENCED, severity="critical"),
            alert("pending", AlertState.PENDING, severity="error"),
            alert("old", severity="error", starts_at=START),
            alert("young", severity="error", starts_at=START + SECOND),
            alert("worst", severity="critical"),
        ]
    )
    assert names(store.alerts()) == ["worst", "young", "old", "pending", "held"]


def test_two_sources_of_one_alert_are_one_and_the_one_that_notifies_decides() -> None:
    store = AlertStore()
    store.append([alert("a", source="prom", expression="up == 0", starts_at=START - SECOND)])
    store.append([alert("a", AlertState.SILENCED, receivers=("team",))])
    (found,) = store.alerts()
    assert (found.state, found.expression, found.starts_at) == (
        AlertState.SILENCED,
        "up == 0",
        START - SECOND,
    )
    store.replace("am", [])
    (found,) = store.alerts()
    assert found.state is AlertState.FIRING
    store.replace("prom", [])
    assert store.alerts() == [] and len(store) == 0


def test_groups_are_the_sources_else_by_name() -> None:
    store = AlertStore()
    store.append([alert("a", group={"team": "x"}), alert("b", group={"team": "x"}), alert("c")])
    assert [(dict(each.labels), names(each.alerts)) for each in store.groups()] == [
        ({"team": "x"}, ["a", "b"]),
        ({"alertname": "c"}, ["c"]),
    ]


def test_the_past_is_as_it_was() -> None:
    clock = Clock()
    store = AlertStore(clock=clock)
    store.replace("am", [alert("a", AlertState.PENDING), alert("b")])
    clock.now = START + 10 * SECOND
    store.replace("am", [alert("a"), alert("c", starts_at=START + 9 * SECOND)])
    clock.now = START + 20 * SECOND
    store.replace("am", [alert("a", AlertState.SILENCED)])

    def then(seconds: int) -> list[tuple[str, AlertState]]:
        return sorted((each.name, each.state) for each in store.alerts(START + seconds * SECOND))

    assert then(5) == [("a", AlertState.PENDING), ("b", AlertState.FIRING)]
    assert then(15) == [("a", AlertState.FIRING), ("c", AlertState.FIRING)]
    assert then(25) == [("a", AlertState.SILENCED)]
    past = store.get("a", START + 5 * SECOND)
    assert past is not None and past.state is AlertState.PENDING
    assert store.get("c", START + 5 * SECOND) is None


def test_what_stood_before_the_cockpit_started_stands_in_its_past() -> None:
    clock = Clock()
    store = AlertStore(clock=clock)
    store.replace("am", [alert("old", starts_at=START - 60 * SECOND), alert("undated", starts_at=0)])
    assert names(store.alerts(START - 30 * SECOND)) == ["old"]
    assert names(store.alerts(START - 90 * SECOND)) == []


def test_more_than_the_bound_is_refused_and_counted() -> None:
    store = AlertStore(capacity=3)
    store.replace("am", [alert(f"a{number}") for number in range(5)])
    assert len(store) == 3 and store.refused == 2


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from("abcd"), st.sampled_from(list(AlertState))),
            max_size=4,
            unique_by=lambda each: each[0],
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_past_is_what_was_shown_then(polls: list[list[tuple[str, AlertState]]]) -> None:
    clock = Clock()
    store = AlertStore(clock=clock)
    shown: list[tuple[int, list[tuple[str, AlertState]]]] = []
    since: dict[str, int] = {}
    for number, poll in enumerate(polls):
        clock.now = START + number * SECOND
        since = {name: since.get(name, clock.now) for name, _ in poll}
        store.replace("am", [alert(name, state, starts_at=since[name]) for name, state in poll])
        shown.append((clock.now, sorted((each.name, each.state) for each in store.alerts())))
    for moment, then in shown:
        assert sorted((each.name, each.state) for each in store.alerts(moment)) == then


def test_the_same_objects_again_change_nothing() -> None:
    store = AlertStore()
    one, other = alert("one"), alert("other")
    store.replace("am", [one, other])
    version = store.version
    store.replace("am", [other, one])
    assert store.version == version
    store.replace("am", [other])
    assert store.version > version
    assert names(store.alerts()) == ["other"]
