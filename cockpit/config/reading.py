"""Read raw TOML as typed settings, and say everything that is wrong at once.

msgspec stops at the first mistake it meets. So each table is gone through twice: first key by key, where each mistake
is noted with its line and its nearest valid name, and then as a whole, where a struct's own checks speak.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from cockpit.config.describe import found_text, type_text
from cockpit.config.document import Document, KeyPath, dotted
from cockpit.errors import ConfigError, ConfigErrors
from cockpit.options import Secret

T = TypeVar("T")
F = TypeVar("F")

SAFE_FORMS = '{ env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", "ARGUMENT"] }'

_CREDENTIALS = re.compile(r"://[^/\s@]*:[^/\s@]+@")
_SECRETIVE = re.compile(r"auth|token|secret|passw|api-?_?key|cookie|credential", re.IGNORECASE)


class Reader:
    """Reads values as types, collecting mistakes and warnings on the way.

    Attributes:
        document: Where the values come from.
        mistakes: What is wrong, so far.
        warnings: What works and is unwise, a line each.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.mistakes: list[ConfigError] = []
        self.warnings: list[str] = []

    def finish(self) -> None:
        """Raise what was collected.

        Raises:
            ConfigErrors: There was at least one mistake.
        """
        if self.mistakes:
            raise ConfigErrors(sorted(self.mistakes, key=lambda mistake: mistake.line))

    def read(self, value: object, wanted: type[T], path: KeyPath, *, fallback: F) -> T | F:
        """Return a value as a type; after a mistake, which is noted, the fallback stands in for it."""
        before = len(self.mistakes)
        raw = self._checked(value, wanted, path)
        if len(self.mistakes) > before:
            return fallback
        read: T = self._whole(raw, wanted, path)
        return fallback if len(self.mistakes) > before else read

    def mistake(self, path: KeyPath, message: str, remedy: str = "") -> None:
        """Note a mistake."""
        self.mistakes.append(self.document.mistake(path, message, remedy))

    def warn(self, path: KeyPath, message: str) -> None:
        """Note a warning, with its place."""
        self.warnings.append(f"{self.document.file}:{self.document.line(path)}: {dotted(path)}: {message}")

    def unknown_key(self, path: KeyPath, known: Iterable[str]) -> None:
        """Note a key that nothing reads, with the nearest that something does."""
        self.mistake(path, "is no key known here", suggestion(str(path[-1]), known))

    def _checked(self, value: object, wanted: Any, path: KeyPath) -> object:
        """Return a value as msgspec takes it, mistakes noted: secrets as tables, files as absolute paths."""
        origin, args = get_origin(wanted), get_args(wanted)
        if origin is Annotated and not _is_leaf(args[0]):
            return self._checked(value, args[0], path)
        if origin is Annotated and isinstance(value, str) and value and _is_path(args[1:]):
            return self.document.resolve(value)
        if origin in (Union, UnionType):
            member = _member(value, args)
            if member is not None:
                return self._checked(value, member, path)
        if wanted is Secret:
            return self._secret(value, path)
        if isinstance(wanted, type) and issubclass(wanted, Struct):
            return self._table(value, wanted, path)
        if isinstance(value, list) and _of(wanted, Sequence | set | frozenset):
            return [self._checked(item, args[0], (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, dict) and _of(wanted, Mapping):
            for key in value:
                self._leaf(key, args[0], (*path, key))
            return {key: self._checked(item, args[1], (*path, key)) for key, item in value.items()}
        if isinstance(value, str):
            self._suspect(value, wanted, path)
        return self._leaf(value, wanted, path)

    def _table(self, value: object, struct: type[Struct], path: KeyPath) -> object:
        if not isinstance(value, dict):
            self.mistake(path, f"expected a table, found {found_text(value)}")
            return value
        before = len(self.mistakes)
        fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        for key in value.keys() - fields.keys():
            self.unknown_key((*path, key), fields)
        for name, field in fields.items():
            if field.required and name not in value:
                self.mistake(path, f"`{name}` is missing: {type_text(field.type)}")
        table = {
            key: self._checked(value[key], field.type, (*path, key))
            for key, field in fields.items()
            if key in value
        }
        if len(self.mistakes) == before and hasattr(struct, "__post_init__"):
            self._whole(table, struct, path)
        return table

    def _whole(self, table: object, wanted: Any, path: KeyPath) -> Any:
        """Convert what has no mistake in any key; what its struct itself refuses is one mistake more."""
        try:
            return msgspec.convert(table, wanted)
        except msgspec.ValidationError as error:
            message, _, place = str(error).partition(" - at `$")
            self.mistake((*path, *_path_of(place)), message[:1].lower() + message[1:])
            return None

    def _leaf(self, value: object, wanted: Any, path: KeyPath) -> object:
        try:
            msgspec.convert(value, wanted)
        except msgspec.ValidationError as error:
            choices = _choices(wanted)
            if isinstance(value, str) and choices:
                self.mistake(path, f"{_quoted(value)} is not known here", suggestion(value, choices))
            elif isinstance(value, str) and _takes_text(wanted):
                text = str(error).partition(" - at `$")[0]
                self.mistake(path, text[:1].lower() + text[1:])
            else:
                self.mistake(path, f"expected {type_text(wanted)}, found {found_text(value)}")
        return value

    def _secret(self, value: object, path: KeyPath) -> object:
        if isinstance(value, str) or (isinstance(value, dict) and value.keys() == {"clear"}):
            self.warn(path, f"a secret in the clear; keep it elsewhere and write {SAFE_FORMS}")
            return {"clear": value} if isinstance(value, str) else value
        if not isinstance(value, dict):
            kind = "a number" if isinstance(value, int | float) else found_text(value)
            self.mistake(path, f"expected a secret, found {kind}", f"write {SAFE_FORMS}")
            return value
        before = len(self.mistakes)
        table = self._table(value, Secret, path)
        if len(self.mistakes) > before:
            return table
        if len(value) != 1 or not any(value.values()):
            self.mistake(path, "expected exactly one place to look for the secret", f"write {SAFE_FORMS}")
        elif "file" in value:
            file = self.document.resolve(value["file"])
            self._look_at(Path(file), path)
            return {"file": file}
        return table

    def _suspect(self, text: str, wanted: Any, path: KeyPath) -> None:
        """Warn of a plain string that looks like a secret, or like an address that holds one."""
        if _CREDENTIALS.search(text):
            self.warn(
                path, "an address that holds a password in the clear; give user and password by themselves"
            )
        elif Secret in get_args(wanted) and _SECRETIVE.search(str(path[-1])):
            self.warn(path, f"it looks like a secret in the clear; keep it elsewhere and write {SAFE_FORMS}")

    def _look_at(self, file: Path, path: KeyPath) -> None:
        """Warn about a secret's file that everyone may read. One that isn't there is said when it is used."""
        try:
            mode = file.stat().st_mode
        except OSError:
            return
        if mode & stat.S_IROTH:
            self.warn((*path, "file"), f"anyone on this machine may read {file}; chmod o-r it")


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a remedy that names the nearest valid word, or all there are when none is near."""
    names = sorted(known)
    lower = {name.lower(): name for name in names}
    begun = [name for name in lower if word and name.startswith(word.lower())]
    near = begun if len(begun) == 1 else get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean {lower[near[0]]}?"
    return f"known are {', '.join(names)}" if names else ""


def _quoted(text: str) -> str:
    return f'"{text if len(text) <= 60 else text[:60] + "…"}"'


def _member(value: object, members: Sequence[Any]) -> Any:
    """Return the one member of a union that is worth looking into for a value, or None for a plain value."""
    if isinstance(value, str):
        return Secret if Secret in members and str not in members else None
    shapes = [member for member in members if not _is_leaf(member)]
    if isinstance(value, dict):
        fitting = [one for one in shapes if _is_struct(one) or _of(one, Mapping)]
    elif isinstance(value, list):
        fitting = [one for one in shapes if _of(one, Sequence | set | frozenset)]
    else:
        fitting = [Secret] if list(members) in ([Secret], [Secret, type(None)]) else []
    return fitting[0] if len(fitting) == 1 else None


def _is_leaf(wanted: Any) -> bool:
    return not (_is_struct(wanted) or _of(wanted, Mapping | Sequence | set | frozenset)) and get_origin(
        wanted
    ) not in (Union, UnionType)


def _is_struct(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, Struct)


def _of(wanted: Any, base: Any) -> bool:
    """Tell whether a type is a generic of that base; a tuple of fixed length is a plain value."""
    origin, args = get_origin(wanted), get_args(wanted)
    return isinstance(origin, type) and issubclass(origin, base) and (origin is not tuple or args[-1] is ...)


def _is_path(metas: Sequence[object]) -> bool:
    return any(isinstance(meta, Meta) and (meta.extra or {}).get("path") for meta in metas)


def _choices(wanted: Any) -> list[str]:
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return [str(member.value) for member in wanted]
    return [str(choice) for choice in get_args(wanted)] if get_origin(wanted) is Literal else []


def _takes_text(wanted: Any) -> bool:
    return wanted is str or any(_takes_text(arg) for arg in get_args(wanted))


def _path_of(place: str) -> KeyPath:
    """Return msgspec's `.a[0].b` as a path. Its `[...]` for a table's value names none, so the path ends there."""
    path: list[str | int] = []
    for key, index in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", place):
        if index == "...":
            break
        path.append(key or int(index))
    return tuple(path)
