"""The report as one HTML file: no script, nothing fetched, light or dark as its reader has it, fit to be printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from cockpit.actionlog.export import report, svg
from cockpit.actionlog.export.facts import Facts, trust
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.actionlog.records import Action, Approval, Evidence, Note

_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2128;--dim:#5b6470;--line:#d5dae0;--box:#f5f7f9;--bad:#b3261e;
--read:#27763d;--change:#9a5b00;--destructive:#b3261e;--unknown:#6b4fa0}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#dde2e8;--dim:#98a2ad;--line:#343b44;--box:#1c2127;
--bad:#ff8a80;--read:#7fcf95;--change:#f0b355;--destructive:#ff8a80;--unknown:#c0a6f0}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 1rem}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}dt{color:var(--dim)}
dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:13px}td,th{text-align:left;vertical-align:top;padding:.2rem .6rem
.2rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}td:first-child{white-space:nowrap}
pre,code{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--box);border:1px solid var(--line);border-radius:4px;
padding:.6rem;margin:.4rem 0}
article{margin:1.2rem 0;padding:.2rem 0 .2rem 1rem;border-left:3px solid var(--line)}
.read{border-color:var(--read)}.change{border-color:var(--change)}.destructive{border-color:var(--destructive)}
.unknown{border-color:var(--unknown)}b.read{color:var(--read)}b.change{color:var(--change)}
b.destructive{color:var(--destructive)}b.unknown{color:var(--unknown)}
.bad{color:var(--bad)}.dim,summary{color:var(--dim)}.stderr{color:var(--change)}.gap{color:var(--bad)}
summary{cursor:pointer}svg{max-width:100%;height:auto}a{color:inherit}
@media print{body{max-width:none;padding:0;font-size:11px}article,tr{break-inside:avoid-page}pre{max-height:none}
details::details-content{content-visibility:visible;display:block;height:auto}}
""".replace("\n", " ")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(snapshot: Snapshot, facts: Facts) -> Iterator[str]:
    """Yield the report, from its beginning to its end."""
    title = escape(report.title(facts))
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
    yield '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
    yield _list(report.head(facts))
    yield f"<h2>Integrity</h2>\n{_list(trust(facts.integrity))}"
    yield "<h2>Time line</h2>\n<table><tr><th>UTC<th>what<th>where or who<th>\n"
    for entry in snapshot.entries():
        at, what, where, said = map(escape, report.moment(entry))
        bad = ' class="bad"' if isinstance(entry, Action) and report.is_bad(entry) else ""
        name = getattr(entry, "id", "")
        link = (
            f'<a href="#{escape(name)}">{at}</a>'
            if isinstance(entry, Action | Evidence | Approval | Note)
            else at
        )
        yield f"<tr{bad}><td>{link}<td>{what}<td>{where}<td><code>{said}</code>\n"
    yield "</table>\n<h2>In full</h2>\n"
    for entry in snapshot.entries("actions", "notes", "evidence", "approvals"):
        if isinstance(entry, Action):
            yield from _action(snapshot, entry, facts)
        elif isinstance(entry, Note):
            yield from _note(entry)
        elif isinstance(entry, Evidence):
            yield from _evidence(snapshot, entry)
        elif isinstance(entry, Approval):
            yield from _approval(entry)
    yield "</body></html>\n"


def _list(pairs: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{escape(name)}<dd>{escape(report.line(value))}\n" for name, value in pairs)
    return f"<dl>{rows}</dl>\n"


def _action(snapshot: Snapshot, action: Action, facts: Facts) -> Iterator[str]:
    risk = action.risk if action.risk in ("read", "change", "destructive") else "unknown"
    bad = ' class="bad"' if report.is_bad(action) else ""
    took = escape(report.took(action) or "no end known")
    yield f'<article id="{escape(action.id)}" class="{risk}"><b class="{risk}">{escape(report.line(action.risk))}'
    yield f"</b> <span{bad}>{escape(report.ending(action))}</span> "
    yield f'<span class="dim">{report.stamp(action.started_at)} UTC, {took}</span>'
    yield f"\n<pre><code>{escape(report.command(action))}</code></pre>\n"
    yield _list(report.fields(action))
    if facts.with_output and (kept := snapshot.kept(action.id)):
        yield f"<details><summary>output, {max(kept, action.output_bytes):,} bytes</summary><pre>"
        for stream, said in report.shown(snapshot, action):
            yield escape(said) if stream == "stdout" else f'<span class="{stream}">{escape(said)}</span>'
        yield "</pre></details>\n"
    yield "</article>\n"


def _note(note: Note) -> Iterator[str]:
    about = f', about <a href="#{escape(note.action)}">{escape(note.action)}</a>' if note.action else ""
    yield f'<article id="{escape(note.id)}"><span class="dim">note, {report.stamp(note.at)} UTC by '
    yield f"{escape(report.line(note.actor))}{about}</span>\n<pre>{escape(report.text(note.text))}</pre></article>\n"


def _evidence(snapshot: Snapshot, evidence: Evidence) -> Iterator[str]:
    yield f'<article id="{escape(evidence.id)}"><b>{escape(report.line(evidence.title))}</b><br>'
    yield f'<span class="dim">{escape(report.about(evidence))}</span>\n'
    body = report.content(snapshot, evidence)
    if body is None:
        yield '<p class="bad">its content was pruned</p></article>\n'
        return
    if evidence.kind == "plot" and (drawn := svg.plot(body)):
        yield drawn
    yield f"<details><summary>content</summary><pre>{escape(report.as_text(body))}</pre></details></article>\n"


def _approval(approval: Approval) -> Iterator[str]:
    who = escape(report.line(approval.actor))
    yield f'<article id="{escape(approval.id)}"><span class="dim">approval asked for, '
    yield f"{report.stamp(approval.at)} UTC by {who}</span>\n"
    yield f"<pre>{escape(report.text(approval.asked))}</pre>\n<ul>"
    for one in approval.answers:
        bad = "" if one.granted else ' class="bad"'
        yield f"<li{bad}>{escape(report.line(report.answer(one)))}"
        yield f"<details><summary>signature</summary><pre>{escape(report.text(one.signature))}</pre></details>"
    yield f"{'' if approval.answers else '<li>no answer'}</ul></article>\n"
