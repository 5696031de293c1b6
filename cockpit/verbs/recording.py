"""The action log for the length of a verb."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cockpit.actionlog.log import ActionLog
    from cockpit.config import Settings


@contextlib.contextmanager
def recorded(data: Path, settings: Settings) -> Iterator[ActionLog]:
    """Hold the log of a data directory open for the length of a block, which is a session.

    Raises:
        ActionLogError: It can't be opened, or the session's end can't be recorded and nothing else went wrong.
    """
    from cockpit.actionlog.opening import opened
    from cockpit.errors import ActionLogError

    log = opened(data, settings)
    try:
        yield log
    except BaseException:
        # What went wrong first says more than that the session's end could not be recorded either.
        with contextlib.suppress(ActionLogError):
            log.close()
        raise
    log.close()
