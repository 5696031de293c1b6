"""The `:` commands: what can be said faster than it can be found with keys. Pure: they change scope and target."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from cockpit.errors import UsageError
from cockpit.moments import moment, span
from cockpit.targets import GROUP, LOCAL

if TYPE_CHECKING:
    from cockpit.sftp.request import Fetch
    from cockpit.wiring import Cockpit


class Effect(Struct, frozen=True):
    """What a command did, or asks the app to do.

    Attributes:
        notice: What to say; empty for nothing.
        action: An action of the registry to perform, such as `app.quit`.
        theme: A theme to put on.
        shell: A host to open a shell on; empty for the current target, None for none.
        fetch: Files to be fetched from a host.
        goto: A link to a log record to go to.
    """

    notice: str = ""
    action: str = ""
    theme: str = ""
    shell: str | None = None
    fetch: Fetch | None = None
    goto: str = ""


def interpret(text: str, cockpit: Cockpit, now: int) -> Effect:
    """Carry out one line.

    Raises:
        UsageError: The command or its argument is wrong; says what was expected.
    """
    name, _, argument = text.strip().partition(" ")
    known = _COMMANDS.get(name)
    if known is None:
        names = [*_COMMANDS, *_PLACES]
        if name in _PLACES:
            return Effect(action=f"app.{name}")
        near = difflib.get_close_matches(name, names, n=1)
        remedy = (
            f"did you mean :{near[0]}?" if near else f"there are {', '.join(f':{each}' for each in names)}"
        )
        raise UsageError(f"there is no command :{name}", remedy=remedy)
    return known(cockpit, argument.strip(), now)


def commands() -> tuple[str, ...]:
    """Return the names of all commands, for completion."""
    return (*_COMMANDS, *_PLACES)


def _since(cockpit: Cockpit, argument: str, _now: int) -> Effect:
    cockpit.trail.push(title=f"last {argument}", span=span(argument), end=None, cursor=None)
    return Effect()


def _at(cockpit: Cockpit, argument: str, now: int) -> Effect:
    cockpit.trail.amend(cursor=moment(argument, now))
    return Effect()


def _now(cockpit: Cockpit, _argument: str, _now: int) -> Effect:
    cockpit.trail.amend(cursor=None, end=None)
    return Effect()


def _service(cockpit: Cockpit, argument: str, _now: int) -> Effect:
    cockpit.trail.push(title=_needed(argument, "a service's name"), service=argument)
    return Effect()


def _host(cockpit: Cockpit, argument: str, _now: int) -> Effect:
    cockpit.trail.push(title=_needed(argument, "a host's name"), host=argument)
    return Effect()


def _trace(cockpit: Cockpit, argument: str, _now: int) -> Effect:
    wanted = argument.lower()
    if not re.fullmatch(r"[0-9a-f]{1,32}", wanted):
        raise UsageError(f"{argument!r} is no trace id", remedy="a trace id is up to 32 hexadecimal digits")
    cockpit.trail.push(title=f"trace {wanted[:8]}", trace_id=wanted)
    return Effect()


def _all(cockpit: Cockpit, _argument: str, _now: int) -> Effect:
    while cockpit.trail.back():
        pass
    return Effect()


def _target(cockpit: Cockpit, argument: str, _now: int) -> Effect:
    target = cockpit.choose_target(argument) if argument else cockpit.target
    told = [f"commands land on {target.name} ({target.environment})"]
    if target.transport == GROUP:
        told[0] += f", {len(cockpit.targets.members(target.name)):,} hosts"
    elif not cockpit.targets.is_known(target.name):
        told.append(f"nothing here knows it, ssh may ({cockpit.targets.nearest(target.name)})")
    if not target.named:
        told.append("no rule names it, so it counts as production")
    return Effect(notice="; ".join(told))


def _fetch(cockpit: Cockpit, argument: str, _now: int) -> Effect:
    import shlex

    from cockpit.sftp.request import LIMIT, fetches, place

    try:
        words = shlex.split(_needed(argument, "HOST:PATH, such as :fetch web-1:/var/log/nginx/error.log"))
    except ValueError as error:
        raise UsageError(f":fetch {argument}: {error}", remedy="close the quotes") from None
    here = cockpit.target.name
    places = [word if ":" in word or here == LOCAL else f"{here}:{word}" for word in words]
    hosts = list(dict.fromkeys(place(each)[0] for each in places))
    if len(hosts) > 1:
        raise UsageError(f":fetch takes one host at a time, not {' and '.join(hosts)}")
    return Effect(fetch=fetches(places, LIMIT)[0])


def _goto(_cockpit: Cockpit, argument: str, _now: int) -> Effect:
    return Effect(goto=_needed(argument, "a link to a log record, as evidence has it"))


def _ssh(_cockpit: Cockpit, argument: str, _now: int) -> Effect:
    if len(argument.split()) > 1:
        raise UsageError(
            ":ssh takes a host alone", remedy="a command goes with `!`, once :target names the host"
        )
    return Effect(shell=argument)


def _theme(_cockpit: Cockpit, argument: str, _now: int) -> Effect:
    return Effect(theme=_needed(argument, "a theme's name; ctrl+p lists them"))


def _retry(cockpit: Cockpit, _argument: str, _now: int) -> Effect:
    waiting = cockpit.supervisor.retry()
    return Effect(notice=f"trying again: {', '.join(waiting)}" if waiting else "no source waits for a retry")


def _sources(cockpit: Cockpit, _argument: str, _now: int) -> Effect:
    lines = [
        f"{status.name} ({status.kind}) {status.state} {status.error}".rstrip()
        for status in cockpit.statuses()
    ]
    return Effect(notice="\n".join(lines) or "no sources")


def _elevate(_cockpit: Cockpit, _argument: str, _now: int) -> Effect:
    return Effect(action="app.elevate")


def _quit(_cockpit: Cockpit, _argument: str, _now: int) -> Effect:
    return Effect(action="app.quit")


_PLACES = ("health", "alerts", "logs", "traces", "help", "zoom", "timeline", "targets")
_COMMANDS: dict[str, Callable[[Cockpit, str, int], Effect]] = {
    "since": _since,
    "at": _at,
    "now": _now,
    "service": _service,
    "host": _host,
    "trace": _trace,
    "all": _all,
    "target": _target,
    "ssh": _ssh,
    "goto": _goto,
    "fetch": _fetch,
    "theme": _theme,
    "retry": _retry,
    "sources": _sources,
    "elevate": _elevate,
    "q": _quit,
    "quit": _quit,
}


def _needed(argument: str, what: str) -> str:
    if not argument:
        raise UsageError(f"this needs {what}")
    return argument
