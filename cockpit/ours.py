"""How a module of the cockpit's own is run as a process: by this interpreter, with little of the environment.

The first two are for who starts it, the last is what its `main` does.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import BinaryIO, NoReturn

from cockpit.yielding import give_way

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


def served(serve: Callable[[BinaryIO, BinaryIO], None], *, nice: int) -> NoReturn:
    """Serve on the standard streams until nobody asks or listens any more, and leave.

    Args:
        serve: Reads from the one and writes to the other.
        nice: By how much it gives way to the screen.
    """
    give_way(nice)
    gc.freeze()
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        pass  # nobody listens any more
    os._exit(0)
