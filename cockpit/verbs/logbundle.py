"""`cockpit log verify BUNDLE`: whether an exported bundle is as it was exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cockpit.actionlog.export.checking import BundleReport


def verify_bundle(path: Path, allowed_signers: Path | None, *, as_json: bool) -> int:
    """Check a bundle and print what came of it; the exit status is 0 where it is sound, 1 where not.

    Raises:
        CockpitError: It can't be read.
    """
    import asyncio

    from cockpit.actionlog.export.checking import check
    from cockpit.verbs.showing import show_report

    report = asyncio.run(check(path, allowed_signers=allowed_signers))
    show_report(report, _told(report, path), json=as_json)
    return 0 if report.sound else 1


def _told(report: BundleReport, path: Path) -> Iterator[str]:
    if report.bad is not None:
        yield f"NOT SOUND: {path}: {report.bad}"
    else:
        yield (
            f"sound: {path}: {report.records:,} records and {report.contents:,} contents of positions "
            f"{report.first:,} to {report.last:,}, hash {report.hash}"
        )
    if report.files:
        yield f"{report.files:,} fetched files are what their records say"
    if report.made_at:
        yield f"exported {report.made_at} by {report.made_by}, so it says"
    if report.signed_by:
        yield f"signed by {report.signed_by}"
    for one in report.vouched:
        yield f"a checkpoint signed by {one.by} vouches for positions {one.first:,} to {one.last:,}"
    for warning in report.warnings:
        yield f"warning: {warning}"
