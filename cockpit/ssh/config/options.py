"""The options of ssh_config(5): which there are, and what each takes.

A value is kept as words in one spelling (`yes` for `true`, seconds for times, decimal numbers), so that it is
understood in one place alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum, auto

from msgspec import Struct

from cockpit.ssh.config.jumps import jumps, port_number
from cockpit.ssh.config.tokens import env_name, missing_variable

MOST_FILES = 32
"""Files of keys that one UserKnownHostsFile or GlobalKnownHostsFile may name."""
MOST_EACH = 100
"""Values that an option may have which is said more than once."""
LARGEST = 2**31 - 1


class Kind(Enum):
    """How what follows an option's name is read."""

    TEXT = auto()
    """One word; the first said counts, as of all that follow here."""
    CHOICE = auto()
    NUMBER = auto()
    PORT = auto()
    TIME = auto()
    WORDS = auto()
    COMMAND = auto()
    """All that stands on the line, as it stands there."""
    EACH = auto()
    """One word or two, and all that are said count."""
    SEND_ENV = auto()
    SET_ENV = auto()
    ADD_KEYS = auto()
    JUMPS = auto()
    BLOCK = auto()
    """Host, Match and Include: the reader's own."""
    OBSOLETE = auto()
    """Known, and of no effect for many years."""


class Option(Struct, frozen=True):
    """One option.

    Attributes:
        most: Words that it takes at most; 0 for any number.
        choices: What may be said, in lower case, and the spelling that is kept.
    """

    kind: Kind
    most: int = 1
    choices: Mapping[str, str] = {}


class Wrong(ValueError):
    """What stands after an option's name is not what it takes; the text says what that is."""


