"""What a secret looks like: for each kind, where to look, and what exactly is cut there.

A detector is asked only where one of its anchors stands, and looks at a bounded stretch from there, so that time is
linear in the input whatever that is. No detector but the one for private keys looks past the end of a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

LONGEST = 16 * 1024
"""Bytes that a secret, and all that leads to it, may have."""
MARK = b"[redacted:"
"""How what stands in a secret's place begins; nothing that begins so is cut again."""


class Found(NamedTuple):
    """What a detector saw at an anchor: what to cut, nothing where `end` is 0, and from where to go on looking."""

    start: int
    end: int
    resume: int


class Detector(NamedTuple):
    """One kind of secret.

    Attributes:
        name: What it is called in the text that replaces it.
        anchors: What to look for, in lower case.
        look: Told the data and where an anchor stands, says what it found.
    """

    name: str
    anchors: tuple[bytes, ...]
    look: Callable[[bytes, int], Found]


_NAMED = re.compile(
    rb"(?P<word>pass(?:wor[dt]|wd|phrase|code)?|pwd|secret|token|key)[0-9]?\\?[\"']?"
    rb"(?:[ \t]{0,4}(?P<sign>=>|:=|=|:)[ \t]{0,4}|(?P<space>[ \t]{1,4}))(?=[^ \t\r\n])",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    rb'\\"(?P<escaped>[^"\r\n]{1,4096}?)\\"'
    rb"|\"(?P<double>(?:[^\"\\\r\n]|\\[^\r\n]){1,4096})\""
    rb"|'(?P<single>[^'\r\n]{1,4096})'"
)
_BARE = re.compile(rb"[^\s\"'`&\\][^\s\"'`&]{0,4095}")
_FIRST = re.compile(rb"[^\s\"'`&]{1,64}")
_OF_A_NAME = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_OF_A_KEY = re.compile(
    rb"(?:api|access|secret|private|account|shared|encryption|signing|auth|master|storage)[_.-]?\Z",
    re.IGNORECASE,
)
_NOT_A_SECRET = re.compile(
    rb"\[redacted:|\*+\Z|<[^>]*>|\$\{|\$\(|\$[A-Z_][A-Z0-9_]*\Z|\{\{|%[sdv({]"
    rb"|(?:null|none|nil|true|false|yes|no|undefined)\Z",
    re.IGNORECASE,
)
_TRAILING = b",;)}]"
_DIGIT = re.compile(rb"[0-9]")


def _assigned(data: bytes, at: int) -> Found:
    """Look at `password=x`, `"token": "x"`, `--secret x` and their like."""
    nothing = Found(0, 0, at + 3)
    named = _NAMED.match(data, at)
    if named is None:
        return nothing
    before = data[max(0, at - 32) : at]
    prefix = before[len(before.rstrip(_OF_A_NAME)) :]
    word, sign = named["word"].lower(), named["sign"] or b"="
    if not _may_name(word, prefix, sign) or (named["space"] and not prefix.startswith(b"-")):
        return nothing
    quoted = _QUOTED.match(data, named.end())
    if quoted is not None:
        start, end = quoted.span(quoted.lastgroup or 0)
    elif first := _FIRST.match(data, named.end()):
        if not _likely(word, sign, first[0]):
            return nothing
        bare = _BARE.match(data, named.end())
        if bare is None:
            return nothing
        start, end = bare.span()
        while end > start + 1 and data[end - 1] in _TRAILING:
            end -= 1
    else:
        return nothing
    value = data[start:end]
    if _NOT_A_SECRET.match(value) or (quoted is not None and not _likely(word, b"=", value)):
        return nothing
    return Found(start, end, end)


def _may_name(word: bytes, prefix: bytes, sign: bytes) -> bool:
    """Return whether a name is a secret's: `password` always is, `key` is the name of many other things."""
    if word == b"pass":
        return prefix[-1:] in (b"_", b"-") or sign == b"="
    return word != b"key" or bool(_OF_A_KEY.search(prefix))


