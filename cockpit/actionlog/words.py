"""What an operator types to filter the log: `target:db-1 risk:destructive since:2h "connection reset"`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from msgspec.structs import replace

from cockpit.actionlog.filters import Filter
from cockpit.actionlog.records import State
from cockpit.actions.command import Kind, Risk
from cockpit.errors import UsageError
from cockpit.moments import moment

NAMES = ("target", "incident", "session", "risk", "state", "kind", "since", "until")
_CHOICES: dict[str, Iterable[str]] = {"risk": Risk, "state": State, "kind": Kind}
_TERM = re.compile(rf'\s*(?:({"|".join(NAMES)}):(?:"([^"]*)"?|(\S*))|("[^"]*"?|\S+))')


def read(text: str, now: int) -> Filter:
    """Return what a line of words asks for; what is no `name:value` is looked for as text.

    Raises:
        UsageError: A value is none that could be.
    """
    wanted, rest = Filter(), []
    for name, quoted, bare, word in _TERM.findall(text.strip()):
        value = quoted or bare
        if word:
            rest.append(word)
        elif not value:
            continue  # it is still being typed
        elif name in ("since", "until"):
            wanted = replace(wanted, **{f"{name}_ns": moment(value, now)})
        else:
            wanted = replace(wanted, **{name: _checked(name, value)})
    return replace(wanted, text=" ".join(rest))


def _checked(name: str, value: str) -> str:
    if name == "session":
        return value.upper()
    known = [str(each) for each in _CHOICES.get(name, ())]
    if known and value not in known:
        near = difflib.get_close_matches(value, known, n=1, cutoff=0.3)
        hint = f"such as {near[0]}" if near else f"one of {', '.join(known)}"
        raise UsageError(f"{value!r} is no {name}", remedy=hint)
    return value