_FLAG = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
_CHOICES: Mapping[str, Mapping[str, str]] = {
    "addressfamily": {"any": "any", "inet": "inet", "inet6": "inet6"},
    "canonicalizehostname": {**_FLAG, "always": "always"},
    "compression": {"yes": "yes", "no": "no"},
    "controlmaster": {**_FLAG, "ask": "ask", "auto": "auto", "autoask": "autoask"},
    "fingerprinthash": {"md5": "md5", "sha256": "sha256"},
    "pubkeyauthentication": {**_FLAG, "unbound": "unbound", "host-bound": "host-bound"},
    "requesttty": {**_FLAG, "force": "force", "auto": "auto"},
    "sessiontype": {"none": "none", "subsystem": "subsystem", "default": "default"},
    "stricthostkeychecking": {**_FLAG, "off": "no", "ask": "ask", "accept-new": "accept-new"},
    "tunnel": {**_FLAG, "ethernet": "ethernet", "point-to-point": "point-to-point"},
    "updatehostkeys": {**_FLAG, "ask": "ask"},
    "verifyhostkeydns": {**_FLAG, "ask": "ask"},
    "warnweakcrypto": {**_FLAG, "no-pq-kex": "no-pq-kex"},
}
_FLAGS = """
    batchmode canonicalizefallbacklocal checkhostip clearallforwardings enableescapecommandline
    enablesshkeysign exitonforwardfailure forkafterauthentication forwardx11 forwardx11trusted gatewayports
    gssapiauthentication gssapidelegatecredentials gssapikeyexchange gssapirenewalforcesrekey gssapitrustdns
    hashknownhosts hostbasedauthentication identitiesonly kbdinteractiveauthentication
    nohostauthenticationforlocalhost passwordauthentication permitlocalcommand proxyusefdpass stdinnull
    streamlocalbindunlink tcpkeepalive visualhostkey
"""
_NUMBERS = (
    "canonicalizemaxdots connectionattempts numberofpasswordprompts requiredrsasize serveralivecountmax"
)
_TIMES = "connecttimeout forwardx11timeout serveraliveinterval"
_TEXTS = """
    bindaddress bindinterface casignaturealgorithms ciphers controlpath controlpersist escapechar forwardagent
    gssapiclientidentity gssapikexalgorithms gssapiserveridentity hostbasedacceptedalgorithms hostkeyalgorithms
    hostkeyalias hostname identityagent ignoreunknown kbdinteractivedevices kexalgorithms loglevel macs
    obscurekeystroketiming pkcs11provider preferredauthentications pubkeyacceptedalgorithms refuseconnection
    revokedhostkeys securitykeyprovider streamlocalbindmask syslogfacility tag tunneldevice user versionaddendum
    xauthlocation
"""
_WORDS = """
    canonicaldomains canonicalizepermittedcnames channeltimeout globalknownhostsfile ipqos logverbose
    permitremoteopen rekeylimit userknownhostsfile
"""
_COMMANDS = "knownhostscommand localcommand proxycommand remotecommand"
_OBSOLETE = """
    afstokenpassing cipher compressionlevel fallbacktorsh globalknownhostsfile2 kerberosauthentication
    kerberostgtpassing protocol rhostsauthentication rhostsrsaauthentication rsaauthentication
    useblacklistedkeys useprivilegedport userknownhostsfile2 useroaming usersh
"""
ALIASES: Mapping[str, str] = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
    "hostbasedkeytypes": "hostbasedacceptedalgorithms",
    "identityfile2": "identityfile",
    "keepalive": "tcpkeepalive",
    "protocolkeepalives": "serveraliveinterval",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
    "setuptimeout": "serveraliveinterval",
    "skeyauthentication": "kbdinteractiveauthentication",
    "smartcarddevice": "pkcs11provider",
    "tisauthentication": "kbdinteractiveauthentication",
}
OPTIONS: Mapping[str, Option] = {
    **{name: Option(Kind.CHOICE, choices=choices) for name, choices in _CHOICES.items()},
    **{name: Option(Kind.CHOICE, choices=_FLAG) for name in _FLAGS.split()},
    **{name: Option(Kind.NUMBER) for name in _NUMBERS.split()},
    **{name: Option(Kind.TIME) for name in _TIMES.split()},
    **{name: Option(Kind.TEXT) for name in _TEXTS.split()},
    **{name: Option(Kind.WORDS, most=0) for name in _WORDS.split()},
    **{name: Option(Kind.COMMAND, most=0) for name in _COMMANDS.split()},
    **{name: Option(Kind.OBSOLETE, most=0) for name in _OBSOLETE.split()},
    **{name: Option(Kind.BLOCK, most=0) for name in ("host", "match", "include")},
    **{name: Option(Kind.EACH) for name in ("certificatefile", "dynamicforward", "identityfile")},
    **{name: Option(Kind.EACH, most=2) for name in ("localforward", "remoteforward")},
    "addkeystoagent": Option(Kind.ADD_KEYS, most=2),
    "port": Option(Kind.PORT),
    "proxyjump": Option(Kind.JUMPS, most=0),
    "sendenv": Option(Kind.SEND_ENV, most=0),
    "setenv": Option(Kind.SET_ENV, most=0),
}

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TIME = re.compile(r"(\d+)([smhdw]?)", re.IGNORECASE)


def seconds(text: str) -> int:
    """Return a time such as `90` or `1m30s` in seconds.

    Raises:
        Wrong: It is none.
    """
    total, at = 0, 0
    while (part := _TIME.match(text, at)) is not None:
        total += int(part[1]) * _UNITS[part[2].lower()]
        at = part.end()
    if not text or at != len(text) or total > LARGEST:
        raise Wrong("a time, such as 90 or 1m30s")
    return total


