from __future__ import annotations

from cockpit.signals import HealthSample, HealthState
from cockpit.stores.health import HealthStore

OK, DOWN = HealthState.OK, HealthState.DOWN


def sample(
    at: int, value: float = 1.0, state: HealthState = OK, *, subject: str = "x", source: str = "s"
) -> HealthSample:
    return HealthSample(at=at, subject=subject, kind="check", state=state, value=value, source=source)


def test_the_same_moment_told_twice_is_one_point_and_the_last_word_counts() -> None:
    store = HealthStore()
    store.append([sample(1, 1.0), sample(2, 2.0), sample(2, 3.0), sample(2, 3.0)])
    row = store.get("s", "x")
    assert row is not None
    assert list(row.points) == [(1, 1.0, OK), (2, 3.0, OK)]


def test_a_subject_as_it_was_has_the_state_and_the_age_of_that_moment() -> None:
    store = HealthStore()
    store.append([sample(1), sample(2, state=DOWN), sample(3, state=DOWN), sample(4)])
    (then,) = store.rows(as_of=3)
    assert (then.latest.state, then.since, then.latest.at) == (DOWN, 2, 3)
    (now,) = store.rows()
    assert (now.latest.state, now.since) == (OK, 4)
    assert store.rows(as_of=0) == []


def test_what_a_source_no_longer_names_is_gone_and_others_stay() -> None:
    store = HealthStore()
    store.append([sample(1, subject="a"), sample(1, subject="b"), sample(1, subject="a", source="t")])
    store.replace("s", [sample(2, subject="b")])
    assert {(row.latest.source, row.latest.subject) for row in store.rows()} == {("s", "b"), ("t", "a")}


def test_subjects_and_points_are_bounded() -> None:
    store = HealthStore(points=100, subjects=2)
    store.append([sample(at, subject=subject) for at in range(300) for subject in ("a", "b", "c")])
    assert len(store) == 2
    assert store.refused == 300
    assert [len(row.points) for row in store.rows()] == [100, 100]
