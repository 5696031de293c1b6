"""One reading of ssh_config for one host: which lines count, and the first value of each option."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from cockpit.errors import ConfigError, ConfigErrors
from cockpit.ssh.config.lines import Line, lines_of
from cockpit.ssh.config.matching import Facts, conditions, fits, fits_any, fits_list
from cockpit.ssh.config.options import MOST_EACH, OPTIONS, Kind, Wrong
from cockpit.ssh.config.tokens import Here, Unexpandable, untilded

DEEPEST = 16
"""Files that include one another, at most."""
MOST_INCLUDED = 4096
"""Files that one reading includes, at most."""
SYSTEM_FOLDER = "/etc/ssh"


class Said(Struct, frozen=True):
    """One value of an option, and where it stands.

    Attributes:
        user: Whether the user's own file, or one that it includes, says it.
    """

    words: tuple[str, ...]
    file: str = ""
    line: int = 0
    user: bool = True


class Source(Struct, frozen=True):
    """A file to read.

    Attributes:
        user: Whether it is the user's: then `~` may be in its Include, and relative ones are in `~/.ssh`.
        needed: Whether it has to be there.
        strict: Whether nobody else may be able to write to it.
    """

    path: str
    user: bool
    needed: bool
    strict: bool


class Place(Struct, frozen=True):
    """Where the reading is.

    Attributes:
        never: Whether the file is included where nothing counts.
    """

    source: Source
    depth: int = 0
    never: bool = False


class Reader:
    """Reads files for one host, in one pass or two.

    Attributes:
        said: Values by their option's name; filled by `read`, and what is in it before stays.
        final_wanted: Whether a `Match final` asks for a second pass.
    """

    def __init__(self, here: Here, said: Mapping[str, Said] | None = None) -> None:
        self.here = here
        self.said: dict[str, list[Said]] = {name: [value] for name, value in (said or {}).items()}
        self.final_wanted = False
        self._included = 0
        self._host = ""
        self._facts: Callable[[], Facts] | None = None

    def one(self, name: str, default: str = "") -> str:
        """Return the first word of an option's value."""
        return self.said[name][0].words[0] if name in self.said else default

    def set(self, name: str, *words: str) -> None:
        """Give an option a value over whatever the files say."""
        self.said[name] = [Said(words)]

    async def read(self, source: Source, host: str, facts: Callable[[], Facts]) -> None:
        """Read a file and what it includes.

        Args:
            source: The file.
            host: The name that `Host` is held against.
            facts: Returns what `Match` is held against, as things stand.

        Raises:
            ConfigError: It is wrong.
        """
        self._host, self._facts = host, facts
        await self._file(Place(source), active=True)

    async def _file(self, place: Place, *, active: bool) -> None:
        source = place.source
        mistakes: list[ConfigError] = []
        block = Kind.BLOCK
        for line in lines_of(source.path, needed=source.needed, strict=source.strict):
            if not active and line.kind and line.kind is not block and not line.mistake:
                continue  # most lines of a long file
            if line.kind is None:
                if not fits_list(line.name, self.one("ignoreunknown").lower()):
                    mistakes.append(_unknown(line, source.path))
                elif line.mistake:
                    mistakes.append(_mistaken(line, source.path, line.mistake))
            elif line.mistake:
                mistakes.append(_mistaken(line, source.path, line.mistake))
            elif line.kind is block:
                try:
                    active = await self._block(line, place, active)
                except (Wrong, Unexpandable) as wrong:
                    mistakes.append(_mistaken(line, source.path, str(wrong)))
            elif active:
                try:
                    self._take(line, source)
                except Wrong as wrong:
                    mistakes.append(_mistaken(line, source.path, str(wrong)))
        if mistakes:
            raise mistakes[0] if len(mistakes) == 1 else ConfigErrors(mistakes)

    async def _block(self, line: Line, place: Place, active: bool) -> bool:
        """Return whether what follows a Host, Match or Include counts."""
        if line.name == "host":
            return not place.never and fits_any(self._host, line.words)
        if line.name == "match":
            wanted = conditions(line.rest)
            self.final_wanted = self.final_wanted or wanted.final
            assert self._facts is not None
            return not place.never and await wanted.hold(self._facts())
        await self._include(line, place, active)
        return active

    async def _include(self, line: Line, place: Place, active: bool) -> None:
        source = place.source
        if place.depth >= DEEPEST:
            raise Wrong(f"files that include one another at most {DEEPEST} deep; is there a circle?")
        for word in line.words:
            for path in included(word, source, self.here):
                self._included += 1
                if self._included > MOST_INCLUDED:
                    raise Wrong(f"at most {MOST_INCLUDED} files in all; is there a circle?")
                inner = Source(path, user=source.user, needed=False, strict=True)
                await self._file(Place(inner, place.depth + 1, place.never or not active), active=active)

    def _take(self, line: Line, source: Source) -> None:
        """Take a value, where it is the first or all count."""
        name, words = line.name, line.words
        if not words or line.kind is Kind.OBSOLETE:
            return
        value = Said(words, source.path, line.number, source.user)
        if line.kind is Kind.EACH:
            _add(self.said.setdefault(name, []), value)
        elif line.kind is Kind.SEND_ENV:
            self._send_env(value)
        elif line.kind is Kind.JUMPS:
            self._jump(value)
        elif name == "forwardagent" and words[0] not in ("yes", "no"):
            # The path counts though an earlier `no` still says that nothing is forwarded.
            self.said.setdefault(name, [Said(("yes",), value.file, value.line, value.user)])
            self.said.setdefault("forwardagent path", [value])
        else:
            self.said.setdefault(name, [value])

    def _send_env(self, value: Said) -> None:
        kept = self.said.setdefault("sendenv", [])
        for word in value.words:
            if word.startswith("-"):
                kept[:] = [each for each in kept if not fits(each.words[0], word[1:])]
            else:
                kept.append(Said((word,), value.file, value.line, value.user))

    def _jump(self, value: Said) -> None:
        """Take a ProxyJump where neither it nor a ProxyCommand was said before; each excludes the other."""
        if "proxyjump" not in self.said and "proxycommand" not in self.said:
            self.said["proxyjump"] = [value]
            if value.words != ("none",):
                self.said["proxycommand"] = [Said(("none",), value.file, value.line, value.user)]


