"""How a module of the cockpit's own is run as a process: by this interpreter, with little of the environment."""

from __future__ import annotations

import os
import sys

PASSED_ON = ("TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Variables that each gets: times without a zone are local."""


def argv_of(module: str, *words: str) -> tuple[str, ...]:
    """Return what runs a module, found where this program finds it and not in the working directory."""
    return (sys.executable, "-P", "-X", "utf8", "-m", module, *words)


def env_of(*more: str) -> dict[str, str]:
    """Return the environment of such a process.

    Args:
        more: Variables that it gets besides.
    """
    env = {name: os.environ[name] for name in (*PASSED_ON, *more) if name in os.environ}
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    env["OPENBLAS_NUM_THREADS"] = "1"  # numpy's threads take 70 ms to start and have nothing to do
    return env
