"""Goes through the files of evidence beside a log: each is what its record says."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from cockpit.actionlog.entry_reader import EntryReader
from cockpit.actionlog.files import EvidenceFiles
from cockpit.actionlog.findings import Bad, Report


def with_files(report: Report, path: Path) -> Report:
    """Return a report in which the first file that isn't what its record says counts as well.

    Args:
        report: Of the records themselves; where one of those is wrong, the files tell nothing more.
        path: The log.

    Raises:
        ActionLogError: The log can't be read.
    """
    if not report.sound:
        return report
    reader = EntryReader(path)
    try:
        manifests = reader.manifests()
    finally:
        reader.close()
    for evidence, what, detail in EvidenceFiles(path).wrong(manifests):
        bad = Bad(table="evidence", id=evidence, position=report.position, what=what, detail=detail)
        return replace(report, sound=False, bad=bad)
    return report
