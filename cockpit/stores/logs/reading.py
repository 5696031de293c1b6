"""What the logs pane reads, whether records stream in or lie in files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from cockpit.errors import UsageError
from cockpit.formats.declaration import Declaration
from cockpit.signals import LogRecord
from cockpit.stores.logs.criteria import Criteria
from cockpit.stores.logs.store import Placing


class StillReading(UsageError):
    """Something is not known of a record before it was read.

    Attributes:
        number: The record's.
    """

    def __init__(self, number: int) -> None:
        super().__init__("the line is still being read", remedy="try again in a moment")
        self.number = number


class Counted(Protocol):
    """How many records of each level came when."""

    totals: list[int]
    """By band: 0 for no level, then trace to fatal."""

    def columns(self, start: int, end: int, width: int) -> list[Sequence[int]]:
        """Return counts by band for so many columns from one time to another, in nanoseconds."""


class Records(Protocol):
    """Log records in the order of their times, each with a number that it keeps but for what `moved_since` says."""

    version: int

    @property
    def files(self) -> Sequence[str]:
        """The paths of the files that they lie in; empty where they are streamed."""

    @property
    def names(self) -> Sequence[str]:
        """What the files are called that they lie in; empty where they are streamed."""

    @property
    def declared(self) -> Sequence[Declaration]:
        """The formats that the operator declared for the files."""

    @property
    def zone(self) -> str:
        """The zone of times in the files that tell none; empty for this machine's."""

    @property
    def first(self) -> int:
        """The number of the oldest record."""

    @property
    def end(self) -> int:
        """The number that the next record will get."""

    @property
    def histogram(self) -> Counted:
        """Counts by second and level of all of them."""

    @property
    def spanned(self) -> tuple[int, int] | None:
        """The times of the oldest and the newest, in nanoseconds, where they are not about now; else None."""

    @property
    def about(self) -> Sequence[str]:
        """What there is to say of them in a title, such as their formats and how far they are read."""

    @property
    def notes(self) -> Sequence[str]:
        """What is wrong with them."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> LogRecord: ...

    def ready(self, numbers: Iterable[int]) -> bool:
        """Tell whether records can be drawn now; those that can't are asked for, and `version` moves once they can.

        Until then a stand-in is given for each that was not read.
        """

    def expect(self, numbers: Iterable[int]) -> None:
        """Say which records may be drawn next."""

    def loaded(self, number: int) -> bool:
        """Tell whether all can be told of a record and its neighbours; until then times are about, links refused."""

    async def wait(self, number: int) -> None:
        """Wait until all can be told of a record.

        Raises:
            UsageError: The disk does not answer.
        """

    def records(self, start: int, stop: int) -> list[LogRecord]:
        """Return the records from one number up to another, as far as there are any."""

    def times(self, start: int, stop: int) -> list[int]:
        """Return the times, in nanoseconds, by which those are placed."""

    def number_at(self, moment: int) -> int:
        """Return the number of the first record after a moment."""

    def number_from(self, moment: int) -> int:
        """Return the number of the first record at or after a moment."""

    def placing(self, number: int) -> Placing:
        """Tell how a record's place agrees with its own time."""

    def moved_since(self, version: int) -> int | None:
        """Return the lowest number from which records have moved since a version; None where none have."""

    def locate(self, record: LogRecord) -> int | None:
        """Return the number that a record has now; None where it is gone."""

    def place(self, number: int) -> tuple[int, int] | None:
        """Return the log and the offset at which a record lies, whatever its number becomes; None where streamed.

        Raises:
            StillReading: It was not read yet.
        """

    def number_of(self, log: int, offset: int) -> int | None:
        """Return the number of the record that holds a place of a log; None where none is known to."""

    def link(self, number: int) -> str:
        """Return a link by which a record is found again.

        Raises:
            StillReading: It was not read yet.
            UsageError: It can't be read any more.
        """

    async def follow(self, link: str, waiting: Callable[[str], None]) -> int:
        """Return the number of the record that a link speaks of.

        Args:
            link: As `link` makes it.
            waiting: Told what is waited for.

        Raises:
            UsageError: It is no link, or the record is gone.
        """

    def last(self, count: int) -> list[LogRecord]:
        """Return the newest records, oldest first."""

    def view(self) -> View:
        """Return a view of all of them, which can be narrowed."""


class View(Protocol):
    """The records that some criteria and a span of time admit, addressed by rank or by number."""

    criteria: Criteria

    @property
    def store(self) -> Records:
        """What it looks at."""

    @property
    def complete(self) -> bool:
        """True where nothing is left to look at."""

    @property
    def searched(self) -> int:
        """How many records were looked at."""

    @property
    def histogram(self) -> Counted:
        """Counts of what is admitted."""

    @property
    def hits(self) -> list[int]:
        """How many records each of the named filters hits, as far as they were looked at."""

    def packed(self) -> bytes:
        """Return what it looks for as a process apart takes it; empty for all."""

    def __len__(self) -> int: ...

    def look(self, criteria: Criteria, *, start: int | None = None, end: int | None = None) -> bool:
        """Choose what to see; True where a search began anew."""

    def advance(self, budget: float = 0.004) -> bool:
        """Search on for so many seconds; True where it need not be asked again."""

    def number(self, rank: int) -> int:
        """Return the number of the record of that rank, from 0."""

    def rank(self, number: int) -> int:
        """Return the rank of the first record at or after a number; the length where there is none."""
