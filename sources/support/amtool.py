"""Silencing as a command line: the part of amtool's dialect that an Alertmanager source carries out itself.

An action is an argv like any other, so that the guard can judge it, the action log can hold it, and a person can run
the same line by hand. Only what is written here is understood; anything else is refused rather than guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from msgspec import Struct

from cockpit.errors import CommandError
from cockpit.signals import SECOND, Matcher, rfc3339
from cockpit.source import Silencing
from sources.support.timestamps import nanoseconds

MAX_MATCHERS = 32
MAX_TEXT = 2_000
"""Characters that a comment, an author or a matcher's value may have."""
MAX_SPAN = 400 * 86_400 * SECOND
"""The longest silence: a little over a year."""
DEFAULT_SPAN = 3_600 * SECOND
"""How long amtool silences when it isn't told."""

_MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_ID = re.compile(r"[0-9a-zA-Z-]{1,64}", re.ASCII)
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_UNITS = (604_800, 86_400, 3_600, 60, 1)
_FLAGS = {
    "-a": "author", "--author": "author",
    "-c": "comment", "--comment": "comment",
    "-d": "duration", "--duration": "duration",
    "--start": "start",
    "--end": "end",
}  # fmt: skip
_ESCAPES = {"\\": "\\", '"': '"', "n": "\n"}


class Expiring(Struct, frozen=True):
    """Silences to end now."""

    ids: tuple[str, ...]


def silence_argv(wanted: Silencing) -> tuple[str, ...]:
    """Return the argv that makes a silence.

    Raises:
        CommandError: It lacks a comment, an author or a matcher, or lasts no time or too long.
    """
    _checked(wanted)
    return (
        "amtool",
        "silence",
        "add",
        f"--author={wanted.created_by}",
        f"--comment={wanted.comment}",
        f"--start={rfc3339(wanted.starts_at, digits=3)}",
        f"--end={rfc3339(wanted.ends_at, digits=3)}",
        *(str(matcher) for matcher in wanted.matchers),
    )


def expire_argv(silence_id: str) -> tuple[str, ...]:
    """Return the argv that ends a silence.

    Raises:
        CommandError: That is no identifier of a silence.
    """
    return ("amtool", "silence", "expire", _identifier(silence_id))


def parse(argv: Sequence[str], *, now: int) -> Silencing | Expiring:
    """Read `amtool silence add …` or `amtool silence expire ID…`.

    Args:
        argv: The words.
        now: The moment that a silence without `--start` starts at, in nanoseconds.

    Raises:
        CommandError: It is anything else; the message says what.
    """
    match list(argv):
        case ["amtool", "silence", "add", *words]:
            return _adding(words, now)
        case ["amtool", "silence", "expire", *ids] if ids and len(ids) <= 100:
            return Expiring(tuple(_identifier(one) for one in ids))
    raise _refusal("only `amtool silence add …` and `amtool silence expire ID` are understood")


def _adding(words: list[str], now: int) -> Silencing:
    flags: dict[str, str] = {}
    matchers: list[Matcher] = []
    waiting = iter(words)
    for word in waiting:
        if not word.startswith("-"):
            matchers.append(parse_matcher(word))
            continue
        name, sign, value = word.partition("=")
        flag = _FLAGS.get(name)
        if flag is None:
            _refuse(f"the flag {name[:40]} is not understood")
        if flag in flags:
            _refuse(f"the flag {name} is given twice")
        if not sign:
            value = next(waiting, "")
        flags[flag] = value
    start = _moment(flags["start"]) if "start" in flags else now
    if "end" in flags and "duration" in flags:
        _refuse("give --end or --duration, not both")
    span = duration(flags["duration"]) if "duration" in flags else DEFAULT_SPAN
    wanted = Silencing(
        matchers=tuple(matchers),
        starts_at=start,
        ends_at=_moment(flags["end"]) if "end" in flags else start + span,
        created_by=flags.get("author", ""),
        comment=flags.get("comment", ""),
    )
    _checked(wanted)
    return wanted


