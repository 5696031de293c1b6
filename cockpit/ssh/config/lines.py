"""The files of ssh_config as lines: read once, split as OpenSSH splits them, and kept until they change."""

from __future__ import annotations

import os
import stat
from functools import lru_cache

from msgspec import Struct

from cockpit.errors import ConfigError
from cockpit.ssh.config.options import ALIASES, OPTIONS, Kind, Option, Wrong, value

LARGEST = 4 << 20
"""Bytes of one file."""
KEPT = 512
"""Files that are kept."""

SPACE = " \t\r\n"


class Line(Struct, frozen=True):
    """One line that says something.

    Attributes:
        name: The option's name in lower case, and its present one where it had another.
        written: The name as it stands there.
        kind: None for an option that there is not.
        words: For Host and Include the words after the name, else the value as it is kept.
        rest: All that stands after the name.
        mistake: What the option would take, where it says something else.
    """

    number: int
    name: str
    written: str
    kind: Kind | None
    words: tuple[str, ...]
    rest: str
    mistake: str = ""


def lines_of(path: str, *, needed: bool, strict: bool) -> tuple[Line, ...]:
    """Return the lines of a file; none where it need not be there and is not.

    Args:
        path: The file.
        needed: Whether it has to be there.
        strict: Whether it may be written to by its owner alone, who has to be the user or root.

    Raises:
        ConfigError: It can't be read, or others may write to it.
    """
    try:
        status = os.stat(path)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError) as error:
        if needed:
            raise _unreadable(path, error) from None
        return ()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if path == os.devnull:
        return ()
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError("is no file", file=path)
    if strict and not _ours(status):
        raise ConfigError(
            "may be written to by others, or belongs to another user, so its commands can't be trusted",
            file=path,
            remedy=f"chmod go-w {path}, and let it belong to you or root",
        )
    if status.st_size > LARGEST:
        raise ConfigError(f"has more than {LARGEST >> 20} MiB", file=path)
    return _lines(path, status.st_mtime_ns, status.st_size, status.st_ino)


@lru_cache(maxsize=KEPT)
def _lines(path: str, _modified: int, _size: int, _inode: int) -> tuple[Line, ...]:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            data = file.read(LARGEST)
    except OSError as error:
        raise _unreadable(path, error) from None
    text = data.decode(errors="surrogateescape")
    found = (_line(number, line) for number, line in enumerate(text.split("\n"), start=1))
    return tuple(line for line in found if line is not None)


def _unreadable(path: str, error: Exception) -> ConfigError:
    return ConfigError(f"can't be read: {getattr(error, 'strerror', None) or error}", file=path)


def _ours(status: os.stat_result) -> bool:
    """Tell whether only the user, or root, can have written a file; a group of the user alone may, as on Debian."""
    if status.st_uid not in (0, os.getuid()) or status.st_mode & stat.S_IWOTH:
        return False
    return not status.st_mode & stat.S_IWGRP or _alone_in(status.st_gid)


def _alone_in(gid: int) -> bool:
    import grp
    import pwd

    try:
        group = grp.getgrgid(gid)
    except KeyError:
        return False
    primary = {account.pw_uid for account in pwd.getpwall() if account.pw_gid == gid}
    try:
        others = {pwd.getpwnam(name).pw_uid for name in group.gr_mem}
    except KeyError:
        return False
    return primary | others == {os.getuid()}


def _line(number: int, text: str) -> Line | None:
    text = text[:1] + text[1:].rstrip(SPACE + "\f")
    written, rest = delimited(text)
    if written == "" and rest is not None:
        written, rest = delimited(rest)
    if not written or written.startswith("#"):
        return None
    name = written.lower()
    name = ALIASES.get(name, name)
    option = OPTIONS.get(name)
    kind = option.kind if option else None
    rest = (rest or "").lstrip(SPACE)
    try:
        words = _value(name, option, rest)
    except Wrong as wrong:
        return Line(number, name, written, kind, (), rest, str(wrong))
    return Line(number, name, written, kind, words, rest)


def _value(name: str, option: Option | None, rest: str) -> tuple[str, ...]:
    if not rest:
        raise Wrong("a value")
    words = split(rest)
    if not rest.isprintable() and any("\ud800" <= each <= "\udfff" or each == "\0" for each in rest):
        raise Wrong("text in UTF-8")
    if option is None or option.kind is Kind.BLOCK:
        if name in ("host", "include") and not all(words):
            raise Wrong("names that are not empty")
        return tuple(words)
    return value(name, option, words, rest)


def delimited(text: str) -> tuple[str | None, str | None]:
    """Return the first word and what follows it, by the old rules: for the option's name, and for Match.

    Words end at white space or at one `=`; double quotes hold both. The word is None where quotes are not closed,
    and what follows is None where nothing does.
    """
    at = next((at for at, each in enumerate(text) if each in ' \t\r\n"='), None)
    if at is None:
        return text, None
    if text[at] == '"':
        end = text.find('"', at + 1)
        if end < 0:
            return None, None
        return text[:at] + text[at + 1 : end], text[end + 1 :].lstrip(SPACE)
    rest = text[at + 1 :].lstrip(SPACE)
    if text[at] != "=" and rest.startswith("="):
        rest = rest[1:].lstrip(SPACE)
    return text[:at], rest


def split(text: str) -> list[str]:
    """Return the words of what follows an option's name: in quotes of either kind, with backslashes, up to `#`.

    Raises:
        Wrong: A quote is not closed.
    """
    words: list[str] = []
    at = 0
    while at < len(text):
        if text[at] in " \t":
            at += 1
            continue
        if text[at] == "#":
            break
        word, at = _word(text, at)
        words.append(word)
    return words


def _word(text: str, at: int) -> tuple[str, int]:
    word: list[str] = []
    quote = ""
    while at < len(text):
        each, following = text[at], text[at + 1 : at + 2]
        if each == "\\" and following and (following in "'\"\\" or (not quote and following == " ")):
            word.append(following)
            at += 1
        elif not quote and each in " \t":
            break
        elif not quote and each in "'\"":
            quote = each
        elif each == quote:
            quote = ""
        else:
            word.append(each)
        at += 1
    if quote:
        raise Wrong("quotes that are closed")
    return "".join(word), at
