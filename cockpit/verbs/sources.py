"""`cockpit sources`: the plugins installed, and every option of each."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cockpit.config.describe import OptionDoc
    from cockpit.source import Source


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "sources",
        help="list source plugins and their options",
        description="List the source plugins installed.",
    )
    parser.add_argument("kind", nargs="*", metavar="KIND", help="only these kinds")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    """Print the plugins; 1 where one of them can't be used.

    Raises:
        UsageError: A kind is named that isn't installed.
    """
    from cockpit import registry
    from cockpit.errors import UsageError

    if unknown := sorted(set(args.kind) - set(registry.names())):
        raise UsageError(
            f"no kind of source is called {', '.join(unknown)}",
            remedy=f"there are {', '.join(registry.names())}",
        )
    plugins, errors = registry.load_all(args.kind or None)
    described = [_describe(kind, plugin) for kind, plugin in plugins.items()]
    if args.json:
        import json

        broken = [{"kind": kind, "error": str(error)} for kind, error in errors.items()]
        print(json.dumps(described + broken, indent=2))
        return 1 if errors else 0
    for plugin in described:
        _print(plugin)
    for kind, error in errors.items():
        print(f"{kind}\n  can't be used: {error}\n")
    return 1 if errors else 0


def _describe(kind: str, plugin: type[Source[Any]]) -> dict[str, Any]:
    """Return what the JSON document says of one plugin."""
    from cockpit import registry
    from cockpit.config import describe

    return {
        "kind": kind,
        "summary": plugin.summary,
        "distribution": registry.distribution(kind),
        "emits": sorted(signal.__name__ for signal in plugin.emits),
        "offers": sorted(plugin.offers),
        "options": [_option(option) for option in describe.options(plugin.options_type)],
    }


def _option(option: OptionDoc) -> dict[str, Any]:
    return {
        "name": option.name,
        "type": option.type,
        "required": option.required,
        "default": option.default,
        "doc": option.doc,
    }


def _print(plugin: dict[str, Any]) -> None:
    print(f"{plugin['kind']}  ({plugin['distribution']})")
    print(f"  {plugin['summary']}")
    print(f"  emits  {', '.join(plugin['emits']) or 'nothing'}")
    if plugin["offers"]:
        print(f"  offers {', '.join(plugin['offers'])}")
    width = max((len(option["name"]) for option in plugin["options"]), default=0)
    for option in plugin["options"]:
        default = "required" if option["required"] else f"default {option['default'] or 'none'}"
        print(f"    {option['name']:{width}}  {option['type']}, {default}")
        for line in option["doc"].splitlines():
            print(f"    {'':{width}}  {line}")
    print()
