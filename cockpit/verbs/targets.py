"""`cockpit targets`: every host that is known, how careful to be there, and from where it is known."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cockpit.inventory.inventories import InventoryStatus
    from cockpit.targets import Target, Targets


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "targets",
        help="list the hosts that are known, and groups of them",
        description="List the hosts that cockpit.toml and the inventories know, each with its environment, groups "
        "and way; or what a name stands for: a host, @GROUP, a pattern, several with commas, !NAME to leave some "
        "out. Exits with 1 where an inventory failed.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only what these stand for")
    parser.add_argument("--groups", action="store_true", help="list the groups and how many are in each")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    """Print the targets; 1 where an inventory failed.

    Raises:
        UsageError: A name stands for no host.
    """
    import asyncio
    import json

    from cockpit import config
    from cockpit.inventory.inventories import known_targets
    from cockpit.verbs.targeting import complain

    settings = config.load(args.config)
    targets, inventories = asyncio.run(known_targets(settings, config.data_dir(args.data_dir)))
    complain(inventories)
    statuses = inventories.statuses()
    chosen: Sequence[Target] = _chosen(targets, args.names)
    if args.json:
        print(json.dumps(_document(targets, chosen, statuses), indent=2, ensure_ascii=False))
    else:
        for line in _groups(targets) if args.groups else _table(chosen):
            print(line)
    return 1 if any(status.error for status in statuses) else 0


def _chosen(targets: Targets, names: Sequence[str]) -> Sequence[Target]:
    from cockpit.targets import LOCAL

    if not names:
        return (targets.resolve(LOCAL), *targets.hosts())
    return targets.members(",".join(names))


def _document(
    targets: Targets, chosen: Sequence[Target], statuses: Sequence[InventoryStatus]
) -> dict[str, Any]:
    named = {target.name for target in chosen}
    return {
        "targets": [_described(target) for target in chosen],
        "groups": {
            name: [target.name for target in members if target.name in named]
            for name, members in sorted(targets.groups().items())
            if any(target.name in named for target in members)
        },
        "inventories": [
            {
                "name": status.name,
                "kind": status.kind,
                "state": status.state.value,
                "hosts": status.hosts,
                "error": status.error,
                "hint": status.remedy,
                "remarks": list(status.remarks),
            }
            for status in statuses
        ],
    }


def _described(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "environment": target.environment.value,
        "named": target.named,
        "transport": target.transport,
        "via": target.via,
        "host": target.host,
        "user": target.user,
        "port": target.port,
        "groups": list(target.groups),
        "forward_agent": target.forward_agent,
        "known_from": list(target.known_from),
    }


def _table(targets: Sequence[Target]) -> Iterator[str]:
    """Yield a table's lines. Its environment stands with a mark where nothing names it."""
    from cockpit.verbs.showing import one_line

    rows = [("TARGET", "ENVIRONMENT", "GROUPS", "VIA", "ADDRESS", "KNOWN FROM")]
    for target in targets:
        environment = target.environment.value + ("" if target.named else " (by default)")
        cells = (
            target.name,
            environment,
            " ".join(target.groups),
            target.via,
            address(target),
            " ".join(target.known_from),
        )
        rows.append(tuple(one_line(cell) or "-" for cell in cells))  # type: ignore[arg-type]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _groups(targets: Targets) -> Iterator[str]:
    from cockpit.targets import MARK

    sizes = [(MARK + name, f"{len(members):,}") for name, members in sorted(targets.groups().items())]
    width = max(len(name) for name, _ in sizes)
    for name, size in sizes:
        yield f"{name:{width}}  {size}"


def address(target: Target) -> str:
    """Return `USER@HOST:PORT` as far as it isn't left to ssh_config."""
    user, port = f"{target.user}@" if target.user else "", f":{target.port}" if target.port else ""
    host = target.host or (target.name if user or port else "")
    return f"{user}{f'[{host}]' if port and ':' in host else host}{port}"
