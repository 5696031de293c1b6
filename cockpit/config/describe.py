"""Say in words what an option is: its type, its default and its documentation.

The string that stands under a field is its documentation, which Python drops when it runs; so it is read from the
source, and only when someone asks.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from cockpit.options import Secret

DEPTH = 3
"""How deep tables inside tables are described."""

_SIMPLE = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    datetime: "a date and time",
    date: "a date",
    Any: "anything",
    type(None): "nothing",
}


class OptionDoc(Struct, frozen=True, kw_only=True):
    """One option, for people.

    Attributes:
        type: Its type in words, such as `a list of strings`.
        default: Its default as TOML; empty where there is none.
    """

    name: str
    type: str
    required: bool
    default: str
    doc: str


def options(struct: type[Struct]) -> tuple[OptionDoc, ...]:
    """Describe every field of a struct in order, the tables inside it by `checks[].url` and `limits.disk`."""
    return tuple(_options(struct, "", 0))


def _options(struct: type[Struct], prefix: str, depth: int) -> Iterator[OptionDoc]:
    docs = field_docs(struct)
    for field in msgspec.structs.fields(struct):
        name = prefix + field.encode_name
        yield OptionDoc(
            name=name,
            type=type_text(field.type),
            required=field.required,
            default=_default(field),
            doc=docs.get(field.name, ""),
        )
        for inner, mark in _tables_in(field.type):
            if depth < DEPTH:
                yield from _options(inner, f"{name}{mark}.", depth + 1)


def _tables_in(wanted: Any, mark: str = "") -> Iterator[tuple[type[Struct], str]]:
    """Find the structs inside a type, each with how one gets there: `[]` through a list, `.*` through a table."""
    origin, args = get_origin(wanted), get_args(wanted)
    if isinstance(wanted, type) and issubclass(wanted, Struct) and wanted is not Secret:
        yield wanted, mark
    elif origin in (Union, types.UnionType, Annotated):
        for arg in args:
            yield from _tables_in(arg, mark)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield from _tables_in(args[1], f"{mark}.*")
    elif isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
        yield from _tables_in(args[0], f"{mark}[]")


def field_docs(struct: type) -> dict[str, str]:
    """Return the string under each field, those of base classes included; a class without source has none."""
    docs: dict[str, str] = {}
    for cls in reversed(struct.__mro__):
        if cls in (object, Struct) or not issubclass(cls, Struct):
            continue
        try:
            body = _class_body(inspect.getsource(cls))
        except (OSError, TypeError, SyntaxError):
            continue
        for here, after in pairwise(body):
            if isinstance(here, ast.AnnAssign) and isinstance(here.target, ast.Name):
                docs.update(_doc(here.target.id, after))
    return docs


def _class_body(source: str) -> list[ast.stmt]:
    statement = ast.parse(textwrap.dedent(source)).body[0]
    return statement.body if isinstance(statement, ast.ClassDef) else []


def _doc(name: str, after: ast.stmt) -> dict[str, str]:
    if (
        isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    ):
        return {name: inspect.cleandoc(after.value.value)}
    return {}


def type_text(wanted: Any) -> str:
    """Return a type in words: `an integer from 1 to 30`, `a list of strings`, `one of "local", "utc"`."""
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        return type_text(args[0]) + "".join(_bounds(meta) for meta in args[1:] if isinstance(meta, Meta))
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_text(arg) for arg in args if arg is not type(None)))
    if origin is Literal:
        return _one_of(args)
    if wanted is Secret:
        return "a secret"
    if origin is tuple and args[-1] is not ...:
        return f"a list of {len(args)}: {', '.join(type_text(arg) for arg in args)}"
    if origin and issubclass(origin, Mapping):
        return f"a table of {_plural(type_text(args[1]))}"
    if origin and issubclass(origin, Sequence | set | frozenset):
        return f"a list of {_plural(type_text(args[0]))}"
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _one_of([member.value for member in wanted])
    if isinstance(wanted, type) and issubclass(wanted, Struct | Mapping):
        return "a table"
    if wanted in (list, tuple):
        return "a list"
    return _SIMPLE.get(wanted, getattr(wanted, "__name__", str(wanted)))


def found_text(value: object) -> str:
    """Say what a TOML value is without showing text, which may be a secret in the wrong place."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value}"
    kinds = {str: "a string", list: "a list", dict: "a table", datetime: "a date and time", date: "a date"}
    return kinds.get(type(value), "a time of day")


def _bounds(meta: Meta) -> str:
    low = meta.ge if meta.ge is not None else meta.gt
    high = meta.le if meta.le is not None else meta.lt
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    if meta.ge is not None:
        return f" of {low:,} or more"
    if meta.gt is not None:
        return f" above {low:,}"
    return f" of {high:,} or less" if high is not None else ""


def _one_of(values: Sequence[object]) -> str:
    return "one of " + ", ".join(f'"{value}"' for value in values)


def _plural(text: str) -> str:
    if text == "true or false":
        return "booleans"
    if " or " in text:
        return " or ".join(_plural(part) for part in text.split(" or "))
    first, _, rest = text.partition(" ")
    if first in ("a", "an"):
        noun, *more = rest.split(" ", 1)
        return " ".join([f"{noun}s", *more])
    return text


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not NODEFAULT:
        return toml_text(field.default_factory())
    return "" if field.default in (NODEFAULT, None) else toml_text(field.default)


def toml_text(value: object) -> str:
    """Return a value as TOML, inline; an empty string for what TOML can't say, and for a secret."""
    if isinstance(value, Secret) or value is None:
        return ""
    if isinstance(value, Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        pairs = ((str(key), toml_text(item)) for key, item in value.items())
        held = ", ".join(f"{_key(key)} = {text}" for key, text in pairs if text)
        return f"{{ {held} }}" if held else "{}"
    if isinstance(value, Sequence | set | frozenset):
        return "[" + ", ".join(toml_text(item) for item in value) + "]"
    return str(value)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else toml_text(key)
