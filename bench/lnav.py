"""lnav as a peer: how long it takes to index, to filter and to count, and what memory it holds."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.loglines import Made
from bench.processes import Peak
from bench.terminal import Terminal

PATIENCE = 900.0
"""Seconds that anything may take."""
FORMAT = {
    "$schema": "https://lnav.org/schemas/format-v1.schema.json",
    "bench_log": {
        "title": "bench",
        "description": "JSON lines as bunyan writes them",
        "json": True,
        "file-type": "json",
        "hide-extra": True,
        "timestamp-field": "time",
        "level-field": "level",
        "body-field": "msg",
        "level": {"fatal": 60, "error": 50, "warning": 40, "info": 30, "debug": 20, "trace": 10},
        "value": {
            "name": {"kind": "string", "identifier": True},
            "hostname": {"kind": "string", "identifier": True},
            "pid": {"kind": "integer", "hidden": True},
            "status": {"kind": "integer", "hidden": True},
            "duration_ms": {"kind": "integer", "hidden": True},
            "level": {"kind": "integer", "hidden": True},
            "v": {"kind": "integer", "hidden": True},
            "msg": {"kind": "string"},
        },
        "line-format": [
            {"field": "time"},
            " ",
            {"field": "hostname"},
            " ",
            {"field": "name"},
            " ",
            {"field": "msg"},
        ],
    },
}
"""What its user would have to write for these JSON lines; syslog it knows."""


class Lnav:
    """lnav, with a home of its own and the format of the JSON lines."""

    def __init__(self, home: Path) -> None:
        self._program = shutil.which("lnav") or ""
        self._home = home / "lnav"
        formats = self._home / "formats" / "bench"
        formats.mkdir(parents=True)
        (formats / "bench.json").write_text(json.dumps(FORMAT))

    @property
    def there(self) -> bool:
        """Whether it is installed."""
        return bool(self._program)

    @property
    def version(self) -> str:
        """What it calls itself."""
        return self._output("-V").split("\n")[0].strip()

    @property
    def _env(self) -> Mapping[str, str]:
        return {"HOME": str(self._home), "XDG_CONFIG_HOME": str(self._home)}

    def indexed(self, log: Made, *, filtered: bool) -> tuple[float, float, float]:
        """Open a log in a terminal, wait for its last line, and filter it.

        Returns:
            Seconds until the last line is shown, which is once all is indexed; the bytes it held at most until then;
            seconds from the filter's Enter until what is hidden is counted, 0 without.

        Raises:
            Gone: It took too long.
        """
        seen = _Seen(log.last)
        argv = [self._program, "-I", str(self._home), str(log.path)]
        # A session of its own: lnav comes back to the place and the filters that it was left with.
        env = {**self._env, "XDG_CONFIG_HOME": tempfile.mkdtemp(dir=self._home)}
        with Terminal(argv, env=env, on_run=seen.see) as terminal, Peak(terminal.process.pid) as peak:
            shown = terminal.wait(lambda: seen.there, PATIENCE, "last line in lnav") - terminal.started
            most, took = peak.most(), 0.0
            if filtered:
                terminal.run(1.0)
                seen.look_for(f"{log.lines - log.filtered} Lines not shown")
                at = terminal.send(f":filter-in {'|'.join(log.patterns)}\r".encode())
                took = terminal.wait(lambda: seen.there, PATIENCE, "count of what lnav hides") - at
            return shown, most, took

    def counted(self, log: Made, field: str) -> tuple[float, int]:
        """Count by a field of JSON lines; return the seconds of the whole program, and what it counted."""
        began = time.perf_counter()
        said = self._output(
            "-n", "-q", "-I", str(self._home), "-c",
            f";select {field}, count(*) from bench_log group by {field}", "-c", ":write-csv-to -", str(log.path),
        )  # fmt: skip
        took = time.perf_counter() - began
        return took, sum(int(line.rsplit(",", 1)[1]) for line in said.splitlines()[1:])

    def _output(self, *arguments: str) -> str:
        env = {**self._env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        ended = subprocess.run(
            [self._program, *arguments], capture_output=True, text=True, env=env, timeout=PATIENCE, check=True
        )
        return ended.stdout


class _Seen:
    """Looks for a text in what is drawn."""

    def __init__(self, text: str) -> None:
        self.look_for(text)

    def look_for(self, text: str) -> None:
        """Look for another text from now on."""
        self._text, self.there = text, False

    def see(self, row: int, sgr: str, text: str) -> None:
        """Take in a run of text."""
        self.there = self.there or self._text in text
