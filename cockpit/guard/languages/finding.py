"""The expression of `find`, and what `fd` runs.

Source: find(1) of GNU findutils 4.9 and of POSIX.1-2017; fd(1) 10.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word

_EXECUTES = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_WRITES = frozenset({"-fprint", "-fprint0", "-fprintf", "-fls"})
_VALUES = frozenset(
    {
        "-amin", "-anewer", "-atime", "-cmin", "-cnewer", "-context", "-ctime", "-fstype", "-gid", "-group",
        "-ilname", "-iname", "-inum", "-ipath", "-iregex", "-iwholename", "-links", "-lname", "-maxdepth",
        "-mindepth", "-mmin", "-mtime", "-name", "-newer", "-path", "-perm", "-printf", "-regex",
        "-regextype", "-samefile", "-size", "-type", "-uid", "-used", "-user", "-wholename", "-xtype",
        "-newermt", "-newerct", "-newerat", "-newermm", "-files0-from",
    }
)  # fmt: skip
_PLAIN = frozenset(
    {
        "-a", "-and", "-o", "-or", "-not", "-true", "-false", "-print", "-print0", "-ls", "-prune", "-quit",
        "-depth", "-d", "-xdev", "-mount", "-follow", "-empty", "-executable", "-readable", "-writable",
        "-nouser", "-nogroup", "-daystart", "-noleaf", "-warn", "-nowarn", "-ignore_readdir_race",
        "-noignore_readdir_race", "-H", "-L", "-P",
    }
)  # fmt: skip


def find(call: Call) -> list[Finding]:
    """Judge find's expression: what it only tests reads, what it runs is judged, `-delete` destroys."""
    found: list[Finding] = []
    words = call.rest
    at = 0
    while at < len(words) and (words[at].is_named or words[at].text in {"-H", "-L", "-P"}):
        at += 1  # where it begins to look: a name in quotes there is no action
    while at < len(words):
        word = words[at]
        at += 1
        text = word.text
        if text is None or (word.glob and text.startswith("-")):
            if word.is_open:
                found.append(call.finding(Risk.UNKNOWN, f"has a word that may be an action: {word.raw}"))
        elif text in _EXECUTES:
            end = _end(words, at)
            many = end < len(words) and words[end].text == "+"
            inner = [_file(each, many=many) for each in words[at:end]]
            found += call.inner.words(inner, NOTHING) if inner else []
            at = end + 1
        elif text == "-delete":
            found.append(call.finding(Risk.DESTRUCTIVE, "deletes what it finds"))
        elif text in _WRITES:
            found.append(call.finding(Risk.CHANGE, "writes a file"))
            at += 2 if text == "-fprintf" else 1
        elif text in _VALUES:
            at += 1
        elif text.startswith("-") and text not in _PLAIN and not text.startswith(("-O", "-newer", "-D")):
            found.append(call.finding(Risk.UNKNOWN, f"has {text}, which no rule knows"))
    return found or [call.finding(Risk.READ, "lists files")]


def _end(words: Sequence[Word], at: int) -> int:
    """Return where a command ends: at `;`, or at `+` behind `{}`."""
    for index in range(at, len(words)):
        text = words[index].text
        if text == ";" or (text == "+" and index > at and words[index - 1].text == "{}"):
            return index
    return len(words)


def _file(word: Word, *, many: bool = False) -> Word:
    """A file that is found stands in the place of `{}`; it begins as the folder that was searched."""
    if word.text is None or "{}" not in word.text:
        return word
    whole = word.text == "{}"
    return Word(raw=word.raw, start=word.text.partition("{}")[0], operand=whole, many=many and whole)


_FD_RUNS = ("-x", "--exec", "-X", "--exec-batch")


def fd(call: Call) -> list[Finding]:
    """Judge what `fd -x COMMAND… ;` runs on every file; one without `{}` gets the file at its end."""
    found: list[Finding] = []
    for option in call.parts.options:
        if not set(option.names) & set(_FD_RUNS):
            continue
        at = call.rest.index(option.word) + 1
        end = next((i for i in range(at, len(call.rest)) if call.rest[i].text == ";"), len(call.rest))
        words = [_found(word) for word in call.rest[at:end]]
        words = [option.value, *words] if option.value is not None else words
        if words:
            found += call.inner.words([*words, Word(raw="{}", many="X" in option.names[0])], NOTHING)
    return found


def _found(word: Word) -> Word:
    """A file that `fd` finds, or a part of its path, in the place of `{}`, `{/}`, `{//}`, `{.}`, `{/.}`."""
    place = re.search(r"\{/?/?\.?\}", word.text or "")
    if word.text is None or place is None:
        return word
    return Word(raw=word.raw, start=word.text[: place.start()])
