"""Cuts secrets out of whatever is about to be written to the action log.

What is cut leaves `[redacted:KIND]` in its place, is counted, and leaves a keyed hash, so that two places where the
same secret stood can be told to be the same, and nobody without the key can try guesses. What a secret looks like is
in `cockpit.guard.detectors`; the ones that the configuration names are cut wherever they stand.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from urllib.parse import quote

from cockpit.guard.anchors import Anchors
from cockpit.guard.detectors import DETECTORS, FLAG_TOOLS, LONGEST, MARK

LINE = 4 * LONGEST
"""Bytes of a line that are looked at together; a longer one is gone through in such stretches, which overlap."""
MOST_HELD = 4 * LINE
"""Bytes that are held back at most for the sake of private keys that share their lines."""
SHORTEST = 6
"""Characters that a known secret needs: to cut a shorter one everywhere would shred the record."""
HASHES = 64
"""Keyed hashes kept of one text at most; all are counted."""

_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BODY = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")
_PAIR = re.compile(
    r"(?:--[\w-]*|-)(?:passw(?:or)?d|passphrase|pass|token|secret|api-?key|access-?key|secret-?key)\Z",
    re.IGNORECASE,
)

Span = tuple[int, int, str]
"""Where to cut, and what that is."""


class Cuts:
    """What was cut out of something.

    Attributes:
        count: How many secrets.
        hashes: Keyed hashes of them, each once.
    """

    def __init__(self) -> None:
        self.count = 0
        self.hashes: dict[str, None] = {}

    def add(self, digest: str) -> None:
        """Note one more."""
        self.count += 1
        if len(self.hashes) < HASHES:
            self.hashes[digest] = None


class Redactor:
    """Cuts secrets.

    Args:
        key: For the keyed hashes.
        known: Returns the secrets that are known by now.
    """

    def __init__(self, key: bytes, known: Callable[[], Iterable[str]] = tuple) -> None:
        self._key = key
        self._known = known
        self._anchors = Anchors([*(detector.anchors for detector in DETECTORS), (b"-----begin",)])

    def text(self, text: str, cuts: Cuts) -> str:
        """Return a text without its secrets; undecodable bytes of an argument stay as they are."""
        data = text.encode(errors="surrogateescape")
        return self._apply(data, cuts).decode(errors="surrogateescape")

    def data(self, data: bytes, cuts: Cuts) -> bytes:
        """Return bytes without the secrets in them."""
        return self._apply(data, cuts)

    def argv(self, argv: Sequence[str], cuts: Cuts) -> tuple[str, ...]:
        """Return arguments without the secrets in them, also where a flag and its value are two words."""
        words = []
        for number, word in enumerate(argv):
            if number and word and self._follows(argv[:number], word):
                words.append(self._replaced("flag", word.encode(errors="surrogateescape"), cuts).decode())
            else:
                words.append(self._glued(argv[:number], word, cuts))
        return tuple(words)

    def stream(self, cuts: Cuts) -> RedactedStream:
        """Return a redactor of bytes that come in pieces."""
        return RedactedStream(self, cuts)

    def suspects(self, data: bytes) -> bool:
        """Return whether there may be anything to cut; three times as fast as finding out what."""
        return self._anchors.any(data) or any(_known_spans(data, known) for known in self._known())

    def spans(self, data: bytes) -> list[Span]:
        """Return what to cut out of bytes, in order and without overlap."""
        found: list[Span] = []
        for known in self._known():
            found += _known_spans(data, known)
        if b"-----BEGIN" in data:
            found += _private_keys(data)
        resume = [0] * len(DETECTORS)
        for at, which in self._anchors.find(data):
            if which < len(DETECTORS) and at >= resume[which]:
                name, _, look = DETECTORS[which]
                start, end, resume[which] = look(data, at)
                if end:
                    found.append((start, end, name))
        return _merged(found)

    def cut(self, data: bytes, spans: Iterable[Span], cuts: Cuts) -> bytes:
        """Return bytes with spans of them replaced."""
        parts: list[bytes] = []
        last = 0
        for start, end, name in spans:
            parts += (data[last:start], self._replaced(name, data[start:end], cuts))
            last = end
        return b"".join((*parts, data[last:])) if last else data

    def _apply(self, data: bytes, cuts: Cuts) -> bytes:
        stream = self.stream(cuts)
        return stream.feed(data) + stream.finish()

    def _replaced(self, name: str, secret: bytes, cuts: Cuts) -> bytes:
        cuts.add(hmac.digest(self._key, secret, sha256).hex()[:32])
        return b"%b%b]" % (MARK, name.encode())

    def _follows(self, before: Sequence[str], word: str) -> bool:
        """Return whether a word is the value of the flag before it."""
        flag = before[-1]
        if word.startswith("[redacted:"):
            return False
        if _PAIR.match(flag) and not word.startswith("--"):
            return True
        pair = f"{_tools(before)} {flag} {word}".encode(errors="surrogateescape")
        return flag.startswith("-") and flag in ("-p", "-a", "-w") and _flagged(pair, word)

    def _glued(self, before: Sequence[str], word: str, cuts: Cuts) -> str:
        """Cut what stands in one word, `-psecret` among it, or `user:secret` after `-u`."""
        lead = f"{_tools(before)} {before[-1] if before and before[-1] in ('-u', '--user') else ''} "
        data = (lead if before else "").encode(errors="surrogateescape")
        whole = data + word.encode(errors="surrogateescape")
        spans = [span for span in self.spans(whole) if span[0] >= len(data)]
        return self.cut(whole, spans, cuts)[len(data) :].decode(errors="surrogateescape")


class RedactedStream:
    """Redacts bytes that come in pieces; what comes out does not depend on where the pieces end.

    A line that has not ended is held back, and so is a private key until its last line has come.
    """

    def __init__(self, redactor: Redactor, cuts: Cuts) -> None:
        self._redactor = redactor
        self._cuts = cuts
        self._held = bytearray()
        self._ends = False
        """Whether a line ends in what is held."""

    def feed(self, data: bytes) -> bytes:
        """Take a piece, and return what may be kept by now."""
        if not self._ends and (plain := self._plain(data)):
            return plain
        self._held += data
        self._ends = self._ends or b"\n" in data or b"\r" in data
        if not self._ends and len(self._held) < LINE:
            return b""
        return self._release(last=False)

    def finish(self) -> bytes:
        """Return the rest."""
        return self._release(last=True)

    def _plain(self, data: bytes) -> bytes:
        """Return the lines that end by now if there is nothing to cut in them, as there mostly is not."""
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        lines = bytes(self._held) + data[:end] if end else b""
        if not lines or self._redactor.suspects(lines):
            return b""
        self._held[:] = data[end:]
        return lines

    def _release(self, *, last: bool) -> bytes:
        parts = []
        while self._held:
            end = _line_end(self._held, LINE)
            if not end and len(self._held) >= LINE:
                parts.append(self._stretch())
                continue
            if not end and not last:
                break
            end = self._whole_keys(end or len(self._held), last=last)
            if not end:
                break
            parts.append(self._take(end))
        self._ends = _line_end(self._held, len(self._held)) > 0
        return b"".join(parts)

    def _take(self, end: int) -> bytes:
        data = bytes(self._held[:end])
        del self._held[:end]
        return self._redactor.cut(data, self._redactor.spans(data), self._cuts)

    def _stretch(self) -> bytes:
        """Release the first part of a line that is too long to be held, up to where no secret may yet go on."""
        data = bytes(self._held[:LINE])
        end = LINE - 2 * LONGEST
        spans = [span for span in self._redactor.spans(data) if span[0] < end]
        end = max(end, spans[-1][1] if spans else 0)
        del self._held[:end]
        return self._redactor.cut(data[:end], spans, self._cuts)

    def _whole_keys(self, end: int, *, last: bool) -> int:
        """Return how far to go instead of to `end`, where a private key begins before and ends after that."""
        begun = _unended(bytes(self._held[:end]))
        if begun is None:
            return end
        reach = begun + LONGEST
        if found := _END.search(self._held, begun, reach):
            return max(end, found.end())
        if len(self._held) >= reach:
            return max(end, begun + _line_end(self._held[begun:reach], LONGEST) or reach)
        if last:
            return len(self._held)
        # From the beginning of the line that it begins in: what stands before it there is looked at together with it.
        start = _line_end(self._held, begun)
        while len(self._held) < MOST_HELD and (earlier := _unended(bytes(self._held[:start]))) is not None:
            start = _line_end(self._held, earlier)
        return start if len(self._held) < MOST_HELD else begun


def _line_end(data: bytearray, within: int) -> int:
    """Return where the last line ends that ends among the first bytes; 0 where none does."""
    return max(data.rfind(b"\n", 0, within), data.rfind(b"\r", 0, within)) + 1


def _unended(data: bytes) -> int | None:
    """Return where the last private key begins that does not end in the data."""
    at = data.rfind(b"-----BEGIN")
    found = _BEGIN.match(data, at) if at >= 0 else None
    return at if found and not _END.search(data, found.end()) else None


def _private_keys(data: bytes) -> list[Span]:
    """Find private keys, whole; of one that does not end in reach, what looks like its lines."""
    spans: list[Span] = []
    begun = _BEGIN.search(data)
    while begun is not None:
        reach = begun.start() + LONGEST
        end = _END.search(data, begun.end(), reach)
        if end is not None:
            spans.append((begun.start(), end.end(), "private-key"))
            resume = end.end()
        else:
            spans += [(*body.span(), "private-key") for body in _BODY.finditer(data, begun.end(), reach)]
            resume = reach
        begun = _BEGIN.search(data, resume)
    return spans


def _known_spans(data: bytes, known: str) -> list[Span]:
    spans = []
    for form in {known, quote(known, safe="")}:
        secret = form.encode(errors="surrogateescape")
        at = data.find(secret) if len(secret) >= SHORTEST else -1
        while at >= 0:
            spans.append((at, at + len(secret), "known-secret"))
            at = data.find(secret, at + len(secret))
    return spans


def _merged(spans: list[Span]) -> list[Span]:
    """Return spans in order, those that overlap made one."""
    merged: list[Span] = []
    for start, end, name in sorted(spans, key=lambda span: (span[0], -span[1])):
        if merged and start < merged[-1][1]:
            first, before, called = merged[-1]
            merged[-1] = (first, max(before, end), called)
        else:
            merged.append((start, end, name))
    return merged


def _tools(words: Sequence[str]) -> str:
    """Return the program among some words that takes a password after a short flag; empty without one."""
    line = " ".join(word.rsplit("/", 1)[-1] for word in words)
    return next((tool.decode() for tool in FLAG_TOOLS if tool.decode() in line), "")


def _flagged(line: bytes, word: str) -> bool:
    """Return whether some program's flag makes a secret of the last word of a line."""
    length = len(word.encode(errors="surrogateescape"))
    for tool, pattern in FLAG_TOOLS.items():
        found = pattern.search(line) if line.startswith(tool) else None
        if found and found.end("secret") == len(line) and found.start("secret") == len(line) - length:
            return True
    return False
