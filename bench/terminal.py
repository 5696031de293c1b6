"""A terminal that a program is run in and measured at: a real PTY, driven by bytes, timed at the reader's end.

It understands as much of a terminal's language as Textual writes: where the cursor goes, colours, text. It answers
the questions that programs ask a terminal, as a modern one would, so that they take the way they take at a real one.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

READ = 1 << 16
RUNS = 20_000
"""Runs of text that are remembered: a slow reader would be measured along with what it reads."""
SEQUENCE = re.compile(
    rb"\x1b\[([0-9;:?<=>]*)[ -/]*([@-~])"  # control sequences
    rb"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"  # strings: titles, queries of the kitty protocol
    rb"|\x1b[()][0-9A-B]|\x1b[ -/]*(?![\[\]PX^_])[0-~]",
    re.DOTALL,
)
ANSWERS = {
    b"\x1b[c": b"\x1b[?62;4c",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
}
"""What programs ask, and what a terminal with synchronized output says."""


class Gone(Exception):
    """The program ended, or did not do in time what was waited for."""


class Terminal:
    """A program in a PTY of a fixed size.

    Attributes:
        started: `time.perf_counter` just before the program was started.
        cells: How many cells it has drawn, blanks too.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 200,
        rows: int = 50,
        env: Mapping[str, str] | None = None,
        on_run: Callable[[int, str, str], None] | None = None,
    ) -> None:
        """Start the program.

        Args:
            argv: What to run.
            columns: Width in cells.
            rows: Height in cells.
            env: Variables added to, or put over, this process's own.
            on_run: Called with (row, the SGR parameters in force, text) for every run of text drawn.
        """
        self.columns, self.rows = columns, rows
        self.on_run = on_run
        self._texts: deque[str] = deque(maxlen=RUNS)
        self.cells = 0
        self.bytes = 0
        self._row = 0
        self._sgr = ""
        self._rest = b""
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._fd, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        whole = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            whole.pop(name, None)
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            argv, stdin=child, stdout=child, stderr=child, env=whole, start_new_session=True, close_fds=True
        )
        os.close(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def text(self) -> str:
        """What it wrote last, control sequences left out; positions are not kept."""
        return "".join(self._texts)

    def forget(self) -> None:
        """Let go of the text so far."""
        self._texts.clear()

    def send(self, data: bytes) -> float:
        """Press keys, and return when."""
        at = time.perf_counter()
        os.write(self._fd, data)
        return at

    def read(self, timeout: float) -> float | None:
        """Take in what the program wrote, and return when it was there; None where nothing came in time.

        Raises:
            Gone: The program ended.
        """
        ready, _, _ = select.select([self._fd], [], [], max(0.0, timeout))
        if not ready:
            return None
        try:
            data = os.read(self._fd, READ)
        except OSError:
            data = b""
        at = time.perf_counter()
        if not data:
            raise Gone(f"the program ended; it last said: {self.text[-400:]!r}")
        self.bytes += len(data)
        self._feed(data)
        return at

    def wait(self, done: Callable[[], bool], timeout: float, what: str) -> float:
        """Read until something is so, and return the moment at which it became so.

        Raises:
            Gone: It did not become so in time, or the program ended.
        """
        until = time.perf_counter() + timeout
        while True:
            at = self.read(until - time.perf_counter())
            if at is not None and done():
                return at
            if time.perf_counter() > until:
                raise Gone(f"no {what} within {timeout:g} s")

    def run(self, seconds: float) -> None:
        """Let the program live, reading what it writes."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.read(left)

    def close(self) -> None:
        """End the program and all that it started."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                os.killpg(self.process.pid, how)
                self._drain(2.0)
        os.close(self._fd)

    def _drain(self, within: float) -> None:
        """Read on, so that a program which still writes can end."""
        until = time.perf_counter() + within
        while self.process.poll() is None and time.perf_counter() < until:
            try:
                self.read(0.05)
            except Gone:
                self.process.wait(timeout=2)

    def _feed(self, data: bytes) -> None:
        data = self._rest + data
        cut = data.rfind(b"\x1b", -64)
        if cut >= 0 and not SEQUENCE.match(data, cut):
            data, self._rest = data[:cut], data[cut:]
        else:
            self._rest = b""
        at = 0
        for found in SEQUENCE.finditer(data):
            self._draw(data[at : found.start()])
            at = found.end()
            self._obey(found)
        self._draw(data[at:])

    def _obey(self, found: re.Match[bytes]) -> None:
        if (answer := ANSWERS.get(found[0])) is not None:
            os.write(self._fd, answer)
        elif found[2] == b"m":
            self._sgr = found[1].decode()
        elif found[2] == b"H":
            self._row = int(found[1].split(b";")[0] or 1) - 1

    def _draw(self, data: bytes) -> None:
        if not data:
            return
        for number, part in enumerate(self._decode(data).split("\n")):
            if number:
                self._row += 1
                self._texts.append("\n")
            if part := part.strip("\r"):
                self.cells += len(part)
                self._texts.append(part)
                if self.on_run is not None:
                    self.on_run(self._row, self._sgr, part)
