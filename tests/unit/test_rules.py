from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.rules import DEFAULT_RULES, LATE, NO_DATA, RESOLVED, RuleEngine, ThresholdRule
from cockpit.signals import SECOND, Alert, AlertState, HealthSample, HealthState, LogRecord, fingerprint

START = 1_700_000_000 * SECOND
FIRING, PENDING, RESOLVED_STATE = AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED


class Bench:
    """An engine, its clock, and one subject."""

    def __init__(self, *rules: ThresholdRule) -> None:
        self.now = START
        self.engine = RuleEngine(rules, lambda: self.now)

    def see(self, value: float | None, *, after: float = 1, state: HealthState = HealthState.OK,
            subject: str = "disk /", kind: str = "disk", at: int | None = None) -> None:  # fmt: skip
        self.now += int(after * SECOND)
        sample = HealthSample(at=self.now if at is None else at, subject=subject, kind=kind, state=state,
                              value=value, reason="so it is", resource={"host.name": "web-1"})  # fmt: skip
        self.engine.feed("host", [sample])

    @property
    def alerts(self) -> list[Alert]:
        return self.engine.alerts(self.now)

    @property
    def states(self) -> list[AlertState]:
        return [alert.state for alert in self.alerts]


RULE = ThresholdRule(name="Full", subject="disk /*", above=90, clear=85, for_s=10)


def test_a_value_fires_only_after_its_duration() -> None:
    bench = Bench(RULE)
    bench.see(95)
    assert bench.states == [PENDING]
    bench.see(95, after=9)
    assert bench.states == [PENDING]
    bench.see(95, after=1)
    assert bench.states == [FIRING]


def test_time_alone_fires_nothing() -> None:
    bench = Bench(RULE)
    bench.see(95)
    bench.now += 60 * SECOND
    assert bench.states == [PENDING]


def test_a_dip_starts_the_duration_again() -> None:
    bench = Bench(RULE)
    for value in (95, 95, 80):
        bench.see(value, after=4)
    assert bench.states == []
    bench.see(95, after=4)
    bench.see(95, after=9)
    assert bench.states == [PENDING]


def test_between_the_limits_a_firing_alert_stays_and_a_clear_value_ends_it() -> None:
    bench = Bench(RULE)
    for value in (95, 95, 86, 91, 85):
        bench.see(value, after=10)
    (alert,) = bench.alerts
    assert (alert.state, alert.starts_at) == (FIRING, START + 20 * SECOND)
    bench.see(84)
    (alert,) = bench.alerts
    assert alert.state is RESOLVED_STATE
    assert alert.ends_at == bench.now
    bench.now += RESOLVED + SECOND
    assert bench.alerts == []


def test_keep_firing_for_holds_an_alert_through_a_flap() -> None:
    bench = Bench(ThresholdRule(name="Down", state=HealthState.DOWN, keep_s=30))
    bench.see(None, state=HealthState.DOWN)
    began = bench.now
    for _ in range(5):
        bench.see(None, state=HealthState.OK, after=20)
        bench.see(None, state=HealthState.DOWN, after=1)
    (alert,) = bench.alerts
    assert (alert.state, alert.starts_at) == (FIRING, began)
    bench.see(None, after=1)
    bench.see(None, after=30)
    assert bench.states == [RESOLVED_STATE]


def test_below_works_as_above_does() -> None:
    bench = Bench(ThresholdRule(name="Low", below=10, clear=20))
    bench.see(5)
    bench.see(15)
    assert bench.states == [FIRING]
    bench.see(21)
    assert bench.states == [RESOLVED_STATE]


def test_a_subject_that_is_gone_resolves_and_a_pending_one_is_forgotten() -> None:
    bench = Bench(RULE)
    bench.see(95)
    bench.see(95, after=10)
    bench.see(95, subject="disk /data")
    bench.engine.feed("another", [], HealthSample)
    assert bench.states == [FIRING, PENDING]
    bench.engine.feed("host", [], HealthSample)
    (alert,) = bench.alerts
    assert alert.state is RESOLVED_STATE
    assert alert.annotations["resolved"] == "the subject is gone"


