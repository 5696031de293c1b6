"""What came of a verification: the first thing that is wrong, what was pruned, and who vouches for what."""

from __future__ import annotations

from msgspec import Struct


class Bad(Struct, frozen=True, kw_only=True):
    """The first thing that is wrong.

    Attributes:
        table: Where; empty where it is about the file as a whole.
        id: Which row, as people name it.
        position: Which place of the chain.
        what: `edited`, `deleted`, `inserted`, `reordered`, `truncated`, `rebuilt`, `dropped` or `forged`.
        detail: What exactly, in a sentence.
    """

    table: str
    id: str
    position: int
    what: str
    detail: str


class Pruned(Struct, frozen=True, kw_only=True):
    """What a tombstone says is not protected, or not there any more."""

    position: int
    kind: str
    at_ns: int
    reason: str
    counts: dict[str, int]
    signed_by: str | None


class Report(Struct, frozen=True, kw_only=True):
    """What came of a verification.

    Attributes:
        sound: Whether every record is as it was written, as far as that can be told.
        records: How many there are.
        position: Where the chain ends.
        hash: The hash there.
        bad: The first thing that is wrong.
        tombstones: What was pruned, and what predates the chain.
        signed_until: The position up to which the newest good signature vouches; None without one.
        signed_by: Whose that is.
        warnings: What is unwise, or could not be checked.
    """

    sound: bool
    records: int
    position: int
    hash: str
    bad: Bad | None
    tombstones: tuple[Pruned, ...]
    signed_until: int | None
    signed_by: str | None
    warnings: tuple[str, ...]
