from __future__ import annotations

import time

from cockpit.config import Settings
from cockpit.signals import SECOND, Alert, AlertState, LogRecord
from cockpit.snapshot import as_text, take
from cockpit.wiring import Cockpit

NOW = time.time_ns()
SHOP = {"service.name": "shop"}


def alert(name: str, starts_at: int, **fields: object) -> Alert:
    return Alert(at=NOW, name=name, state=AlertState.FIRING, starts_at=starts_at, fingerprint=name, **fields)  # type: ignore[arg-type]


def test_alerts_say_since_when_where_and_what_and_logs_say_where() -> None:
    cockpit = Cockpit(Settings())
    told = {"summary": "Checkout fails"}
    cockpit.stores.alerts.append(
        [
            alert("Old", NOW - 7_300 * SECOND, severity="critical", annotations=told, resource=SHOP),
            alert("Undated", 0, labels={"service": "cart"}),
        ]
    )
    cockpit.stores.streamed.append([LogRecord(at=NOW, body="boom\nat main", level=17, resource=SHOP)])
    taken = take(cockpit)
    lines = [line.split() for line in as_text(taken).splitlines()]
    assert ["firing", "critical", "2h", "shop", "Old", "Checkout", "fails"] in lines
    assert next(line for line in lines if "Undated" in line)[-2:] == ["cart", "Undated"]
    assert next(line for line in lines if "boom" in line)[1:] == ["error", "shop", "boom"]
    assert "1970" not in as_text(taken)
    assert [(each.starts_at, each.age_s) for each in taken.alerts if each.name == "Undated"] == [("", None)]