@contextlib.contextmanager
def placed(reader: Reader, name: str, at: int = 0) -> Iterator[None]:
    """Say where an option stands whose value can't be expanded in a block.

    Raises:
        ConfigError: It can't.
    """
    try:
        yield
    except Unexpandable as error:
        said = reader.said[name][at] if name in reader.said else Said(())
        raise ConfigError(str(error), file=said.file, line=said.line, key=name) from None


def included(word: str, source: Source, here: Here) -> list[str]:
    """Return the files that an Include names, in the order in which they are read.

    Raises:
        Wrong: A system's file names one in somebody's folder.
    """
    if word.startswith("~") and not source.user:
        raise Wrong("files that are in nobody's own folder")
    folder = str(Path(here.home) / ".ssh") if source.user else SYSTEM_FOLDER
    path = untilded(word, here)
    if not path.startswith("/"):
        path = f"{folder}/{path}"
    if not glob.has_magic(path):
        return [path] if os.path.lexists(path) else []
    return sorted(glob.glob(path))  # noqa: PTH207  the pattern is absolute, which Path.glob does not take


def _add(kept: list[Said], value: Said) -> None:
    if any(each.words == value.words and each.user == value.user for each in kept):
        return
    if len(kept) >= MOST_EACH:
        raise Wrong(f"at most {MOST_EACH} values in all")
    kept.append(value)


def _mistaken(line: Line, file: str, wanted: str) -> ConfigError:
    return ConfigError(f"takes {wanted}", file=file, line=line.number, key=line.written)


def _unknown(line: Line, file: str) -> ConfigError:
    from difflib import get_close_matches

    near = get_close_matches(line.name, OPTIONS, 1)
    remedy = f"did you mean {near[0]}?" if near else "IgnoreUnknown, said before it, lets it pass"
    return ConfigError(
        "is no option of ssh_config", file=file, line=line.number, key=line.written, remedy=remedy
    )
