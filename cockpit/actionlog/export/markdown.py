"""The report as Markdown, as GitHub and pandoc read it. What was recorded is only ever text in it, never markup."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator

from cockpit.actionlog.export import report, svg
from cockpit.actionlog.export.facts import Facts, trust
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.actionlog.records import Action, Approval, Evidence, Note

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&:@$^=])")
_WWW = re.compile(r"(?i)\bwww\.")
_RUNS = re.compile("`+")
_PLOT_COLOUR = "#808890"


def page(snapshot: Snapshot, facts: Facts) -> Iterator[str]:
    """Yield the report, from its beginning to its end."""
    yield f"# {plain(report.title(facts))}\n\n"
    yield from _list(report.head(facts))
    yield "\n## Integrity\n\n"
    yield from _list(trust(facts.integrity))
    yield "\n## Time line\n\n| UTC | what | where or who | |\n|---|---|---|---|\n"
    for entry in snapshot.entries():
        at, what, where, said = report.moment(entry)
        yield f"| {at} | {plain(what)} | {plain(where)} | {code(said).replace('|', chr(92) + '|')} |\n"
    yield "\n## In full\n"
    for entry in snapshot.entries("actions", "notes", "evidence", "approvals"):
        if isinstance(entry, Action):
            yield from _action(snapshot, entry, facts)
        elif isinstance(entry, Note):
            about = f", about {entry.action}" if entry.action else ""
            yield f"\n### {report.stamp(entry.at)} note\n\nby {plain(report.line(entry.actor))}{plain(about)}\n\n"
            yield block(report.text(entry.text))
        elif isinstance(entry, Evidence):
            yield from _evidence(snapshot, entry)
        elif isinstance(entry, Approval):
            yield f"\n### {report.stamp(entry.at)} approval asked for\n\nby {plain(report.line(entry.actor))}\n\n"
            yield block(report.text(entry.asked))
            yield from (f"\n- {plain(report.line(report.answer(one)))}\n" for one in entry.answers)


def plain(text: str) -> str:
    """Return text that no Markdown reader takes for markup, a link or HTML; for within a line."""
    escaped = _MARKUP.sub(r"\\\1", text.replace("\n", " "))
    return _WWW.sub(lambda found: f"{found[0][:-1]}\\.", escaped)


def code(text: str) -> str:
    """Return text of one line as code."""
    if not text.strip():
        return ""
    ticks = _fence(text, 1)
    return f"{ticks} {text} {ticks}" if text[0] in "` " or text[-1] in "` " else f"{ticks}{text}{ticks}"


def block(text: str) -> str:
    """Return text as a block of code, which nothing in it can end."""
    fence = _fence(text, 3)
    return f"{fence}text\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}\n"


def _fence(text: str, least: int) -> str:
    longest = max((len(run) for run in _RUNS.findall(text)), default=0)
    return "`" * max(least, longest + 1)


def _list(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in pairs:
        yield f"- **{plain(name)}** {plain(report.line(value))}\n"


def _action(snapshot: Snapshot, action: Action, facts: Facts) -> Iterator[str]:
    took = f", {report.took(action)}" if report.took(action) else ""
    yield f"\n### {report.stamp(action.started_at)} {plain(report.ending(action))}{took}\n\n"
    yield block(report.command(action))
    yield "\n"
    yield from _list(report.fields(action))
    if facts.with_output and (kept := snapshot.kept(action.id)):
        said = "".join(text for _, text in report.shown(snapshot, action))
        yield _folded(f"output, {max(kept, action.output_bytes):,} bytes", said)


def _folded(summary: str, text: str) -> str:
    return f"\n<details><summary>{summary}</summary>\n\n{block(text)}\n</details>\n"


def _evidence(snapshot: Snapshot, evidence: Evidence) -> Iterator[str]:
    yield f"\n### {report.stamp(evidence.at)} evidence: {plain(report.line(evidence.title))}\n\n"
    yield f"{plain(report.about(evidence))}\n"
    body = report.content(snapshot, evidence)
    if body is None:
        yield "\nIts content was pruned.\n"
        return
    if evidence.kind == "plot" and (drawn := svg.plot(body)):
        image = drawn.replace("<svg ", f'<svg color="{_PLOT_COLOUR}" ', 1).encode()
        yield f"\n![plot](data:image/svg+xml;base64,{base64.b64encode(image).decode('ascii')})\n"
    yield _folded("content", report.as_text(body))
