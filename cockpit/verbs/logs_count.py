"""`cockpit logs count` and `cockpit logs histogram`: how many records, of what kind and when."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from cockpit.verbs.arguments import count
from cockpit.verbs.logs_reading import Log, Logs, add_query, print_table, read_query, split_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from cockpit.formats.format import Said
    from cockpit.stores.logs.forward import Block

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 60
GROUPS = 1_000_000
"""Different values that are counted apart; a hostile log has more."""
SECOND = 1_000_000_000

Key = tuple[str, ...]


def add(below: argparse._SubParsersAction[Any]) -> None:
    """Describe the verbs."""
    counting = below.add_parser(
        "count",
        help="count records, also by their fields",
        description="Count the records that a query finds, or all, by their fields where --by names some: level, "
        "service, host, trace, source or any attribute.",
    )
    add_query(counting)
    counting.add_argument("--by", metavar="FIELD[,FIELD]", help="count for each value of these")
    counting.add_argument("--limit", metavar="N", type=count(1), help="print the N most frequent ones")
    counting.add_argument("--json", action="store_true", help="print one JSON document")
    drawing = below.add_parser(
        "histogram",
        help="count records over time",
        description="Count the records that a query finds, or all, over time: a strip of blocks for people.",
    )
    add_query(drawing)
    drawing.add_argument("--by", choices=("level",), help="count each level by itself")
    size = drawing.add_mutually_exclusive_group()
    size.add_argument("--bucket", metavar="TIME", help="how long a bucket is, such as 30s, 1m or 1h")
    size.add_argument(
        "--width", metavar="N", type=count(1), default=WIDTH, help=f"buckets at most (default: {WIDTH})"
    )
    drawing.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    """Count.

    Raises:
        UsageError: What is asked can't be understood.
    """
    return _histogram(args) if args.logs_verb == "histogram" else _count(args)


def _admitted(args: argparse.Namespace) -> tuple[Logs, Iterator[tuple[Log, Block, NDArray[np.bool_] | None]]]:
    """Return the logs, and their blocks with what the query admits; None for all."""
    from cockpit.stores.logs.matcher import Matcher

    text, files = split_query(args)
    query = read_query(text)
    logs = Logs(args, files)

    def blocks() -> Iterator[tuple[Log, Block, NDArray[np.bool_] | None]]:
        for log in logs:
            matcher = None if query.admits_all else Matcher(query, log.format, source=log.source)
            screen = (
                None if matcher is None or (args.json and args.logs_verb == "count") else matcher.may_pass
            )
            for block in log.blocks(screen=screen):
                yield log, block, None if matcher is None else matcher.match(block.data, block.columns)

    return logs, blocks()


# Counting.


def _count(args: argparse.Namespace) -> int:
    names = [name.strip() for name in (args.by or "").split(",") if name.strip()]
    logs, blocks = _admitted(args)
    found, total = 0, 0
    groups: Counter[Key] = Counter()
    keys = _Keys(names)
    for log, block, admitted in blocks:
        total += len(block)
        found += len(block) if admitted is None else int(admitted.sum())
        if names:
            keys.count(groups, log, block, admitted)
    ordered = sorted(groups.items(), key=lambda group: (-group[1], group[0]))[: args.limit]
    if args.json:
        import json

        document: dict[str, Any] = {"count": found, "of": total}
        if names:
            document["groups"] = [
                {**dict(zip(names, key, strict=True)), "count": number} for key, number in ordered
            ]
        print(json.dumps(document, ensure_ascii=False))
    elif names:
        print_table(
            [("COUNT", *(name.upper() for name in names))] + [(f"{n:,}", *key) for key, n in ordered],
            right=[0],
        )
    else:
        print(found)
    return 1 if logs.failed else 0


class _Keys:
    """Counts records by the values of some fields."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._readers = [_reader(name) for name in names]

    def count(self, groups: Counter[Key], log: Log, block: Block, admitted: NDArray[np.bool_] | None) -> None:
        """Add the admitted records of a block; by level and source alone none is read."""
        import numpy as np

        from cockpit.signals import level_name

        if all(name in ("level", "source") for name in self._names):
            levels = block.columns.levels if admitted is None else block.columns.levels[admitted]
            for level, number in enumerate(np.bincount(levels).tolist()):
                if number:
                    told = {"level": level_name(level), "source": log.name}
                    groups[tuple(told[name] for name in self._names)] += number
            return
        rows = range(len(block)) if admitted is None else np.flatnonzero(admitted).tolist()
        levels = block.columns.levels
        for row in rows:
            said = log.format.fields(block.text(row))
            key = tuple(read(said, log, int(levels[row])) for read in self._readers)
            if key in groups or len(groups) < GROUPS:
                groups[key] += 1
            else:
                groups[("…",) * len(key)] += 1