def test_a_silent_subject_resolves() -> None:
    bench = Bench(RULE)
    bench.see(95)
    bench.see(95, after=10)
    bench.now += NO_DATA
    assert bench.states == [FIRING]
    bench.now += 1
    assert bench.states == [RESOLVED_STATE]
    assert "no data" in bench.alerts[0].annotations["resolved"]


def test_late_data_neither_starts_nor_fires_nor_ends_an_alert() -> None:
    bench = Bench(RULE)
    bench.see(95, at=START - LATE - 2 * SECOND)
    assert bench.states == []
    bench.see(95, after=100)
    bench.see(95, after=10)
    bench.see(1, at=START)
    assert bench.states == [FIRING]


def test_a_sample_from_the_future_counts_as_now() -> None:
    bench = Bench(RULE)
    bench.see(95, at=START + 10_000 * SECOND)
    bench.see(95, after=5)
    assert bench.states == [PENDING]
    bench.see(95, after=6)
    assert bench.states == [FIRING]


def test_a_clock_that_is_set_back_does_not_stop_the_rules() -> None:
    bench = Bench(RULE)
    bench.see(95)
    bench.see(95, after=10)
    bench.now -= 3600 * SECOND
    bench.see(10)
    assert bench.states == [RESOLVED_STATE]


def test_no_value_and_no_number_say_nothing() -> None:
    bench = Bench(RULE)
    bench.see(95)
    bench.see(None, after=5)
    bench.see(float("nan"), after=5)
    assert bench.states == [PENDING]


def test_the_more_severe_alert_holds_back_the_other_on_the_same_subject() -> None:
    bench = Bench(
        ThresholdRule(name="Filling", above=90), ThresholdRule(name="Full", above=97, severity="critical")
    )
    bench.see(99)
    by_name = {alert.name: alert for alert in bench.alerts}
    assert by_name["Full"].state is FIRING
    assert by_name["Filling"].state is AlertState.INHIBITED
    assert by_name["Filling"].inhibited_by == (by_name["Full"].fingerprint,)
    bench.see(95)
    assert {alert.name: alert.state for alert in bench.alerts} == {"Filling": FIRING, "Full": RESOLVED_STATE}


def test_an_alert_tells_who_what_and_why() -> None:
    bench = Bench(
        ThresholdRule(
            name="Full",
            subject="disk /*",
            above=90,
            clear=85,
            for_s=300,
            severity="critical",
            summary="{subject} on {host} at {value}: {reason} {else}",
            runbook_url="https://r/1",
        )
    )
    bench.see(95.5)
    (alert,) = bench.alerts
    assert alert.expression == "disk /* > 90 for 5m, clears below 85"
    assert alert.labels == {"alertname": "Full", "severity": "critical", "subject": "disk /", "source": "host",
                            "host": "web-1"}  # fmt: skip
    assert alert.annotations["summary"] == "disk / on web-1 at 95.5: so it is {else}"
    assert (alert.source, alert.runbook_url, alert.value) == ("rules", "https://r/1", 95.5)


def test_a_reason_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    bench = Bench(ThresholdRule(name="X", above=1, summary="{subject}!"))
    bench.see(2, subject="{host}{reason.__class__}")
    assert bench.alerts[0].annotations["summary"] == "{host}{reason.__class__}!"


def test_the_fingerprint_is_prometheus_own() -> None:
    # The empty set's is FNV-1a's offset basis.
    assert fingerprint({}) == "cbf29ce484222325"
    assert fingerprint({"a": "b", "c": "d"}) == fingerprint({"c": "d", "a": "b"})
    assert fingerprint({"a": "bc"}) != fingerprint({"ab": "c"})


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ({"name": "x"}, "exactly one"),
        ({"name": "x", "above": 1, "below": 0}, "exactly one"),
        ({"name": "x", "above": 1, "clear": 2}, "not over"),
        ({"name": "x", "below": 1, "clear": 0}, "not under"),
        ({"name": "x", "state": "down", "clear": 0}, "clear"),
        ({"name": "", "above": 1}, "name"),
        ({"name": "x", "above": 1, "for": -1}, "negative"),
        ({"name": "x", "above": 1, "untill": 1}, "untill"),
        ({"name": "x", "state": "sad"}, "sad"),
    ],
)
def test_a_wrong_rule_is_refused(table: dict[str, object], wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=wrong):
        msgspec.convert(table, ThresholdRule)


