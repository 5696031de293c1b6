"""The `cockpit` command on a terminal of its own, where it asks."""

from __future__ import annotations

import os
import pty
import select
import time
from pathlib import Path

from tests.helpers.cockpit_cli import COCKPIT, environment


class Terminal:
    """The real `cockpit run`, whose questions a test answers as a person would.

    Args:
        ssh_config: Has the host.
        data_dir: Where its action log goes.
        words: What runs there.
        host: The target.

    Attributes:
        shown: What is on the terminal by now.
    """

    def __init__(self, ssh_config: Path, data_dir: Path, *words: str, host: str = "web-1") -> None:
        config = data_dir.parent / "cockpit.toml"
        config.write_text(f'[ssh]\nconfig = "{ssh_config}"\n')
        variables = environment(data_dir)
        argv = [*COCKPIT, "run", "--config", str(config), "--target", host, "--", *words]
        self.pid, self._terminal = pty.fork()
        if not self.pid:
            os.execve(argv[0], argv, variables)
        self.shown = ""

    def until(self, text: str, seconds: float = 20) -> None:
        """Wait for a text to be shown."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            if not select.select([self._terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no {text!r} in {self.shown!r}")
            try:
                self.shown += os.read(self._terminal, 4096).decode()
            except OSError:
                raise AssertionError(f"ended without {text!r}: {self.shown!r}") from None

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._terminal, f"{line}\n".encode())

    def ended(self) -> int:
        """Wait for its end; return its exit status."""
        while True:
            try:
                piece = os.read(self._terminal, 4096)
            except OSError:
                piece = b""
            if not piece:
                os.close(self._terminal)
                return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            self.shown += piece.decode()
