"""Logs of containers: each line that a program wrote is wrapped with the time at which it was read, line by line.

What is wrapped has a format of its own, which says what begins a record and what its level is; the time is that of
the wrapping.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cockpit.formats.columns import UNDATED
from cockpit.formats.expression import steps_of
from cockpit.formats.format import LineFormat, Marks, Said, encoded, first_line
from cockpit.formats.json_lines import JsonFormat
from cockpit.formats.layout import Layout
from cockpit.formats.plain import PlainFormat
from cockpit.formats.walks import head_of

if TYPE_CHECKING:
    from cockpit.formats.piece import Mask, Piece, Places
    from cockpit.formats.stamps import Numbers
    from cockpit.formats.times import Zone


class Inside(NamedTuple):
    """What is wrapped in a piece.

    Attributes:
        rows: Which of its lines are wrapped ones, shape (m,), rising.
        times: Their times.
        parts: Which of them the next line goes on with.
        data: What they wrap, a line each.
    """

    rows: Places
    times: Numbers
    parts: Mask
    data: bytes


class Line(NamedTuple):
    """What is wrapped in one line; `part` says that the next line goes on with it."""

    at: int
    stream: str
    part: bool
    text: str


class WrappedFormat(LineFormat):
    """Wrapped lines.

    Attributes:
        inner: The format of what is wrapped.
    """

    def __init__(self, zone: Zone | None = None, inner: LineFormat | None = None) -> None:
        self.zone = zone
        self.inner = inner or PlainFormat()

    @abstractmethod
    def inside(self, piece: Piece, *, observed: int) -> Inside:
        """Unwrap the lines of a piece."""

    @abstractmethod
    def line(self, text: str, *, observed: int) -> Line | None:
        """Unwrap one line; None for one that is none."""

    def with_inner(self, inner: LineFormat) -> WrappedFormat:
        """Return this format for what has another format inside."""
        return type(self)(self.zone, inner)

    def fitting(self, piece: Piece, *, observed: int) -> int:
        """Return how many lines are wrapped ones."""
        return len(self.inside(piece, observed=observed).rows)

    def marks(self, piece: Piece, *, observed: int) -> Marks:
        """Return where the records inside begin."""
        import numpy as np

        from cockpit.formats.piece import Piece as Inner

        rows, at, parts, data = self.inside(piece, observed=observed)
        inner = self.inner.all_marks(Inner(data), observed=observed)
        begun = inner.begins & ~np.insert(parts[:-1], 0, False) if len(rows) else inner.begins
        begins = np.zeros(len(piece), np.bool_)
        times = np.full(len(piece), UNDATED, np.int64)
        levels = np.zeros(len(piece), np.int64)
        begins[rows], times[rows], levels[rows] = begun, at, inner.levels
        return Marks(begins, times, levels)

    def said(self, text: str, *, observed: int) -> Said | None:
        """Read a record, unwrapping all its lines."""
        first = self.line(first_line(text), observed=observed)
        if first is None:
            return None
        whole, after = first.text, first.part
        for each in text.split("\n")[1:]:
            more = self.line(each, observed=observed)
            whole += ("" if after else "\n") + (more.text if more else each)
            after = more.part if more else False
        said = self.inner.said(whole, observed=observed) or self.inner.stray(whole)
        begun = self.inner.said(first.text, observed=observed) or self.inner.stray(first.text)
        said.at, said.level = first.at, begun.level
        said.attributes = {"log.iostream": first.stream, **said.attributes}
        return said


_CRI = r"(?P<time>) (?P<stream>std(?:out|err)) (?P<tag>[FP])(?::[^ ]*)? "


class CriFormat(WrappedFormat):
    """The Container Runtime Interface's, as kubelets keep it: `2026-11-23T22:15:23.1Z stdout F text`."""

    name = "cri"

    def __init__(self, zone: Zone | None = None, inner: LineFormat | None = None) -> None:
        super().__init__(zone, inner)
        self._layout = Layout("%Y-%m-%dT%H:%M:%S%N%z", zone)
        expression = _CRI.replace("(?P<time>)", f"(?P<time>{self._layout.expression})")
        self._regex = re.compile(expression, re.ASCII)
        self._steps = steps_of(expression) or ()

    def inside(self, piece: Piece, *, observed: int) -> Inside:
        """Unwrap the lines of a piece."""
        import numpy as np

        from cockpit.formats.lockstep import match_all

        match = match_all(self._steps, piece, piece.starts, layout=self._layout, observed=observed)
        rows = np.flatnonzero(match.found)
        edges = np.zeros(piece.size + 2, np.int8)
        edges[match.ends[rows]] += 1
        edges[piece.ends[rows] + 1] -= 1
        kept = np.cumsum(edges, dtype=np.int8)[:-1].view(np.bool_)
        times = match.times if match.times is not None else np.full(len(piece), UNDATED, np.int64)
        parts = piece.bytes[match.spans["tag"][0][rows]] == ord("P")
        return Inside(rows, times[rows], parts, piece.bytes[: piece.size + 1][kept].tobytes())

    def line(self, text: str, *, observed: int) -> Line | None:
        """Unwrap one line."""
        found = self._regex.match(text)
        if found is None:
            return None
        at = self._layout.read(found["time"], observed)
        return Line(at, found["stream"], found["tag"] == "P", text[found.end() :])


class _Docker(msgspec.Struct):
    log: str
    stream: str = ""


_BEGINS = b'{"log":"'
_DECODER = msgspec.json.Decoder(_Docker)


class DockerFormat(WrappedFormat):
    """Docker's json-file: `{"log":"text\\n","stream":"stdout","time":"2026-11-23T22:15:23.1Z"}`."""

    name = "docker"

    def __init__(self, zone: Zone | None = None, inner: LineFormat | None = None) -> None:
        super().__init__(zone, inner)
        self._json = JsonFormat(zone)

    def inside(self, piece: Piece, *, observed: int) -> Inside:
        """Unwrap the lines of a piece."""
        import numpy as np

        from cockpit.formats.learned import structured_marks

        begins = piece.words[piece.starts] == int.from_bytes(_BEGINS, "little")
        decoded = {row: _decoded(piece.line(row)) for row in np.flatnonzero(begins).tolist()}
        rows = np.array([row for row, found in decoded.items() if found is not None], np.int64)
        begins[:] = False
        begins[rows] = True
        times = structured_marks(piece, begins, self._json.names, self._json.layout, observed).times
        texts = [found.log for found in decoded.values() if found is not None]
        parts = np.array([not text.endswith("\n") for text in texts], np.bool_)
        data = "".join(_one_line(text) + "\n" for text in texts)
        return Inside(rows, times[rows], parts, data.encode("utf-8", "surrogatepass"))

    def line(self, text: str, *, observed: int) -> Line | None:
        """Unwrap one line."""
        raw = encoded(text)
        found = _decoded(raw) if raw.startswith(_BEGINS) else None
        if found is None:
            return None
        head = head_of(raw, self._json.names, self._json.layout, observed)
        return Line(head.at, found.stream, not found.log.endswith("\n"), _one_line(found.log))


def _decoded(line: bytes) -> _Docker | None:
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _one_line(text: str) -> str:
    """Return a wrapped text as the one line that it is."""
    return text.removesuffix("\n").replace("\n", " ")