def test_a_rule_is_read_from_a_table() -> None:
    rule = msgspec.convert({"name": "x", "state": "down", "kind": "check", "for": 60}, ThresholdRule)
    assert (rule.for_s, rule.expression) == (60, "every check is down for 1m")


def test_the_default_rules_have_names_of_their_own() -> None:
    assert len({rule.name for rule in DEFAULT_RULES}) == len(DEFAULT_RULES)


def test_other_signals_pass_by() -> None:
    bench = Bench(RULE)
    bench.engine.feed("x", [LogRecord(at=START, body="disk / 99")])
    assert bench.states == []


def test_the_version_moves_with_the_alerts_and_stands_still_without() -> None:
    bench = Bench(RULE)
    for _ in range(3):
        bench.see(10)
    assert bench.engine.version == 0
    bench.see(95)
    assert bench.engine.version > 0


values = st.lists(
    st.tuples(st.floats(0, 100) | st.none() | st.just(float("nan")), st.floats(0.5, 20)), max_size=60
)


@settings(max_examples=150)
@given(values, st.sampled_from([0.0, 5.0, 30.0]))
def test_it_fires_only_when_every_value_of_its_duration_was_bad(
    seen: list[tuple[float | None, float]], for_s: float
) -> None:
    bench = Bench(ThresholdRule(name="r", above=90, clear=85, for_s=for_s))
    history: list[tuple[int, float]] = []
    before = AlertState.RESOLVED
    for value, after in seen:
        bench.see(value, after=after)
        if value is not None and not math.isnan(value):
            history.append((bench.now, value))
        (alert,) = bench.alerts or (None,)
        state = alert.state if alert else AlertState.RESOLVED
        if state is FIRING and before is not FIRING:
            assert all(v > 90 for at, v in history if at > bench.now - for_s * SECOND)
            assert history[-1][1] > 90
        if before is FIRING and state is RESOLVED_STATE:
            assert history[-1][1] < 85
        before = state


@settings(max_examples=100)
@given(st.lists(st.floats(85, 100), min_size=1, max_size=50))
def test_a_wavering_value_fires_once(wavering: list[float]) -> None:
    bench = Bench(ThresholdRule(name="r", above=90, clear=85))
    bench.see(95)
    began = bench.alerts[0].starts_at
    for value in wavering:
        bench.see(value)
        assert [(a.state, a.starts_at) for a in bench.alerts] == [(FIRING, began)]


@given(st.lists(st.tuples(st.integers(0, 2**62), st.floats() | st.none(), st.text(max_size=20))))
def test_whatever_comes_the_alerts_can_be_listed(seen: list[tuple[int, float | None, str]]) -> None:
    bench = Bench(RULE, *DEFAULT_RULES)
    for at, value, subject in seen:
        bench.see(value, subject=subject, kind="host", at=at)
    listed = bench.alerts
    assert len({alert.fingerprint for alert in listed}) == len(listed)


def test_alerts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.rules.INSTANCES", 3)
    engine = RuleEngine((ThresholdRule(name="Bad", state=HealthState.DOWN),), clock=lambda: SECOND)
    engine.feed(
        "x",
        [
            HealthSample(at=SECOND, subject=f"s{number}", kind="check", state=HealthState.DOWN)
            for number in range(9)
        ],
    )
    assert len(engine.alerts(SECOND)) == 3


def test_the_description_says_the_value_of_a_limit_and_the_reason_of_a_state() -> None:
    bench = Bench(RULE, ThresholdRule(name="Bad", state=HealthState.DOWN))
    bench.see(95, state=HealthState.DOWN)
    assert [(alert.annotations["description"], alert.value) for alert in bench.alerts] == [
        ("disk /* > 90 for 10s, clears below 85; now 95", 95),
        ("* is down; now so it is", None),
    ]
