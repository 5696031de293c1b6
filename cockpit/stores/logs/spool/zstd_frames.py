"""Whether zstd's frames are whole (RFC 8878, section 3.1): its library does not say where they were cut off."""

from __future__ import annotations

from collections.abc import Callable

SKIPPABLE = range(0x184D2A50, 0x184D2A60)
"""What frames that hold none of the data begin with."""
_DICTIONARY = (0, 1, 2, 4)
_CONTENT = (0, 2, 4, 8)
"""Bytes of the fields of a frame's header, by the flags that stand for them."""
_CHECKSUM = 4
_REPEATED = 1
"""The kind of a block that is one byte repeated."""


class FrameEnds:
    """Follows frames from the first byte on, without decompressing them."""

    def __init__(self) -> None:
        self._head = b""
        """What is there of the field that is read."""
        self._skipped = 0
        """Bytes until that field."""
        self._checksum = 0
        self._await(4, self._begun)

    @property
    def whole(self) -> bool:
        """Whether what was taken in ends where a frame ends; so it is of nothing at all."""
        return self._then == self._begun and not self._head and not self._skipped

    def take(self, data: bytes) -> None:
        """Take bytes in; those that are no frame are left to whoever decompresses them."""
        place = 0
        while place < len(data):
            if self._skipped:
                passed = min(self._skipped, len(data) - place)
                self._skipped -= passed
                place += passed
                continue
            part = data[place : place + self._wanted - len(self._head)]
            self._head += part
            place += len(part)
            if len(self._head) == self._wanted:
                head, self._head = self._head, b""
                self._then(head)

    def _await(self, size: int, then: Callable[[bytes], None]) -> None:
        self._wanted, self._then = size, then

    def _begun(self, head: bytes) -> None:
        if int.from_bytes(head, "little") in SKIPPABLE:
            self._await(4, self._skippable)
        else:
            self._await(1, self._described)

    def _skippable(self, head: bytes) -> None:
        self._skipped = int.from_bytes(head, "little")
        self._await(4, self._begun)

    def _described(self, head: bytes) -> None:
        flags = head[0]
        single = flags >> 5 & 1
        self._checksum = _CHECKSUM if flags & 4 else 0
        content = _CONTENT[flags >> 6] or single
        self._skipped = (not single) + _DICTIONARY[flags & 3] + content
        self._await(3, self._block)

    def _block(self, head: bytes) -> None:
        told = int.from_bytes(head, "little")
        self._skipped = 1 if told >> 1 & 3 == _REPEATED else told >> 3
        if told & 1:  # the last one
            self._skipped += self._checksum
            self._await(4, self._begun)