def _reader(name: str) -> Callable[[Said, Log, int], str]:
    """Return what reads a field of a record as text."""
    from cockpit.signals import level_name

    known: dict[str, Callable[[Said, Log, int], str]] = {
        "level": lambda said, log, level: level_name(level),
        "service": lambda said, log, level: said.service,
        "host": lambda said, log, level: said.host,
        "source": lambda said, log, level: log.name,
        "trace": lambda said, log, level: said.trace_id,
        "trace_id": lambda said, log, level: said.trace_id,
        "body": lambda said, log, level: said.body,
    }

    def attribute(said: Said, log: Log, level: int) -> str:
        value = said.attributes.get(name)
        return "" if value is None else value if isinstance(value, str) else str(value)

    return known.get(name, attribute)


# Over time.


def _histogram(args: argparse.Namespace) -> int:
    from cockpit.stores.logs.overtime import OverTime, read_length

    length = read_length(args.bucket) if args.bucket else 0
    logs, blocks = _admitted(args)
    counts = OverTime(length)
    for _, block, admitted in blocks:
        told = block.times
        dated = told != block.observed if block.before == block.observed else None
        if dated is not None and not dated.all():
            admitted = dated if admitted is None else admitted & dated
        levels = block.columns.levels
        if admitted is not None:
            told, levels = told[admitted], levels[admitted]
        counts.add(told, levels)
    buckets = counts.buckets(args.width)
    if args.json:
        import json

        print(json.dumps(_document(buckets, counts.length), ensure_ascii=False))
    else:
        _print_strips(buckets, counts.length, by_level=args.by == "level")
    return 1 if logs.failed else 0


def _document(buckets: list[tuple[int, list[int]]], length: int) -> dict[str, Any]:
    from cockpit.signals import rfc3339

    return {
        "bucket_s": length / SECOND,
        "buckets": [
            {"at": rfc3339(at), "count": sum(counts), "levels": _levels(counts)} for at, counts in buckets
        ],
    }


def _levels(counts: list[int]) -> dict[str, int]:
    from cockpit.signals import level_name

    return {
        (level_name(4 * band - 3) if band else "") or "none": number
        for band, number in enumerate(counts)
        if number
    }


def _print_strips(buckets: list[tuple[int, list[int]]], length: int, *, by_level: bool) -> None:
    from cockpit.signals import rfc3339

    if not buckets:
        print("no record tells a time", file=sys.stderr)
        return
    totals = [sum(counts) for _, counts in buckets]
    rows: list[tuple[str, list[int]]] = [("all", totals)]
    if by_level:
        bands = range(len(buckets[0][1]))
        each = [
            (name, [counts[band] for _, counts in buckets])
            for band in bands
            for name in _levels([0] * band + [1])
        ]
        rows = [(name, numbers) for name, numbers in reversed(each) if any(numbers)]
    most = max(max(numbers) for _, numbers in rows)
    for name, numbers in rows:
        print(f"{name:5} {''.join(_block(number, most) for number in numbers)} {sum(numbers):,}")
    first, last = rfc3339(buckets[0][0], digits=0), rfc3339(buckets[-1][0] + length, digits=0)
    print(
        f"{first.replace('.', '')} to {last.replace('.', '')}, {length / SECOND:,g} s each, {most:,} at most"
    )


def _block(number: int, most: int) -> str:
    return BLOCKS[min(7, (number * 8 - 1) // most)] if number else " "
