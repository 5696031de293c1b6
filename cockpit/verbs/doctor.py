"""`cockpit doctor`: try every source and target for real, all at once, and say what to do about what fails."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from cockpit.verbs.arguments import seconds

if TYPE_CHECKING:
    from cockpit.checkup import Finding

TIMEOUT = 15.0


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "doctor",
        help="try every source and target for real",
        description="Try every source and target for real, and say what to do about what fails. Exits with 1 if "
        "anything failed, 2 if the configuration can't be read.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these sources and targets")
    parser.add_argument(
        "--timeout",
        type=seconds(600),
        default=TIMEOUT,
        metavar="S",
        help=f"seconds for each (default {TIMEOUT:g})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    """Print a finding for each source and target; 1 where one failed."""
    from cockpit import config
    from cockpit.checkup import Checkup
    from cockpit.errors import UsageError
    from cockpit.hygiene import clean_text

    settings = config.load(args.config)
    checkup = Checkup(settings, config.data_dir(args.data_dir), timeout=args.timeout)
    unknown = set(args.names) - set(checkup.names)
    if unknown:
        raise UsageError(
            f"no source or target is called {', '.join(sorted(unknown))}",
            remedy=f"there are {', '.join(dict.fromkeys(checkup.names))}",
        )
    findings = checkup.run(args.names or None)
    for warning in (*settings.warnings, *checkup.warnings):
        print(f"warning: {clean_text(warning)}", file=sys.stderr)
    if args.json:
        import json

        from msgspec.structs import asdict

        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings, str(settings.file or ""))
    return 1 if any(finding.state == "failed" for finding in findings) else 0


def _print(findings: list[Finding], file: str) -> None:
    print(f"configuration: {file or 'none, so the defaults hold; cockpit init writes one'}\n")
    rows = [
        (
            finding.state,
            finding.name,
            finding.kind,
            f"{finding.latency_ms:,.0f} ms" if finding.latency_ms else "",
            finding.error or finding.detail,
        )
        for finding in findings
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row, finding in zip(rows, findings, strict=True):
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)]
        first, *more = row[4].splitlines() or [""]
        indent = " " * (sum(widths) + 8)
        print("  ".join([*cells, first]).rstrip())
        for line in [*more, *([f"→ {finding.hint}"] if finding.hint else [])]:
            print(indent + line)
    count = {
        state: sum(finding.state == state for finding in findings) for state in ("ok", "failed", "disabled")
    }
    print("\n" + ", ".join(f"{number} {state}" for state, number in count.items() if number))
