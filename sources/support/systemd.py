"""The systemd units that are in trouble, and whether the clock is synchronised."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from cockpit.errors import BadAnswer
from cockpit.process import capture
from cockpit.signals import HealthSample, HealthState
from sources.support.readings import Look

RUNNING = Path("/run/systemd/system")
"""Exists where systemd is the init system (sd_booted(3))."""

LIST = (
    "systemctl", "list-units", "--state=failed,activating", "--all", "--full", "--plain", "--no-legend",
    "--no-pager", "--output=json",
)  # fmt: skip
"""An older systemctl doesn't know JSON here and answers its plain table."""


class Unit(Struct, frozen=True, gc=False):
    """A unit as `systemctl list-units` names it."""

    name: str
    active: str
    sub: str
    description: str


def parse_units(text: str) -> list[Unit]:
    """Read what `systemctl list-units` wrote: its JSON (v246 and later), else its plain columns.

    Raises:
        BadAnswer: It looked like JSON and isn't.
    """
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
            return [Unit(row["unit"], row["active"], row["sub"], row["description"]) for row in rows]
        except (ValueError, TypeError, KeyError):
            raise BadAnswer("its list of units is not what systemd writes", where="systemctl") from None
    units = []
    for line in text.splitlines():
        columns = line.replace("●", " ").split(None, 4)
        if len(columns) >= 4:
            units.append(Unit(columns[0], columns[2], columns[3], "".join(columns[4:])))
    return units


async def troubled_units(look: Look, *, timeout: float, ignored: Sequence[str] = ()) -> list[HealthSample]:
    """Return a sample for each unit that failed or can't get started, and one about them all.

    Raises:
        CommandError: systemctl can't be started, or does not answer in time.
        BadAnswer: systemctl answered with an error.
    """
    status, out, err = await capture(LIST, timeout=timeout)
    if status != 0:
        told = err.decode("utf-8", "replace").strip() or f"exit status {status}"
        raise BadAnswer(told, where="systemctl")
    samples = [
        _unit_sample(look, unit)
        for unit in parse_units(out.decode("utf-8", "replace"))
        if not any(fnmatchcase(unit.name, pattern) for pattern in ignored)
    ]
    return [_summary(look, samples), *samples]


def _unit_sample(look: Look, unit: Unit) -> HealthSample:
    failed = unit.active == "failed"
    restarting = unit.sub == "auto-restart"
    if failed:
        state, reason = HealthState.DOWN, f"failed: see journalctl -u {unit.name}"
    elif restarting:
        state, reason = HealthState.DEGRADED, "it ended and is being started again"
    else:
        state, reason = HealthState.OK, f"{unit.active} ({unit.sub})"
    return look.sample(
        f"unit {unit.name}",
        "unit",
        state=state,
        reason=reason,
        details={"active": unit.active, "sub": unit.sub, "description": unit.description},
    )


def _summary(look: Look, samples: list[HealthSample]) -> HealthSample:
    failed = sum(sample.state is HealthState.DOWN for sample in samples)
    return look.sample(
        "units",
        "host",
        state=HealthState.DEGRADED if failed else HealthState.OK,
        reason=f"{failed} failed" if failed else "no unit has failed",
        value=float(failed),
        unit="{unit}",
    )


async def clock(look: Look, *, timeout: float) -> HealthSample:
    """Return whether the clock is synchronised, as systemd-timedated knows it.

    Raises:
        CommandError: timedatectl can't be started, or does not answer in time.
    """
    argv = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
    _, out, _ = await capture(argv, timeout=timeout)
    answer = out.decode("ascii", "replace").strip()
    if answer == "yes":
        return look.sample("clock", "host", reason="synchronised")
    if answer == "no":
        return look.sample("clock", "host", state=HealthState.DEGRADED, reason="not synchronised")
    return look.sample("clock", "host", state=HealthState.UNKNOWN, reason="timedatectl gave no answer")
