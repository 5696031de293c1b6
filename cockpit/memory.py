"""What becomes of memory that was freed.

glibc gives larger blocks back to the system as soon as they are freed, and asks for them again a millisecond later.
The system clears each page then, which takes a fifth of the time in which logs are read. glibc learns to keep what
is freed from the largest block that it has given back: mallopt(3), M_MMAP_THRESHOLD. Other C libraries don't mind.
"""

from __future__ import annotations

KEPT = 31 << 20
"""Bytes of the block: glibc learns nothing from one of 32 MiB or more, and keeps twice as many as this."""


def keep_freed() -> None:
    """Have freed memory kept in this process, for what works through much data piece by piece."""
    import numpy as np

    np.empty(KEPT, np.uint8)  # nothing is written to it, so it takes none