def _checked(wanted: Silencing) -> None:
    if not wanted.comment.strip():
        _refuse("a silence needs a comment", "say why, with --comment")
    if not wanted.created_by.strip():
        _refuse("a silence needs an author", "say who, with --author")
    if not wanted.matchers:
        _refuse("a silence needs a matcher", 'such as alertname="DiskFull"')
    if len(wanted.matchers) > MAX_MATCHERS:
        _refuse(f"a silence may have {MAX_MATCHERS} matchers, not {len(wanted.matchers)}")
    texts = [wanted.comment, wanted.created_by, *(matcher.value for matcher in wanted.matchers)]
    if max(map(len, texts)) > MAX_TEXT:
        _refuse(f"no text of a silence may be longer than {MAX_TEXT} characters")
    if not any(_selects(matcher) for matcher in wanted.matchers):
        _refuse("these matchers would silence everything", "name a label's value that an alert must have")
    if wanted.ends_at <= wanted.starts_at:
        _refuse("the silence ends before it starts")
    if wanted.ends_at - wanted.starts_at > MAX_SPAN:
        _refuse("a silence longer than a year is no silence but a change of the rules")


def _selects(matcher: Matcher) -> bool:
    """Tell whether a matcher leaves out an alert that lacks the label, as Alertmanager asks of one at least."""
    if not matcher.is_regex:
        return matcher.is_equal == (matcher.value != "")
    try:
        fits_empty = re.fullmatch(matcher.value, "") is not None
    except (re.error, OverflowError, RecursionError):
        return True  # its dialect is RE2: what Python can't read, Alertmanager judges
    return matcher.is_equal != fits_empty


def parse_matcher(text: str) -> Matcher:
    """Read one matcher: `name="value"`, with =, !=, =~ or !~, the quotes optional.

    Raises:
        CommandError: It is none.
    """
    found = _MATCHER.fullmatch(text) if len(text) <= 2 * MAX_TEXT else None
    if found is None:
        _refuse(f"not a matcher: {text[:80]}", 'write it as alertname="DiskFull"')
    name, sign, value = found.groups()
    if value.startswith('"'):
        value = _unquoted(value)
    return Matcher(name, value, is_regex="~" in sign, is_equal=sign[0] == "=")


def _unquoted(text: str) -> str:
    if len(text) < 2 or not text.endswith('"'):
        _refuse(f"the quotes are not closed: {text[:80]}")
    plain: list[str] = []
    inner = iter(text[1:-1])
    for character in inner:
        if character == '"':
            _refuse(f"a quote within quotes needs a backslash: {text[:80]}")
        if character != "\\":
            plain.append(character)
            continue
        following = next(inner, None)
        if following is None:
            _refuse(f"the quotes are not closed: {text[:80]}")
        plain.append(_ESCAPES.get(following, "\\" + following))
    return "".join(plain)


def duration(text: str) -> int:
    """Return a duration as Prometheus writes it (`2h`, `1d12h`) in nanoseconds.

    Raises:
        CommandError: It is none.
    """
    found = _DURATION.fullmatch(text) if 0 < len(text) < 32 else None
    if found is None or not any(found.groups()):
        _refuse(f"not a duration: {text[:40]}", "write it as 30m, 2h or 1d12h")
    return SECOND * sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True))


def _moment(text: str) -> int:
    moment = nanoseconds(text)
    if not moment:
        _refuse(f"not a time: {text[:40]}", "write it as 2026-01-31T12:00:00Z")
    return moment


def _identifier(text: str) -> str:
    if not _ID.fullmatch(text) or text.startswith("-"):
        _refuse(f"not a silence's identifier: {text[:80]}")
    return text


def _refuse(message: str, remedy: str = "") -> NoReturn:
    raise _refusal(message, remedy)


def _refusal(message: str, remedy: str = "") -> CommandError:
    return CommandError(message, where="amtool silence", remedy=remedy)
