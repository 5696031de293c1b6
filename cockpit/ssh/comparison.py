"""What the cockpit makes of ssh_config for a host, beside what OpenSSH makes of it, option by option."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from cockpit.errors import CommandError
from cockpit.ssh.config import Reading
from cockpit.ssh.config.jumps import jumps
from cockpit.ssh.config.matching import fits
from cockpit.ssh.config.options import ALIASES
from cockpit.ssh.config.tokens import COMMAND, Unexpandable, expanded, path_of
from cockpit.ssh.config.values import USED
from cockpit.ssh.differences import DIFFERENT, UNUSED
from cockpit.ssh.host_config import HostConfig, Jump
from cockpit.ssh.openssh import dump

Dump = Mapping[str, Sequence[str]]
"""Values by the option's lower-case name, as `ssh -G` prints them."""

ALGORITHMS = {
    "casignaturealgorithms": "ca_signature_algorithms",
    "ciphers": "ciphers",
    "hostkeyalgorithms": "host_key_algorithms",
    "kexalgorithms": "kex_algorithms",
    "macs": "macs",
    "pubkeyacceptedalgorithms": "pubkey_accepted_algorithms",
}
_ALONE = ("host",)
"""What `ssh -G` prints and no file says."""


class Compared(Struct, frozen=True, kw_only=True):
    """One option of a host.

    Attributes:
        openssh: What `ssh -G` says, a value each; empty where there is no ssh, or it says nothing.
        cockpit: What the cockpit does; empty where it does nothing of the kind.
        state: `same`; `differs` where both do something else; `unused` where it is set and the cockpit has no use for
            it; `unset` where it is not set and the cockpit has no use for it.
        why: The reason why it differs or is not used.
        where: The file and line that say it; empty for a default.
    """

    option: str
    openssh: tuple[str, ...] = ()
    cockpit: tuple[str, ...] = ()
    state: Literal["same", "differs", "unused", "unset"] = "same"
    why: str = ""
    where: str = ""


class Comparison(Struct, frozen=True, kw_only=True):
    """All options of a host.

    Attributes:
        missing: Why there is nothing to compare with; empty where there is.
    """

    options: tuple[Compared, ...]
    missing: str = ""


async def compared(reading: Reading, asked: Jump, files: Sequence[Path] | None) -> Comparison:
    """Return what we read beside what OpenSSH reads from the same files.

    Args:
        reading: Ours.
        asked: Whom it is about.
        files: The files; None for OpenSSH's own.
    """
    arguments = [
        *(("-F", str(files[0])) if files else ()),
        *(("-l", asked.user) if asked.user else ()),
        *(("-p", str(asked.port)) if asked.port else ()),
    ]
    try:
        theirs = await dump(asked.host, arguments=arguments)
        defaults = await dump(asked.host, arguments=["-F", "none"])
    except CommandError as error:
        return Comparison(options=alone(reading), missing=str(error))
    return Comparison(options=beside(reading, theirs, defaults))


def alone(reading: Reading) -> tuple[Compared, ...]:
    """Return what we read, where there is nothing to compare with."""
    ours = rendered(reading.config)
    names = dict.fromkeys((*ours, *(name for name, _ in reading.config.extra)))
    return tuple(
        Compared(
            option=name,
            cockpit=tuple(ours.get(name, ())),
            openssh=(),
            state="same" if name in USED else "unused",
            why=DIFFERENT.get(name, "") if _restrained(name, reading) else _reason(name),
            where=_where(name, reading),
        )
        for name in names
    )


def beside(reading: Reading, theirs: Dump, defaults: Dump) -> tuple[Compared, ...]:
    """Compare each option.

    Args:
        reading: Ours.
        theirs: What `ssh -G` says.
        defaults: What it says without any file.
    """
    ours = rendered(reading.config)
    names = [name for name in dict.fromkeys((*theirs, *ours)) if name not in _ALONE]
    return tuple(_one(name, reading, ours, theirs, defaults) for name in names)


