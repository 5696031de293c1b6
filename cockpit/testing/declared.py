"""The part of the contract that can be seen without running a source: its class, its options, its making."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct

from cockpit.signals import Alert, HealthSample, LogRecord, Span
from cockpit.source import Options, Source
from cockpit.testing.broken import ContractBroken, demand
from cockpit.testing.leavings import audited

SIGNALS = frozenset({HealthSample, Alert, LogRecord, Span})
OPTIONAL = (
    "query_logs", "count_logs", "query_metrics", "find_traces", "get_trace", "list_silences",
    "silence_argv", "expire_argv", "act",
)  # fmt: skip
"""The methods that a source may override and then names in `offers`."""


def construct(make: Callable[[], Source[Any]]) -> Source[Any]:
    """Make a source, and watch that its own constructor touches nothing outside."""
    source = make()
    demand(isinstance(source, Source), f"make() returned {type(source).__name__}, which is no Source")
    name: object = getattr(source, "name", None)
    demand(isinstance(name, str) and bool(name), "name must be set by Source.__init__")
    demand(
        isinstance(source.options, type(source).options_type),
        "options must be of the class's own options_type",
    )
    with audited() as deeds:
        type(source)(source.name, source.options)
    found = ", ".join(sorted(deeds)[:3])
    demand(not deeds, f"constructing it must do no I/O, yet it did: {found}")
    demand(make() is not source, "make() must return a new source each time")
    return source


def check_class(kind: type[Source[Any]]) -> None:
    """Hold a class to its attributes: present, and of the right type."""
    for attribute in ("kind", "summary"):
        text = getattr(kind, attribute, None)
        demand(isinstance(text, str) and bool(text.strip()), f"{attribute} must be a text")
        demand(str(text).isprintable() and len(str(text)) <= 120, f"{attribute} must be one short line")
    options: object = getattr(kind, "options_type", None)
    emits: object = getattr(kind, "emits", None)
    demand(
        isinstance(options, type) and issubclass(options, Options),
        "options_type must be a subclass of Options",
    )
    demand(
        isinstance(emits, frozenset) and bool(emits) and emits <= SIGNALS,
        "emits must be a frozenset of some of HealthSample, Alert, LogRecord and Span",
    )


def check_options(options: type[Options]) -> None:
    """Hold the options to being documented, a string under each field, and describable as a JSON schema."""
    try:
        msgspec.json.schema(options)
    except TypeError as error:
        raise ContractBroken(f"{options.__name__} has no JSON schema: {error}") from None
    documented: set[str] = set()
    for part in options.__mro__:
        if part is not Struct and issubclass(part, Struct):
            documented |= _documented_fields(part)
    missing = [name for name in options.__struct_fields__ if name not in documented]
    demand(not missing, f"{options.__name__}: no docstring under {', '.join(missing)}")


def _documented_fields(options: type) -> set[str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(options)))
    except (OSError, TypeError) as error:
        raise ContractBroken(f"the source text of {options.__name__} can't be read: {error}") from None
    statements = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    return {
        field.target.id
        for field, text in pairwise(statements)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def check_offers(kind: type[Source[Any]]) -> None:
    """Hold `offers` to naming exactly the optional methods that are overridden."""
    demand(isinstance(kind.offers, frozenset), "offers must be a frozenset of method names")
    unknown = kind.offers - set(OPTIONAL)
    demand(not unknown, f"offers names what is no optional method: {', '.join(sorted(unknown))}")
    for method in OPTIONAL:
        overridden = getattr(kind, method) is not getattr(Source, method)
        demand(overridden or method not in kind.offers, f"offers names {method}, which is not overridden")
        demand(
            not overridden or method in kind.offers, f"{method} is overridden, but offers does not name it"
        )
    language: object = kind.log_language
    demand(
        isinstance(language, str) and (not language or "query_logs" in kind.offers),
        "log_language must be a text, and goes with query_logs",
    )
