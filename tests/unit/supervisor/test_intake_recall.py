"""All that a source knows, handed over again and again: only what is new is looked at."""

from __future__ import annotations

from typing import cast

from cockpit.signals import SECOND, Alert, AlertState
from cockpit.supervisor.intake import Intake


def alert(name: str, source: str = "am") -> Alert:
    return Alert(at=SECOND, name=name, state=AlertState.FIRING, fingerprint=name, source=source)


async def passed_on(intake: Intake, batch: list[Alert]) -> list[Alert]:
    await intake.replace(Alert, batch)
    delivery = intake.take()
    assert delivery is not None
    return cast("list[Alert]", list(delivery[0]))


async def test_the_same_object_is_mended_once() -> None:
    intake = Intake("am")
    batch = [alert("clean"), alert("a\x1bb"), alert("theirs", source="other")]
    first = await passed_on(intake, batch)
    assert [(each.name, each.source) for each in first] == [("clean", "am"), ("a␛b", "am"), ("theirs", "am")]
    again = await passed_on(intake, batch)
    assert all(one is other for one, other in zip(first, again, strict=True))


async def test_another_object_is_looked_at_though_it_comes_in_the_place_of_one_that_went() -> None:
    intake = Intake("am")
    for number in range(50):
        found = await passed_on(intake, [alert(f"a\x1b{number}")])
        assert [each.name for each in found] == [f"a␛{number}"]


async def test_what_is_rejected_stays_out_each_time() -> None:
    intake = Intake("am")
    wrong = Alert(at=-1, name="wrong", state=AlertState.FIRING)
    batch = [wrong, alert("right")]
    for _ in range(3):
        assert [each.name for each in await passed_on(intake, batch)] == ["right"]
