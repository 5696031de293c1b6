"""What is known of each record of a piece of a log, beside its bytes and never as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # 70 ms to import: a stream's lines are read without it
    import numpy as np
    from numpy.typing import NDArray

UNDATED = -1
"""The time of a record that tells none."""


class Columns(NamedTuple):
    """The records of a piece of a log, a row each.

    Attributes:
        starts: uint32, shape (n,): where each record begins, in bytes from the piece's start, rising. A record
            reaches to the next one's start, the last to the piece's end. The first may begin after 0: what lies
            before it are lines that belong to the record before the piece.
        times: int64, shape (n,): nanoseconds since the epoch, UTC; `UNDATED` where the record tells none.
        levels: uint8, shape (n,): OpenTelemetry SeverityNumber, 0 for none.
        lines: Lines in the piece, a last one without a line feed included.
    """

    starts: NDArray[np.uint32]
    times: NDArray[np.int64]
    levels: NDArray[np.uint8]
    lines: int

    def __len__(self) -> int:
        return len(self.starts)
