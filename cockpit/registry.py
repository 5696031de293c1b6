"""How source plugins are found: by entry points of the group `cockpit.sources`, ours like a stranger's.

Naming them, loading one and loading all are three functions, because they cost differently: names are read from
metadata alone, while loading runs a plugin's code.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from cockpit.errors import CockpitError, ConfigError, SourceError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from cockpit.config import SourceEntry
    from cockpit.source import Options, Remote, Source

GROUP = "cockpit.sources"
OURS = "cockpit"
UNNAMED = "an unnamed distribution"


def names() -> tuple[str, ...]:
    """Return the kinds of sources installed, sorted. Imports none of them."""
    return tuple(sorted(_points()))


def load(kind: str) -> type[Source[Any]]:
    """Import one plugin.

    Raises:
        ConfigError: No plugin has that name.
        SourceError: It can't be imported, or is not what the contract says; names its distribution.
    """
    point = _chosen(kind)
    where = f"source kind {kind} of {_distribution(point)}"
    try:
        plugin = point.load()
    except (Exception, SystemExit) as error:
        raise SourceError(
            f"can't be imported: {_one_line(error)}",
            where=where,
            remedy=f"reinstall or upgrade {_distribution(point)}",
        ) from error
    _hold_to_contract(plugin, kind, where)
    return plugin  # type: ignore[no-any-return]


def load_all(
    kinds: Iterable[str] | None = None,
) -> tuple[dict[str, type[Source[Any]]], dict[str, CockpitError]]:
    """Import every plugin, or these kinds, and return those that work and what is wrong with the others."""
    plugins: dict[str, type[Source[Any]]] = {}
    errors: dict[str, CockpitError] = {}
    for kind in names() if kinds is None else kinds:
        try:
            plugins[kind] = load(kind)
        except CockpitError as error:
            errors[kind] = error
    return plugins, errors


def build(
    entry: SourceEntry,
    *,
    warn: Callable[[str], None] | None = None,
    remote: Callable[[str], Remote] | None = None,
) -> Source[Any]:
    """Make the source that an entry asks for: load its plugin, read its options, construct it.

    Args:
        entry: From `Settings.sources`.
        warn: Given each warning about the options as a line, such as a secret in the clear.
        remote: Makes what a source needs that is carried over SSH, given its `via`, or that works on hosts.

    Raises:
        ConfigErrors: All mistakes in its options.
        SourceError: The plugin can't be loaded, or its constructor failed.
    """
    from cockpit.config.options import read_options

    plugin = load(entry.kind)
    options, warnings = read_options(entry, plugin.options_type)
    if warn is not None:
        for warning in warnings:
            warn(warning)
    _hold_to_via(entry, plugin)
    try:
        source = plugin(entry.name, options)
    except ConfigError as error:
        raise _placed(entry, error) from None
    except CockpitError:
        raise
    except Exception as error:
        raise SourceError(f"can't be made: {_one_line(error)}", where=entry.name) from error
    if entry.via or plugin.on_hosts:
        if remote is None:
            raise SourceError("there is nothing here to carry it over SSH", where=entry.name)
        source.remote = remote(entry.via)
    return source


def _hold_to_via(entry: SourceEntry, plugin: type[Source[Any]]) -> None:
    """Refuse `via` for a kind that would connect past it.

    Raises:
        ConfigError: It can't be carried.
    """
    if not entry.via or plugin.carried:
        return
    message = f"a source of kind {entry.kind} can't be carried over SSH"
    remedy = "leave out `via`"
    if plugin.on_hosts:
        message = f"a source of kind {entry.kind} goes to its hosts by their own ways"
        remedy = "say `via` in the hosts' [[targets]] entries, or ProxyJump in ssh_config"
    raise _placed(entry, ConfigError(message, key="via", remedy=remedy))


def _placed(entry: SourceEntry, error: ConfigError) -> ConfigError:
    """Give a mistake that a plugin found by itself its place in the file."""
    if error.file or entry.document is None:
        return error
    table = ("sources", entry.index)
    return entry.document.mistake((*table, error.key) if error.key else table, error.message, error.remedy)


def distribution(kind: str) -> str:
    """Return the name and version of the distribution that brings a kind, such as `cockpit 0.1.0`."""
    dist = _chosen(kind).dist
    return f"{dist.name} {dist.version}" if dist else UNNAMED


def _chosen(kind: str) -> EntryPoint:
    """Return the entry point of a kind; ours goes before a stranger's.

    Raises:
        ConfigError: There is none.
        SourceError: There are several.
    """
    found = _points().get(kind)
    if not found:
        from cockpit.config.reading import suggestion

        raise ConfigError(f'"{kind}" is no kind of source', remedy=suggestion(kind, names()))
    ours = [point for point in found if _distribution(point) == OURS]
    if not ours and len(found) > 1:
        rivals = ", ".join(sorted(_distribution(point) for point in found))
        raise SourceError(
            f"several distributions bring it: {rivals}",
            where=f"source kind {kind}",
            remedy="keep one of them",
        )
    return (ours or found)[0]


def _points() -> Mapping[str, list[EntryPoint]]:
    """Return the entry points by name. The import costs over 20 ms, so it is made here."""
    from importlib.metadata import entry_points

    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        points.setdefault(point.name, []).append(point)
    return points


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else UNNAMED


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


def _hold_to_contract(plugin: object, kind: str, where: str) -> None:
    """Check that a plugin is what `cockpit.source` says.

    Raises:
        SourceError: It is not.
    """
    from cockpit.config import OWN_KEYS
    from cockpit.source import Options, Source

    def wrong(message: str) -> NoReturn:
        raise SourceError(f"breaks the contract: {message}", where=where, remedy="see docs/plugins.md")

    if not (isinstance(plugin, type) and issubclass(plugin, Source)):
        wrong("it is no subclass of cockpit.source.Source")
    if inspect.isabstract(plugin):
        wrong(f"it lacks {', '.join(sorted(plugin.__abstractmethods__))}")
    if getattr(plugin, "kind", None) != kind:
        wrong(f"its `kind` is {getattr(plugin, 'kind', None)!r}, and its entry point is named {kind!r}")
    if not isinstance(getattr(plugin, "summary", None), str) or not plugin.summary.strip():
        wrong("it has no `summary`")
    options: type[Options] | None = getattr(plugin, "options_type", None)
    if not (isinstance(options, type) and issubclass(options, Options)):
        wrong("its `options_type` is no subclass of cockpit.source.Options")
    if taken := OWN_KEYS.intersection(options.__struct_encode_fields__):
        wrong(f"its options use the cockpit's own keys {', '.join(sorted(taken))}")
    _hold_to_signals(plugin, wrong)


def _hold_to_signals(plugin: type[Source[Any]], wrong: Callable[[str], NoReturn]) -> None:
    """Check what a plugin says that it emits and offers."""
    from cockpit.signals import Alert, HealthSample, LogRecord, Span
    from cockpit.source import Source

    for emitted in plugin.emits:
        if emitted not in (Alert, HealthSample, LogRecord, Span):
            wrong(f"it emits {emitted!r}, which is no signal")
    for method in plugin.offers:
        theirs, base = getattr(plugin, method, None), getattr(Source, method, None)
        if base is None or theirs is base:
            wrong(f"it offers {method!r} and does not implement it")
