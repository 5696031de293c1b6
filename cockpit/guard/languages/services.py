"""Calls of services: init scripts, messages on D-Bus, and properties of a transient unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from cockpit.actions.command import Risk
from cockpit.guard.call import Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word

_READING_ACTIONS = frozenset({"status", "configtest", "config-test", "testconfig", "describe"})
_METHOD = re.compile(r"[A-Za-z_][\w.-]*")
_READING_METHODS = (
    "Get", "GetAll", "Introspect", "Ping", "GetMachineId", "ListNames", "ListActivatableNames", "NameHasOwner",
    "GetNameOwner", "GetUnit*", "ListUnit*", "GetJob", "ListJobs", "ListSessions", "ListUsers", "ListSeats",
    "ListInhibitors", "GetSession*", "GetUser*", "GetSeat", "CanPowerOff", "CanReboot", "CanHalt", "GetConnection*",
    "GetManagedObjects",
)  # fmt: skip
_DESTRUCTIVE_METHODS = (
    "PowerOff*", "Reboot*", "Halt*", "KExec", "SoftReboot", "Suspend*", "Hibernate*", "HybridSleep", "Sleep",
    "ScheduleShutdown", "SwitchRoot", "Exit", "CleanUnit", "Remove*", "Delete*", "Format", "Destroy*",
)  # fmt: skip


def service(call: Call) -> list[Finding]:
    """Judge `service NAME ACTION`, `service --status-all`, `rc-service [OPTIONS] NAME ACTION`."""
    words = [word for word in call.rest if not (word.text or word.start).startswith("-") or word.is_open]
    texts = [word.text for word in call.rest]
    if texts in (["--status-all"], ["--list"], ["-l"]):
        return [call.finding(Risk.READ, "shows how services are")]
    if len(words) != len(call.rest):
        return [call.finding(Risk.CHANGE, "may start or stop a service")]
    if len(words) < 2 or words[1].text is None or words[1].glob:
        return [call.finding(Risk.UNKNOWN, "names no action that is known")]
    name = words[0]
    if name.is_open or name.many or "/" in (name.text or name.raw):
        return [call.finding(Risk.UNKNOWN, "names a service that isn't known")]
    if words[1].text in _READING_ACTIONS:
        return [call.finding(Risk.READ, "asks a service how it is")]
    return [call.finding(Risk.CHANGE, "starts, stops or changes a service")]


def dbus(call: Call) -> list[Finding]:
    """Judge a call over D-Bus by the method's name; on systemd's and the bus's own interfaces alone it may read."""
    words = call.parts.operands
    if not words or any(word.text is None for word in words[:6]):
        return [call.finding(Risk.UNKNOWN, "calls a method that isn't known")]
    names = [word.text or "" for word in words]
    if call.words[0].text == "busctl":
        named = names[2:4]
        interface, method = named if len(named) == 2 else ("", "")
    else:
        interface, method = _dotted(names)
    if any(fnmatchcase(method, each) for each in _DESTRUCTIVE_METHODS):
        return [call.finding(Risk.DESTRUCTIVE, f"calls {method}")]
    if interface.startswith("org.freedesktop.") and any(
        fnmatchcase(method, each) for each in _READING_METHODS
    ):
        return [call.finding(Risk.READ, f"calls {method}, which only asks")]
    return [call.finding(Risk.CHANGE, f"calls {method or 'a method'} of a service")]


def _dotted(names: Sequence[str]) -> tuple[str, str]:
    """Return interface and method of `dbus-send … PATH INTERFACE.METHOD …` and `gdbus call --method X`."""
    for index, name in enumerate(names):
        text = name.removeprefix("--method=")
        if name in {"--method", "-m"} and index + 1 < len(names):
            text = names[index + 1]
        elif text == name and (name[:1] in {"-", "/"} or ":" in name or not _follows_path(names, index)):
            continue
        if _METHOD.fullmatch(text) and "." in text:
            interface, _, method = text.rpartition(".")
            return interface, method
    return "", ""


def _follows_path(names: Sequence[str], index: int) -> bool:
    return index > 0 and names[index - 1].startswith("/")


_PROPERTY = re.compile(r"(Exec\w+)=[@+!:|-]*(.*)", re.DOTALL)


def unit_properties(call: Call) -> list[Finding]:
    """Judge the commands among a transient unit's properties, such as `-p ExecStopPost='rm …'`."""
    found: list[Finding] = []
    for value in call.values("-p", "--property"):
        if value.text is None:
            found.append(call.finding(Risk.UNKNOWN, "has a property that isn't known"))
        elif match := _PROPERTY.fullmatch(value.text):
            line = match[2]
            found += call.inner.line(Word(raw=line, text=line), call.given)
    return found