def _likely(word: bytes, sign: bytes, value: bytes) -> bool:
    """Weigh a value by its beginning: `token: expired` is no secret, `token: 3f9a77c1` is one."""
    if word == b"pass":
        return not value.isdigit()
    if word == b"pwd":
        return value[:1] not in (b"/", b"~")
    if word.startswith(b"pass"):
        return True
    if sign == b":":
        return len(value) >= 8 and _DIGIT.search(value) is not None
    return len(value) >= 6


_HEADER = re.compile(
    rb"authorization\\?[\"']?[ \t]{0,3}[:=][ \t]{0,3}\\?[\"']?"
    rb"(?:(?:bearer|basic|token|digest|negotiate|ntlm|apikey|aws4-hmac-sha256)[ \t]{1,3})?+"
    rb"(?P<secret>(?!\[redacted:)[^\s\"'\\][^\r\n\"'\\]{0,8191})",
    re.IGNORECASE,
)
_BEARER = re.compile(rb"bearer[ \t]{1,3}(?P<secret>[A-Za-z0-9._~+/-]{16,8192}={0,2})", re.IGNORECASE)
_COOKIE = re.compile(
    rb"cookie2?\\?[\"']?[ \t]{0,3}[:=][ \t]{0,3}\\?[\"']?"
    rb"(?P<secret>(?!\[redacted:)[^\s\"'=;,][^\s\"'=;,]{0,255}=[^\r\n\"']{0,8191})",
    re.IGNORECASE,
)
_URL = re.compile(rb"://[^\s/?#@:\"'<>]{0,256}:(?P<secret>(?!\[redacted:)[^\s/\"'<>]{1,256})@")
_AWS = re.compile(rb"(?:AKIA|ASIA|ABIA|ACCA)(?P<tail>[A-Z2-7]{16})(?![A-Za-z0-9])")
_GOOGLE = re.compile(
    rb"AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])|ya29\.[0-9A-Za-z_-]{20,2048}|GOCSPX-[0-9A-Za-z_-]{28}"
)
_AZURE_SIGNATURE = re.compile(rb"sig=(?P<secret>[A-Za-z0-9%+/]{40,120}(?:%3[Dd]|=))")
_AZURE_CLIENT = re.compile(rb"8Q~[A-Za-z0-9_~.-]{31,34}")
_GITHUB = re.compile(rb"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}")
_GITLAB = re.compile(rb"gl(?:pat|dt|rt|ptt|cbt|ft)-[A-Za-z0-9_-]{20,255}")
_SLACK = re.compile(
    rb"xox[a-z]-(?:[0-9a-z]-)?[A-Za-z0-9-]{10,255}|xapp-[0-9]-[A-Za-z0-9-]{10,255}|hooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/_]{20,255})"
)
_STRIPE = re.compile(rb"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,255}|whsec_[0-9A-Za-z+/=]{16,255}")
_JWT_RUN = re.compile(rb"[A-Za-z0-9_.-]{1,8192}")
_JWT = re.compile(rb"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,2}\Z")
_WORD = re.compile(rb"[A-Za-z0-9]")


def _shape(
    pattern: re.Pattern[bytes], *, back: int = 0, alone: bool = False
) -> Callable[[bytes, int], Found]:
    """Return a look that cuts what a pattern matches, or its group `secret`.

    Args:
        pattern: What to cut.
        back: Bytes before the anchor that belong to it.
        alone: Whether a letter or digit before it says that it is something else.
    """
    group = "secret" if "secret" in pattern.groupindex else 0

    def look(data: bytes, at: int) -> Found:
        found = pattern.match(data, at)
        if found is None or (alone and at and _WORD.match(data, at - 1)):
            return Found(0, 0, at + 3)
        start, end = found.span(group)
        if start < 0:
            start, end = found.span()
        return Found(max(0, start - back), end, end)

    return look


def _jwt(data: bytes, at: int) -> Found:
    """Look at a whole run of the characters that a token is made of, once."""
    if data[at : at + 3] != b"eyJ" or (at and _WORD.match(data, at - 1)):
        return Found(0, 0, at + 3)
    run = _JWT_RUN.match(data, at)
    end = run.end() if run is not None else at + 3
    while end > at and data[end - 1 : end] == b".":
        end -= 1
    if _JWT.match(data[at:end]):
        return Found(at, end, end)
    return Found(0, 0, end)


