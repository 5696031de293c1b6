"""Output as an asciicast, which asciinema and its players play: version 2, or 3.

Sources: https://docs.asciinema.org/manual/asciicast/v2/ and https://docs.asciinema.org/manual/asciicast/v3/

Of what a command printed only what draws stays: nothing that sets a clipboard or title, or has the player's terminal
answer. What came through a pipe has bare line feeds, which a terminal without its driver would draw as stairs.
"""

from __future__ import annotations

import codecs
import json
import shlex
from collections.abc import Iterator
from typing import Any

from cockpit.actionlog.capture import pieces_of
from cockpit.actionlog.export.facts import Facts
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.actionlog.plain import Sequences, drawing
from cockpit.actions.command import Kind
from cockpit.errors import ActionLogError
from cockpit.hygiene import clean_line
from cockpit.signals import SECOND

VERSIONS = (2, 3)
COLUMNS, ROWS = 120, 40
"""The terminal's size where no recording says one."""
IDLE_S = 2.0
"""Seconds that a player waits at most where nothing happens."""
_SILENT = frozenset({Kind.ELEVATION, Kind.APPROVAL, Kind.EXPORT, Kind.PRUNE, Kind.HOST_KEY})
"""Actions that no terminal ever showed."""
_UNSAFE = dict.fromkeys((*range(7), *range(14, 27), *range(28, 32), 127))


def lines(snapshot: Snapshot, facts: Facts, *, version: int = 2) -> Iterator[str]:
    """Yield the lines of an asciicast: the actions one after another, each after a prompt with its command."""
    shape = snapshot.select(
        "select columns, rows from recordings where position in (select position from temp.chosen) "
        "and columns > 0 and rows > 0 order by position limit 1"
    )
    columns, rows = (shape[0]["columns"], shape[0]["rows"]) if shape else (COLUMNS, ROWS)
    first = snapshot.value(
        "select min(started_ns) from actions where position in (select position from temp.chosen)"
    )
    yield _line(_header(version, columns, rows, (first or 0) // SECOND, facts))
    clock = _Clock(version, first or 0)
    for at, code, data in _events(snapshot, exits=version == 3 and snapshot.counts["actions"] == 1):
        yield _line(clock.event(at, code, data))


def _header(version: int, columns: int, rows: int, timestamp: int, facts: Facts) -> dict[str, Any]:
    title = clean_line(f"cockpit: {', '.join(facts.incidents or facts.targets)}", 200)
    shape: dict[str, Any] = (
        {"width": columns, "height": rows} if version == 2 else {"term": {"cols": columns, "rows": rows}}
    )
    return {
        "version": version,
        **shape,
        "timestamp": timestamp,
        "idle_time_limit": IDLE_S,
        "title": title,
    }


class _Clock:
    """Tells events' times: from the beginning in version 2, from the event before in version 3; never backwards."""

    def __init__(self, version: int, start: int) -> None:
        self._version = version
        self._start = self._last = start

    def event(self, at: int, code: str, data: str) -> list[object]:
        at = max(at, self._last)
        since = self._start if self._version == 2 else self._last
        if self._version == 2:
            self._last = at
            return [round((at - since) / SECOND, 6), code, data]
        passed = (at - since) // 1000  # whole microseconds, so that what is rounded off doesn't add up
        self._last = since + passed * 1000
        return [passed / 1_000_000, code, data]


def _events(snapshot: Snapshot, *, exits: bool) -> Iterator[tuple[int, str, str]]:
    """Yield (time, code, data) in the order of the chain; where it is one command's recording, its exit as well."""
    screens: dict[str, _Screen] = {}
    silent: set[str] = set()
    chosen = "position in (select position from temp.chosen)"
    places = snapshot.select(f"select action, kind, command from recordings where {chosen}")  # noqa: S608
    drawn = {row["action"] for row in places if row["kind"] == "terminal"}
    typed = {row["command"] for row in places if row["command"]}
    for _, table, row in snapshot.rows(("actions", "output", "results", "recordings")):
        snapshot.step()
        if table == "actions" and row["kind"] in _SILENT:
            silent.add(row["id"])
        elif row.get("action") in silent or row.get("action") in typed:
            continue
        elif table == "actions" and row["id"] in typed:
            yield row["started_ns"], "m", clean_line(row["shell"] or "")  # its recording shows it
        elif table == "recordings":
            if row["kind"] == "resize" and row["columns"] and row["rows"]:
                yield row["at_ns"], "r", f"{row['columns']}x{row['rows']}"
        elif table == "actions":
            command = clean_line(row["shell"] or shlex.join(json.loads(row["argv"])))
            yield row["started_ns"], "m", command
            yield row["started_ns"], "o", f"\x1b[0;1m{clean_line(row['target'])} $ {command}\x1b[0m\r\n"
        elif table == "output" and row["data"] is not None:
            screen = screens.setdefault(row["action"], _Screen(raw=row["action"] in drawn))
            yield from screen.output(row)
            snapshot.step(row["size"])
        elif table == "results":
            ended = row["ended_ns"] or row["recorded_ns"]
            if row["action"] in screens:
                yield from screens.pop(row["action"]).end(ended)
            status = row["signal"] or row["exit_status"]
            how = row["state"] if status is None else f"{row['state']}, {status}"
            yield ended, "o", f"\x1b[0;2m[{clean_line(how)}]\x1b[0m\r\n"
            if exits and row["exit_status"] is not None:
                yield ended, "x", str(row["exit_status"])


class _Screen:
    """What one action draws."""

    def __init__(self, *, raw: bool) -> None:
        self._raw = raw
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}
        self._sequences: dict[str, Sequences] = {}
        self._last = "\n"

    def output(self, row: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
        """Yield the events of a chunk."""
        try:
            pieces = pieces_of(row)
        except ValueError as error:
            raise ActionLogError(
                f"output of {row['action']} is damaged: {error}",
                remedy="`cockpit log verify` names the first bad row",
            ) from None
        for at, stream, data in pieces:
            yield from self._drawn(at, stream.value, data)

    def end(self, at: int) -> Iterator[tuple[int, str, str]]:
        """Yield what was held back, and the end of a line that has none."""
        for stream in tuple(self._decoders):
            yield from self._drawn(at, stream, b"", last=True)
        if self._last not in "\r\n":
            yield at, "o", "\r\n"

    def _drawn(
        self, at: int, stream: str, data: bytes, *, last: bool = False
    ) -> Iterator[tuple[int, str, str]]:
        decoder = self._decoders.setdefault(stream, codecs.getincrementaldecoder("utf-8")(errors="replace"))
        sequences = self._sequences.setdefault(stream, Sequences(drawing))
        text = sequences.feed(decoder.decode(data, final=last), last=last).translate(_UNSAFE)
        if not self._raw:
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        if text:
            self._last = text[-1]
            yield at, "o", text


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
