"""The errors a person may see: what failed, where, and what to do about it.

    CockpitError
    ├── UsageError            the command line was wrong                      exit 2
    │   └── ConfigError       cockpit.toml was wrong: file, line, key         exit 2
    │       └── ConfigErrors  all that is wrong in one file, a line each
    ├── SourceError           a source could not do its work                  exit 1
    │   ├── Unreachable       no answer: refused, timed out, name unknown
    │   ├── Denied            the other side wants other credentials
    │   ├── BadAnswer         an answer that is not what the protocol says
    │   └── OutcomeUnknown    it was asked to act, and may or may not have done so
    ├── CommandError          a command could not be started                  exit 1
    │   ├── Refused           the guard said no                               exit 3
    │   └── SshError          a host can't be worked on through SSH           exit 1
    │       ├── HostUnreachable  no connection to it, or to what lies before it
    │       ├── HostKeyRefused   its key is unknown, changed or revoked
    │       ├── LoginRefused     nothing that we have lets us in
    │       ├── ChannelRefused   connected, and what was asked for is not given
    │       └── ConnectionLost   it broke while it was used
    ├── InventoryError        an inventory can't be read or makes no sense    exit 1
    ├── SignatureError        it can't be signed, or a signature doesn't hold exit 1
    └── ActionLogError        the record can't be written, so nothing runs    exit 4

Other libraries' exceptions are mapped to these at one seam a library (`sources/support/http.py` for httpx,
`cockpit/ssh/errors.py` for asyncssh).
"""

from __future__ import annotations

from collections.abc import Sequence


class CockpitError(Exception):
    """Something a person can act on.

    Attributes:
        message: What failed, in one line.
        where: The source, target, file or key it failed on; empty when the message says it.
        remedy: What to do next; empty when there is nothing better than reading the message.
    """

    exit_status = 1

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.remedy})" if self.remedy else text


class UsageError(CockpitError):
    """The command line asked for something that can't be had."""

    exit_status = 2


class ConfigError(UsageError):
    """The configuration is wrong.

    Attributes:
        file: The file that holds the mistake.
        line: Its line, from 1; 0 when the mistake has no line of its own.
        key: The dotted key, such as `sources[2].url`.
    """

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, key: str = "", remedy: str = ""
    ) -> None:
        place = f"{file}:{line}" if line else file
        super().__init__(message, where=f"{place}: {key}" if key and place else place or key, remedy=remedy)
        self.file = file
        self.line = line
        self.key = key


class ConfigErrors(ConfigError):
    """Every mistake of one file, so that it is mended in one go.

    Attributes:
        mistakes: One error a mistake, in the order of the file; never empty.
    """

    def __init__(self, mistakes: Sequence[ConfigError]) -> None:
        first = mistakes[0]
        super().__init__(first.message, file=first.file, line=first.line, key=first.key, remedy=first.remedy)
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)


class SourceError(CockpitError):
    """A source could not do its work."""


class Unreachable(SourceError):
    """The other side did not answer: refused, timed out, or its name is unknown."""


class Denied(SourceError):
    """The other side wants other credentials, or more rights."""


class BadAnswer(SourceError):
    """The other side answered with something its protocol does not allow."""


class OutcomeUnknown(SourceError):
    """The other side was asked to change something, and whether it did is not known: look before asking again."""


class CommandError(CockpitError):
    """A command could not be started, or its outcome could not be learned."""


class Refused(CommandError):
    """The guard did not let a command run."""

    exit_status = 3


class SshError(CommandError):
    """A host can't be worked on through SSH; `where` names the hop that failed."""


class HostUnreachable(SshError):
    """No connection to a hop: its name is unknown, it refuses, hangs, or what lies before it does."""


class HostKeyRefused(SshError):
    """A hop showed a key that is unknown and not accepted, that is not the one known, or that is revoked."""


class LoginRefused(SshError):
    """A hop does not let us in with anything that we have."""


class ChannelRefused(SshError):
    """A hop is connected and does not give what was asked for: a session, a subsystem, a way on."""


class ConnectionLost(SshError):
    """A connection broke while it was used."""


class InventoryError(CockpitError):
    """An inventory can't be read, or makes no sense; what it said before still stands."""


class SignatureError(CockpitError):
    """Something can't be signed, or a signature is missing, wrong, or of someone who may not sign."""


class ActionLogError(CockpitError):
    """The action log can't be read or written; while that is so, nothing runs."""

    exit_status = 4