def value(name: str, option: Option, words: Sequence[str], rest: str) -> tuple[str, ...]:
    """Return what an option's line says, as it is kept; empty for nothing, as `ConnectTimeout none` says.

    Args:
        name: The option's name in lower case.
        option: What it takes.
        words: The words after the name.
        rest: All that stands after the name.

    Raises:
        Wrong: It takes something else.
    """
    if option.kind is Kind.OBSOLETE:
        return ()
    if option.kind is Kind.COMMAND:
        return (rest.lstrip(" \t\r\n="),)
    if option.kind is Kind.JUMPS:
        return _jumps(rest.lstrip(" \t\r\n="))
    if not words or not all(words):
        raise Wrong("a value that is not empty")
    if option.most and len(words) > option.most:
        raise Wrong("one word; put a value with spaces in double quotes" if option.most == 1 else "two words")
    if option.kind is Kind.CHOICE:
        if (kept := option.choices.get(words[0].lower())) is None:
            raise Wrong(" or ".join(dict.fromkeys(option.choices.values())))
        return (kept,)
    check = _CHECKS.get(option.kind) or _CHECKS_BY_NAME.get(name)
    return check(words) if check is not None else tuple(words)


def _jumps(text: str) -> tuple[str, ...]:
    text = text.partition("#")[0].rstrip()
    if text.lower() == "none":
        return ("none",)
    try:
        jumps(text)
    except ValueError as error:
        raise Wrong(str(error)) from None
    return (text,)


def _number(words: Sequence[str]) -> tuple[str, ...]:
    if not re.fullmatch(r"[+]?[0-9]{1,12}", words[0]) or int(words[0]) > LARGEST:
        raise Wrong("a whole number from 0")
    return (str(int(words[0])),)


def _port(words: Sequence[str]) -> tuple[str, ...]:
    if (number := port_number(words[0])) is None:
        raise Wrong("a port from 1 to 65535")
    return (str(number),)


def _time(words: Sequence[str]) -> tuple[str, ...]:
    return () if words[0] == "none" else (str(seconds(words[0])),)


def _send_env(words: Sequence[str]) -> tuple[str, ...]:
    if any("=" in word for word in words):
        raise Wrong("names of variables; SetEnv gives values")
    return tuple(words)


def _set_env(words: Sequence[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for word in words:
        name, equals, _ = word.partition("=")
        if not equals:
            raise Wrong("NAME=VALUE")
        kept.setdefault(name, word)
    return tuple(kept.values())


def _add_keys(words: Sequence[str]) -> tuple[str, ...]:
    known = {**_FLAG, "ask": "ask", "confirm": "confirm"}.get(words[0].lower())
    if len(words) == 2 and known == "confirm":
        return ("confirm", str(seconds(words[1])))
    if len(words) == 2 or known is None:
        try:
            return (str(seconds(" ".join(words))),)
        except Wrong:
            raise Wrong("yes or no or ask or confirm, or a time such as 10m") from None
    return (known,)


def _files(words: Sequence[str]) -> tuple[str, ...]:
    if len(words) > 1 and any(word.lower() == "none" for word in words):
        raise Wrong("`none` alone, or names of files")
    if len(words) > MOST_FILES:
        raise Wrong(f"at most {MOST_FILES} files")
    return tuple(words)


def _agent(words: Sequence[str]) -> tuple[str, ...]:
    word = words[0]
    if (missing := missing_variable(word)) is not None:
        raise Wrong(missing)
    if word.startswith("$") and not word.startswith("${") and not env_name(word[1:]):
        raise Wrong("the path of an agent's socket, `none`, or $ and a variable's name")
    return (word,)


def _forward(words: Sequence[str]) -> tuple[str, ...]:
    known = _FLAG.get(words[0].lower())
    return (known,) if known else _agent(words)


_CHECKS = {
    Kind.NUMBER: _number,
    Kind.PORT: _port,
    Kind.TIME: _time,
    Kind.SEND_ENV: _send_env,
    Kind.SET_ENV: _set_env,
    Kind.ADD_KEYS: _add_keys,
}
_CHECKS_BY_NAME = {
    "forwardagent": _forward,
    "globalknownhostsfile": _files,
    "identityagent": _agent,
    "userknownhostsfile": _files,
}