_STRIPE_BACK = 2


def _stripe(data: bytes, at: int) -> Found:
    """Look at `sk_live_…` from its anchor `_live_`."""
    start = at if data[at : at + 5] == b"whsec" else at - _STRIPE_BACK
    found = _STRIPE.match(data, start) if start >= 0 else None
    return Found(start, found.end(), found.end()) if found else Found(0, 0, at + 3)


_FLAGS = {
    b"mysql": re.compile(
        rb"[ \t]-p(?P<secret>[^\s\"'-][^\s\"']{0,255}|\"[^\"\r\n]{1,255}\"|'[^'\r\n]{1,255}')"
    ),
    b"sshpass": re.compile(rb"[ \t]-p[ \t]?(?P<secret>[^\s-]\S{0,255})"),
    b"redis-cli": re.compile(rb"[ \t]-a[ \t]{1,3}(?P<secret>[^\s-]\S{0,255})"),
    b"curl": re.compile(
        rb"[ \t](?:-u|--user)[ \t=]?[\"']?[^\s:\"']{0,128}:(?P<secret>(?!//)[^\s\"']{1,255})"
    ),
    b"docker login": re.compile(rb"[ \t]-p[ \t]{1,3}(?P<secret>[^\s-]\S{0,255})"),
    b"ldap": re.compile(rb"[ \t]-w[ \t]{1,3}(?P<secret>[^\s-]\S{0,255})"),
}
FLAG_TOOLS = {**_FLAGS, b"mariadb": _FLAGS[b"mysql"]}
"""Programs that take a password after a short flag, and how."""
_STRETCH = re.compile(rb"[^\r\n;|&]{0,512}")


def _flag_of(pattern: re.Pattern[bytes]) -> Callable[[bytes, int], Found]:
    def look(data: bytes, at: int) -> Found:
        stretch = _STRETCH.match(data, at)
        end = stretch.end() if stretch else at
        found = pattern.search(data, at, end)
        if found is None or found["secret"].startswith(MARK):
            return Found(0, 0, max(end, at + 1))
        return Found(*found.span("secret"), found.end())

    return look


DETECTORS = (
    Detector("password", (b"pass", b"pwd"), _assigned),
    Detector("token", (b"secret", b"token"), _assigned),
    Detector("key", (b"key",), _assigned),
    Detector("authorization", (b"authorization",), _shape(_HEADER)),
    Detector("bearer-token", (b"bearer ",), _shape(_BEARER)),
    Detector("cookie", (b"cookie",), _shape(_COOKIE)),
    Detector("url-password", (b"://",), _shape(_URL)),
    Detector("aws-key", (b"akia", b"asia"), _shape(_AWS, alone=True)),
    Detector("google-key", (b"aiza", b"ya29.", b"gocspx-"), _shape(_GOOGLE, alone=True)),
    Detector("azure-signature", (b"sig=",), _shape(_AZURE_SIGNATURE)),
    Detector("azure-secret", (b"8q~",), _shape(_AZURE_CLIENT, back=3)),
    Detector(
        "github-token",
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
        _shape(_GITHUB, alone=True),
    ),
    Detector(
        "gitlab-token",
        (b"glpat-", b"gldt-", b"glrt-", b"glptt-", b"glcbt-", b"glft-"),
        _shape(_GITLAB, alone=True),
    ),
    Detector("slack-token", (b"xox", b"xapp-", b"hooks.slack.com/"), _shape(_SLACK, alone=True)),
    Detector("stripe-key", (b"_live_", b"_test_", b"whsec_"), _stripe),
    Detector("jwt", (b"eyj",), _jwt),
    *(Detector("flag", (tool,), _flag_of(pattern)) for tool, pattern in FLAG_TOOLS.items()),
)
"""All but private keys, which reach over lines, and the secrets that the configuration names."""