def _one(name: str, reading: Reading, ours: Dump, theirs: Dump, defaults: Dump) -> Compared:
    said, said_by_default = tuple(theirs.get(name, ())), tuple(defaults.get(name, ()))
    known = ALIASES.get(name, name)
    if known not in USED:
        unused = known in reading.said and said != said_by_default
        return Compared(
            option=name,
            openssh=said,
            state="unused" if unused else "unset",
            why=_reason(known) if unused else "",
            where=_where(known, reading),
        )
    mine = tuple(ours.get(name, ()))
    if known in ALGORITHMS:
        same, mine = _algorithms(known, reading.config, said, said_by_default)
    else:
        same = _normal(name, said, reading) == _normal(name, mine, reading, ours=True)
    if _restrained(name, reading):
        same = False
    return Compared(
        option=name,
        openssh=said,
        cockpit=mine,
        state="same" if same else "differs",
        why="" if same else DIFFERENT.get(name, "the cockpit reads it otherwise: please report it"),
        where=_where(name, reading),
    )


def _reason(name: str) -> str:
    return "" if name in USED else UNUSED.get(name, "the cockpit has no use for it")


def _where(name: str, reading: Reading) -> str:
    said = [each for each in reading.said.get(name, ()) if each.file]
    return ", ".join(dict.fromkeys(f"{each.file}:{each.line}" for each in said))


def _restrained(name: str, reading: Reading) -> bool:
    """Tell whether the cockpit does less than what was said, on purpose."""
    if name == "stricthostkeychecking":
        return name in reading.said and reading.said[name][0].words[0] == "no"
    return name == "forwardagent" and bool(reading.config.forward_agent)


def _flag(value: bool) -> str:
    return "yes" if value else "no"


_RENDER: dict[str, Callable[[HostConfig], Sequence[str]]] = {
    "user": lambda c: [c.user],
    "hostname": lambda c: [c.hostname],
    "port": lambda c: [str(c.port)],
    "addressfamily": lambda c: [c.address_family],
    "bindaddress": lambda c: [c.bind_address] if c.bind_address else [],
    "compression": lambda c: [_flag(c.compression)],
    "connectionattempts": lambda c: [str(c.connection_attempts)],
    "connecttimeout": lambda c: [f"{c.connect_timeout:.0f}" if c.connect_timeout else "none"],
    "hashknownhosts": lambda c: [_flag(c.hash_known_hosts)],
    "hostkeyalias": lambda c: [c.host_key_alias] if c.host_key_alias else [],
    "identitiesonly": lambda c: [_flag(c.identities_only)],
    "identityagent": lambda c: [c.identity_agent or "none"],
    "identityfile": lambda c: c.identity_files or ["none"],
    "certificatefile": lambda c: c.certificate_files,
    "addkeystoagent": lambda c: [c.add_keys_to_agent or "no"],
    "forwardagent": lambda c: [c.forward_agent or "no"],
    "pubkeyauthentication": lambda c: [_flag(c.pubkey_authentication)],
    "passwordauthentication": lambda c: [_flag(c.password_authentication)],
    "kbdinteractiveauthentication": lambda c: [_flag(c.kbd_interactive_authentication)],
    "preferredauthentications": lambda c: (
        [",".join(c.preferred_authentications)] if c.preferred_authentications else []
    ),
    "numberofpasswordprompts": lambda c: [str(c.number_of_password_prompts)],
    "proxycommand": lambda c: [c.proxy_command] if c.proxy_command else [],
    "proxyjump": lambda c: [",".join(map(_written, c.proxy_jump))] if c.proxy_jump else [],
    "userknownhostsfile": lambda c: [" ".join(c.user_known_hosts_files) or "none"],
    "globalknownhostsfile": lambda c: [" ".join(c.global_known_hosts_files) or "none"],
    "revokedhostkeys": lambda c: [c.revoked_host_keys] if c.revoked_host_keys else [],
    "stricthostkeychecking": lambda c: [c.strict_host_key_checking],
    "sendenv": lambda c: c.send_env,
    "serveralivecountmax": lambda c: [str(c.server_alive_count_max)],
    "serveraliveinterval": lambda c: [f"{c.server_alive_interval:.0f}"],
    "setenv": lambda c: c.set_env,
    "tcpkeepalive": lambda c: [_flag(c.tcp_keep_alive)],
}


def rendered(config: HostConfig) -> Dump:
    """Return what we read in the form of `ssh -G`; algorithms as they were said."""
    said = {name: tuple(render(config)) for name, render in _RENDER.items()}
    for name, field in ALGORITHMS.items():
        words: tuple[str, ...] = getattr(config, field)
        said[name] = (",".join(words),) if words else ()
    return {name: values for name, values in said.items() if values}


