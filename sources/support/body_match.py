"""Looks for a pattern in a body that a stranger wrote, in bounded time.

A regular expression can take for ever over a text made for it, and holds the whole process while it does, the screen
included. So it runs in a process of its own, which is killed when its time is up; pattern and body go in by its
standard input. That costs about 20 ms a look, and only where a check has a pattern.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys

import msgspec

from cockpit.errors import BadAnswer, CommandError
from cockpit.process import spawn, stop

PATTERN_TIME = 2.0
"""Seconds that a pattern may take, the start of its process included."""

_PROGRAM = """
import json, re, sys
asked = json.load(sys.stdin)
print("found" if re.search(asked["pattern"], asked["body"], re.MULTILINE) else "none")
"""


def checked_pattern(text: str) -> str:
    """Return a pattern that is one.

    Raises:
        ValueError: It is no regular expression.
    """
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


async def found_in(pattern: str, body: str, *, timeout: float = PATTERN_TIME) -> bool:
    """Tell whether a pattern is somewhere in a text; `^` and `$` fit at each line.

    Raises:
        BadAnswer: It took too long.
        CommandError: No process could be started for it.
    """
    process = await spawn([sys.executable, "-I", "-S", "-X", "utf8", "-c", _PROGRAM], stdin=True, env={})
    try:
        async with asyncio.timeout(timeout):
            said, _ = await process.communicate(msgspec.json.encode({"pattern": pattern, "body": body}))
    except TimeoutError:
        raise BadAnswer(
            f"`matches` took more than {timeout:g} s over the body", remedy="write it with fewer repeats"
        ) from None
    finally:
        stop(process, signal.SIGKILL)
        await process.wait()
    if said.strip() not in {b"found", b"none"}:
        raise CommandError(f"the search for a pattern ended with status {process.returncode}")
    return said.strip() == b"found"
