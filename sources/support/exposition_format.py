"""The text formats in which programs expose metrics, read line by line as they come in.

Two formats: Prometheus text 0.0.4 (the "Exposition formats" page of Prometheus's documentation) and OpenMetrics 1.0
(the OpenMetrics specification). They differ in timestamps (milliseconds there, seconds here), exemplars, units and
the `# EOF` that ends a whole page. A line that is in neither is counted and passed over; its neighbours still count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from cockpit.signals import SECOND

LINE = 64 << 10
"""Bytes that a line may be long."""
LABELS = 100
"""Labels that a sample may have."""
FAMILIES = 50_000
"""Families whose type and unit are remembered of one page."""

_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_SAMPLE = re.compile(
    rf"[ \t]*+([a-zA-Z_:][a-zA-Z0-9_:]*+)?[ \t]*+"
    rf'(?:\{{((?:[^"}}]|{_QUOTED})*+)\}})?[ \t]*+'
    rf"([^ \t#{{}}]++)(?:[ \t]++([^ \t#]++))?(?:[ \t]*+(#[ \t]*+\{{.*+))?[ \t]*+"
)
_LABEL = re.compile(
    rf"[ \t]*+(?:([a-zA-Z_][a-zA-Z0-9_]*+|{_QUOTED})[ \t]*+=[ \t]*+)?({_QUOTED})[ \t]*+(?:,|\Z)"
)
_META = re.compile(r"#[ \t]+(TYPE|UNIT)[ \t]+(\S+)(?:[ \t]+(\S+))?[ \t]*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE | re.ASCII
)
_SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_gcount", "_gsum", "_created", "_info")
_COUNTING = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}

Labels = tuple[tuple[str, str], ...]


class Sample(Struct, frozen=True, gc=False):
    """One line's worth.

    Attributes:
        name: The metric's name.
        raw: Its labels as they were written, the key to a cache of what they say.
        value: The number.
        at: When it was measured, in nanoseconds; 0 where the line doesn't say.
    """

    name: str
    raw: str
    value: float
    at: int = 0


class PageParser:
    """Reads one page, fed by pieces of any size.

    Attributes:
        open_metrics: Whether the page is OpenMetrics.
        lines: Lines read.
        wrong: Lines that were in no format.
        first_wrong: The number of the first of them, from 1; 0 for none.
        ended: Whether `# EOF` was seen.
        types: The type of each family: `counter`, `gauge`, `histogram` and so on.
        units: The unit of each family, where the page gives one.
    """

    def __init__(self, *, open_metrics: bool = False) -> None:
        self.open_metrics = open_metrics
        self.lines = 0
        self.wrong = 0
        self.first_wrong = 0
        self.ended = False
        self.types: dict[str, str] = {}
        self.units: dict[str, str] = {}
        self._rest = b""
        self._skipping = False

    def feed(self, piece: bytes) -> Iterator[Sample]:
        """Yield the samples of the lines that this piece completes."""
        *whole, rest = (self._rest + piece).split(b"\n")
        self._rest = b""
        for line in whole:
            if self._skipping:
                self._skipping = False
                continue
            yield from self._line(line)
        if self._skipping:
            return
        if len(rest) > LINE:
            self.lines += 1
            self._mark_wrong()
            self._skipping = True
        else:
            self._rest = rest

    def finish(self) -> Iterator[Sample]:
        """Yield what is left after the last piece: a line without its end."""
        rest, self._rest = self._rest, b""
        if rest and not self._skipping:
            yield from self._line(rest)

    @property
    def truncated(self) -> bool:
        """True for an OpenMetrics page that lacks the `# EOF` it must end with."""
        return self.open_metrics and not self.ended

    def is_counting(self, name: str) -> bool:
        """Tell whether a metric only ever rises, so that its rate is what one wants to see."""
        if self.types.get(name) == "counter":
            return True
        for suffix in _SUFFIXES:
            if name.endswith(suffix):
                kind = self.types.get(name.removesuffix(suffix), "")
                return (kind == "counter" and suffix == "_total") or suffix in _COUNTING.get(kind, ())
        return False

    def _line(self, raw: bytes) -> Iterator[Sample]:
        self.lines += 1
        raw = raw.rstrip(b"\r")
        if not raw or raw.isspace():
            return
        if len(raw) > LINE or self.ended:
            self._mark_wrong()
            return
        try:
            line = raw.decode()
        except UnicodeDecodeError:
            self._mark_wrong()
            return
        if line.startswith("#"):
            self._comment(line)
            return
        sample = self._sample(line)
        if sample is None:
            self._mark_wrong()
        else:
            yield sample

    def _comment(self, line: str) -> None:
        if line.rstrip() == "# EOF" and self.open_metrics:
            self.ended = True
        elif (found := _META.fullmatch(line)) and len(self.types) < FAMILIES:
            what, family, word = found.groups()
            (self.types if what == "TYPE" else self.units)[family] = (word or "").lower()

    def _sample(self, line: str) -> Sample | None:
        """Return the sample of a line, or None for a line that is in no format: that is counted, not hidden."""
        found = _SAMPLE.fullmatch(line)
        if found is None:
            return None
        name, raw, value, at, exemplar = found.groups()
        if not _NUMBER.fullmatch(value) or (exemplar and not self.open_metrics):
            return None
        if name is None:
            # A name outside the old alphabet stands quoted, first among the labels.
            first = _LABEL.match(raw or "")
            if first is None or first[1] is not None:
                return None
            name, raw = _unescaped(first[2]), raw[first.end() :]
        moment = 0
        if at is not None:
            if not _NUMBER.fullmatch(at) or len(at) > 32:
                return None
            seconds = float(at) if self.open_metrics else float(at) / 1000
            if not abs(seconds) < 1e11:
                return None
            moment = max(0, int(seconds * 1000) * (SECOND // 1000))
        return Sample(name, raw or "", float(value), moment)

    def _mark_wrong(self) -> None:
        self.wrong += 1
        self.first_wrong = self.first_wrong or self.lines


def labels_of(raw: str) -> Labels | None:
    """Return the labels that a text between braces says, sorted by name; None where it is malformed.

    None is an answer here, not a failure hidden: the caller counts the line as wrong.
    """
    found: dict[str, str] = {}
    place = 0
    end = len(raw.rstrip())
    while place < end:
        label = _LABEL.match(raw, place)
        if label is None or label[1] is None or len(found) >= LABELS:
            return None
        name = _unescaped(label[1]) if label[1].startswith('"') else label[1]
        if name in found:
            return None
        found[name] = _unescaped(label[2])
        place = label.end()
    return tuple(sorted(found.items()))


def _unescaped(quoted: str) -> str:
    r"""Return what stands in quotes, with \\, \" and \n replaced; any other backslash stays, as Prometheus has it."""
    inner = quoted[1:-1]
    if "\\" not in inner:
        return inner
    return _ESCAPE.sub(lambda found: {"n": "\n", "\\": "\\", '"': '"'}.get(found[1], found[0]), inner)
