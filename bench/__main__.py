"""`python -m bench [NAME…]`: runs the measurements, prints their tables, and with `--write` keeps them."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from bench.machine import FEW_LOOPS, Noise, describe
from bench.options import Options
from bench.report import Table

NAMES = (
    "start",
    "idle",
    "keys",
    "sweep",
    "search",
    "guard",
    "door",
    "ssh",
    "fanout",
    "remote",
    "flood",
    "logs",
)
RESULTS = Path(__file__).with_name("RESULTS.md")
INTRODUCTION = """# Measured

Made by `make bench ARGS=--write`; how each figure is taken is said below its table and in docs/performance.md. A part
that was measured by itself says when and where.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure the cockpit.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)}; all without")
    parser.add_argument("--write", action="store_true", help=f"keep the tables in {RESULTS.name}")
    parser.add_argument("--quick", action="store_true", help="tiny parameters: does it run, not how fast")
    parser.add_argument("--peers", default="", metavar="DIR", help="where peers are installed, besides PATH")
    args = parser.parse_args(argv)
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        noise = Noise(FEW_LOOPS) if args.quick else Noise()
        options = Options(home=Path(home), quick=args.quick, peers=args.peers, noise=noise)
        tables = []
        for name in args.names or NAMES:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            table: Table = import_module(f"bench.{name}").run(options)
            print(table.markdown(), flush=True)
            tables.append(table)
    machine = f"{describe()}\n\n{options.noise.line()}\n"
    print(machine)
    if args.write:
        _keep(tables, machine)
    return 0


def _keep(tables: Sequence[Table], machine: str) -> None:
    """Write the tables into the results; those of measurements that were not made again stay as they are."""
    kept = re.split(r"(?m)^(?=## )", RESULTS.read_text())[1:] if RESULTS.exists() else []
    parts = {part.splitlines()[0]: part.rstrip() + "\n" for part in kept}
    for table in tables:
        parts[f"## {table.title}"] = f"{table.markdown()}\n{machine}"
    RESULTS.write_text("\n".join([INTRODUCTION, *parts.values()]))


if __name__ == "__main__":
    sys.exit(main())
