"""Textual's driver, for a terminal that may go away at any moment.

A hang-up comes with SIGCONT as well. Textual answers that by starting a second writer beside the first; that one ends
at its first error, and then the whole program waits for a thread that is gone, with a command still running.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import selectors
from typing import IO, Any

from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from cockpit.hangup import is_gone
from widgets.legacy_keys import legible

READ = 4096
"""Bytes that are read of what was typed at once."""
GONE = frozenset({errno.EIO, errno.ENXIO, errno.EPIPE})
"""What writing to a terminal that is gone says."""


class Output:
    """A terminal's output that goes on taking what is written once nobody is there to see it."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file.fileno()

    def write(self, text: str) -> None:
        """Write to the terminal, if there is one."""
        try:
            self._file.write(text)
        except OSError as error:
            self._let_go(error)

    def flush(self) -> None:
        """Have the terminal get all that was written, if there is one."""
        try:
            self._file.flush()
        except OSError as error:
            self._let_go(error)

    def _let_go(self, error: OSError) -> None:
        """Put the null device in the terminal's place."""
        if error.errno not in GONE:
            raise error
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.dup2(nowhere, self.fileno())
        finally:
            os.close(nowhere)


class TerminalDriver(LinuxDriver):
    """Draws on a terminal and hears its keys, as Textual does, until the terminal is gone."""

    def __init__(self, app: App[Any], **how: Any) -> None:
        super().__init__(app, **how)
        self._file: Any = Output(self._file)

    def run_input_thread(self) -> None:
        """Hear keys, as Textual does; for a terminal pane those with alt are made legible to it first."""
        from textual._parser import ParseError

        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            over = False
            while not over:
                over = self.exit_event.is_set()  # what was typed until then is still heard
                for _ in selector.select(0.1):
                    data = decode(os.read(self.fileno, READ))
                    if getattr(self._app, "in_terminal", False):
                        data = legible(data)
                    for event in parser.feed(data) if data else ():
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        with contextlib.suppress(EOFError, ParseError):
            for _ in parser.feed(""):
                pass

    def _sigcont_application(self, *_: object) -> None:
        """Take the terminal back, between two messages: here a lock may be held that writing needs."""
        if self._auto_restart:
            self._loop.call_soon_threadsafe(self._come_back)

    def _come_back(self) -> None:
        if is_gone(self.fileno):
            return
        if self._writer_thread is not None and self._writer_thread.is_alive():
            self.suspend_application_mode()
        self.resume_application_mode()
        self._app.refresh(layout=True)
