"""What can be said of a log's format in data: one `[[formats]]` table, of the built-in ones and of a user's alike."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Declaration(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[formats]]` table."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    """What it is called; one with a built-in format's name takes its place."""
    pattern: str
    """A regular expression for the beginning of a record's first line. An empty group `(?P<time>)` is its time."""
    time: str = ""
    """How the time is written: `iso`, `syslog`, `clf`, `ctime`, `epoch`, or strptime's directives."""
    zone: str = ""
    """The zone of times that tell none, such as `Europe/Berlin`; this machine's where not given."""
    level: str = "level"
    """The group that tells the level."""
    scale: Literal["words", "letters", "syslog", "status"] = "words"
    """What the level's group holds: a word, a letter, a priority of syslog, or a status of HTTP."""
    levels: dict[str, str] = {}
    """Levels by what stands in the group, over `scale`."""
    search: bool = True
    """Whether a level that no group tells is looked for in the text."""
    rest: str = ""
    """A regular expression for what follows the pattern, which need not fit; with ^ in front, for the whole line."""
    body: str = ""
    """The pattern's group that the text begins with; what follows pattern and rest where not given."""
    service: str = ""
    """The group that names the service."""
    host: str = ""
    """The group that names the host."""
    fields: dict[str, str] = {}
    """Attributes by group; `name:int` for a number."""
    unmatched: Literal["joins", "traces", "own"] = "joins"
    """Whether a line that does not fit joins the record before: always, if it looks like a stack trace, or never."""
