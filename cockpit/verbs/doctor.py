"""`cockpit doctor`: try every source and target for real, all at once, and say what to do about what fails."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from cockpit.verbs.arguments import seconds

if TYPE_CHECKING:
    from cockpit.checkup import Finding
    from cockpit.config import Settings
    from cockpit.ssh.comparison import Comparison
    from cockpit.targets import Targets

TIMEOUT = 15.0


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "doctor",
        help="try every source and target for real",
        description="Try every source and target for real, and say what to do about what fails. Exits with 1 if "
        "anything failed, 2 if the configuration can't be read.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="only these sources, inventories and targets; of a host, what ssh_config says of it too",
    )
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
    from cockpit.hygiene import clean_text

    settings = config.load(args.config)
    checkup = Checkup(settings, config.data_dir(args.data_dir), timeout=args.timeout)
    named = list(dict.fromkeys(args.names))
    hosts = [name for name in named if name not in checkup.names]
    findings = checkup.run([name for name in named if name not in hosts] if named else None)
    findings += _with_names(checkup.hosts(hosts), checkup.names)
    options = {name: _options(settings, name, checkup.targets) for name in named if checkup.is_host(name)}
    for warning in (*settings.warnings, *checkup.warnings):
        print(f"warning: {clean_text(warning)}", file=sys.stderr)
    if args.json:
        import json

        from msgspec.structs import asdict

        print(
            json.dumps([asdict(finding) | _as_json(options, finding.name) for finding in findings], indent=2)
        )
    else:
        _print(findings, str(settings.file or ""))
        for name, comparison in options.items():
            if comparison is not None:
                _print_options(name, comparison)
    return 1 if any(finding.state == "failed" for finding in findings) else 0


def _with_names(hosts: dict[str, Finding], names: list[str]) -> list[Finding]:
    """Say which names there are to what can't be reached and may be a slip of the pen."""
    from msgspec.structs import replace

    known = f"no source or target is called so; there are {', '.join(dict.fromkeys(names))}"
    return [
        replace(finding, hint=f"{finding.hint}; {known}" if finding.hint else known)
        if finding.state == "failed"
        else finding
        for finding in hosts.values()
    ]


def _options(settings: Settings, name: str, targets: Targets) -> Comparison | None:
    """Return what ssh_config says about a host; None where it is wrong, which its finding says."""
    import asyncio

    from cockpit.errors import CockpitError
    from cockpit.ssh.trying import compare

    try:
        return asyncio.run(compare(settings, name, targets))
    except CockpitError:
        return None


def _as_json(options: dict[str, Comparison | None], name: str) -> dict[str, Any]:
    from msgspec import to_builtins

    found = options.get(name)
    return {"options": to_builtins(found.options), "options_error": found.missing} if found else {}


def _print_options(name: str, comparison: Comparison) -> None:
    """Print what `ssh -G` would, with a mark where the cockpit differs and the reason."""
    from cockpit.hygiene import clean_line

    print(
        f"\n{name} as `ssh -G {name}` has it; ≠ where the cockpit differs, - where it has no use for what is set"
    )
    if comparison.missing:
        print(f"  only as the cockpit reads it: {clean_line(comparison.missing)}")
    for each in comparison.options:
        mark = {"differs": "≠", "unused": "-"}.get(each.state, " ")
        where = f"   ({each.where})" if each.where else ""
        for value in each.openssh or each.cockpit:
            print(f"{mark} {each.option} {clean_line(value)}{where}")
        if each.state == "differs" and each.cockpit != each.openssh:
            print(f"    the cockpit: {clean_line(' '.join(each.cockpit)) or 'nothing'}")
        if each.why:
            print(f"    {each.why}")


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
