"""Alertmanager's answers, poll after poll: what is as it was is the same object, and what changed is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cockpit.errors import BadAnswer
from cockpit.signals import SECOND, Alert, AlertState
from sources.support.amapi import GettableSilence, GroupReader, Reading
from sources.support.amfold import Folder

NOW = 1_800_000_000 * SECOND
"""In January 2027."""


def given(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "labels": {"alertname": f"A{number}", "service": "shop"},
        "annotations": {"summary": "slow"},
        "startsAt": "2026-12-31T10:00:00Z",
        "endsAt": "2100-01-01T00:00:00Z",
        "updatedAt": "2026-12-31T10:00:00Z",
        "fingerprint": f"{number:016x}",
        "receivers": [{"name": "on-call"}],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        **changes,
    }


def held(**by: list[str]) -> dict[str, Any]:
    return {"state": "suppressed", "silencedBy": [], "inhibitedBy": [], **by}


class Polling:
    """Two members of a cluster, or one, read again and again."""

    def __init__(self, members: int = 1) -> None:
        self.readers = [GroupReader("am") for _ in range(members)]
        self.folder = Folder("am", mark="ack:", limit=1_000)
        self.silences: list[GettableSilence] = []

    def poll(self, *answers: list[dict[str, Any]], now: int = NOW) -> dict[str, Alert]:
        readings = []
        for reader, alerts in zip(self.readers, answers, strict=False):
            body = [{"labels": {"job": "x"}, "receiver": {"name": "on-call"}, "alerts": alerts}]
            readings.append(Reading(reader.read(msgspec.json.encode(body)), self.silences))
        return {alert.name: alert for alert in self.folder.fold(readings, now=now)}


def test_what_is_as_it_was_is_the_same_object() -> None:
    polling = Polling()
    before = polling.poll([given(1), given(2)])
    after = polling.poll([given(2), given(1)], now=NOW + SECOND)
    assert after["A1"] is before["A1"]
    assert after["A2"] is before["A2"]


@pytest.mark.parametrize("field", ["updatedAt", "endsAt"])
def test_a_time_that_is_not_shown_makes_no_new_alert(field: str) -> None:
    polling = Polling()
    before = polling.poll([given(1)])
    assert polling.poll([given(1, **{field: "2101-01-01T00:00:00Z"})])["A1"] is before["A1"]


def test_what_changed_is_told_with_the_time_of_the_change() -> None:
    polling = Polling()
    polling.poll([given(1), given(2)])
    after = polling.poll([given(1, annotations={"summary": "slower"}), given(2)], now=NOW + SECOND)
    assert after["A1"].annotations == {"summary": "slower"}
    assert (after["A1"].at, after["A2"].at) == (NOW + SECOND, NOW)


def test_an_alert_that_is_gone_is_gone_and_comes_back_anew() -> None:
    polling = Polling()
    polling.poll([given(1), given(2)])
    assert list(polling.poll([given(2)])) == ["A2"]
    assert list(polling.poll([given(1), given(2)])) == ["A1", "A2"]


def test_an_end_that_is_reached_is_told_though_the_answer_is_the_same() -> None:
    polling = Polling()
    ending = given(1, endsAt="2027-01-15T08:00:10Z")
    assert polling.poll([ending])["A1"].ends_at == 0
    assert polling.poll([ending], now=NOW + 11 * SECOND)["A1"].ends_at == NOW + 10 * SECOND


def test_a_silence_that_became_an_acknowledgement_is_told_though_the_alert_is_the_same() -> None:
    polling = Polling()
    silence = GettableSilence(id="s1", matchers=[], endsAt="2100-01-01T00:00:00Z", comment="later")
    polling.silences = [silence]
    assert polling.poll([given(1, status=held(silencedBy=["s1"]))])["A1"].state is AlertState.SILENCED
    polling.silences = [msgspec.structs.replace(silence, comment="ack: mine")]
    after = polling.poll([given(1, status=held(silencedBy=["s1"]))])["A1"]
    assert after.state is AlertState.ACKNOWLEDGED
    assert "ack: mine" in after.held_by


def test_an_inhibitor_that_comes_is_named() -> None:
    polling = Polling()
    inhibited = given(1, status=held(inhibitedBy=[f"{2:016x}"]))
    before = polling.poll([inhibited])["A1"]
    assert "not listed here" in before.held_by
    assert polling.poll([inhibited])["A1"] is before
    assert polling.poll([inhibited, given(2)])["A1"].held_by == "inhibited by A2 (shop)"


def test_a_member_for_whom_it_fires_is_louder_than_one_that_silenced_it() -> None:
    polling = Polling(members=2)
    silenced = given(1, status=held(silencedBy=["s1"]))
    before = polling.poll([silenced], [given(1)])["A1"]
    assert before.state is AlertState.FIRING
    assert polling.poll([silenced], [given(1)])["A1"] is before
    assert polling.poll([silenced], [silenced])["A1"].state is AlertState.SILENCED


def test_an_alert_of_another_shape_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswer, match="something else than its API says"):
        GroupReader("am").read(b'[{"alerts": [{"labels": {"alertname": 7}}]}]')