def _written(jump: Jump) -> str:
    host = f"[{jump.host}]" if ":" in jump.host else jump.host
    return f"{jump.user}@{host}".removeprefix("@") + (f":{jump.port}" if jump.port else "")


_SPELLINGS = {"true": "yes", "false": "no", "unbound": "yes", "host-bound": "yes"}


def _normal(name: str, values: Sequence[str], reading: Reading, *, ours: bool = False) -> object:
    """Return values in a form in which those that mean the same are equal."""
    plain = [_SPELLINGS.get(value, value) for value in values]
    form = _FORMS.get(name)
    try:
        return form(plain, reading, ours) if form else plain
    except (Unexpandable, ValueError):
        return plain


def _identities(values: list[str], reading: Reading, ours: bool) -> object:
    if "identityfile" not in reading.said:
        values = [value for value in values if not value.endswith(("/id_xmss", "/id_dsa"))]
    return tuple(dict.fromkeys(_paths(values, reading, ours)))


def _paths(values: Sequence[str], reading: Reading, ours: bool) -> list[str]:
    kept = [value for value in values if value.lower() != "none"]
    return kept if ours else [path_of(value, reading.tokens, reading.here) for value in kept]


def _certificates(values: list[str], reading: Reading, ours: bool) -> object:
    # Those beside the keys are tried by OpenSSH too, which does not list them.
    return [] if "certificatefile" not in reading.said else list(dict.fromkeys(_paths(values, reading, ours)))


def _global_files(values: list[str], reading: Reading, ours: bool) -> object:
    home = reading.here.home.rstrip("/")
    return [
        f"{home}{word[1:]}" if word.startswith("~/") else word
        for value in values
        for word in value.split(" ")
    ]


def _agent(values: list[str], reading: Reading, ours: bool) -> object:
    value = values[0] if values else "SSH_AUTH_SOCK"
    if value == "SSH_AUTH_SOCK" or (value.startswith("$") and not value.startswith("${")):
        value = os.environ.get(value.removeprefix("$"), "none")
    return value


def _jumps(values: list[str], reading: Reading, ours: bool) -> object:
    return [jumps(expanded(value, reading.tokens, COMMAND) if not ours else value) for value in values]


def _command(values: list[str], reading: Reading, ours: bool) -> object:
    return values if ours else [expanded(value, reading.tokens, COMMAND) for value in values]


def _seconds(values: list[str], reading: Reading, ours: bool) -> object:
    return ["0" if value == "none" else value for value in values]


_FORMS: dict[str, Callable[[list[str], Reading, bool], object]] = {
    "certificatefile": _certificates,
    "connecttimeout": _seconds,
    "globalknownhostsfile": _global_files,
    "identityagent": _agent,
    "identityfile": _identities,
    "proxycommand": _command,
    "proxyjump": _jumps,
    "revokedhostkeys": _paths,
    "sendenv": lambda values, reading, ours: tuple(dict.fromkeys(values)),
}


def _algorithms(
    name: str, config: HostConfig, theirs: tuple[str, ...], defaults: tuple[str, ...]
) -> tuple[bool, tuple[str, ...]]:
    """Return whether a list says the same, and ours as it is with OpenSSH's defaults."""
    said: tuple[str, ...] = getattr(config, ALGORITHMS[name])
    if not said:
        return theirs == defaults, ()
    ours = assembled(said, tuple(defaults[0].split(",")) if defaults else ())
    return theirs == (",".join(ours),), (",".join(ours),)


def assembled(said: Sequence[str], defaults: Sequence[str]) -> tuple[str, ...]:
    """Return a list of algorithms that is said as a change of the default one.

    Args:
        said: The words; the first may have `+`, `-` or `^` before it, which goes for all.
        defaults: The default ones.
    """
    change = said[0][:1] if said and said[0][:1] in "+-^" else ""
    words = [said[0][len(change) :], *said[1:]] if said else []
    if change == "-":
        return tuple(each for each in defaults if not any(fits(each, word) for word in words))
    if change == "+":
        return tuple(dict.fromkeys((*defaults, *words)))
    if change == "^":
        return tuple(dict.fromkeys((*words, *defaults)))
    return tuple(words)
