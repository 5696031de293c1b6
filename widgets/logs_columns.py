"""The dialog that chooses which attributes of log records are columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from cockpit.signals import LogRecord
from widgets.logs_row import value_text
from widgets.rows import Piece, RowList, columns, widest
from widgets.text import safe

MOST = 500
"""Attributes offered."""


class Attribute(Struct, frozen=True):
    """What may be a column.

    Attributes:
        name: The attribute's.
        share: How many of the records that were looked at have it.
        example: What it says in one of them.
    """

    name: str
    share: int
    example: str


class ColumnChooser(ModalScreen[tuple[str, ...]]):
    """Offers attributes; dismissed with the names of those that were chosen, in the order they were.

    Args:
        records: Some records, by which is told what attributes there are.
        chosen: Those that are columns now.
    """

    DEFAULT_CSS = """
    ColumnChooser {
        align: center middle;
        & > Vertical {
            width: 80%; max-width: 100; height: 70%; max-height: 30;
            border: heavy $border; background: $surface; padding: 0 1;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("space", "switch", show=False),
    ]

    def __init__(self, records: Sequence[LogRecord], chosen: Sequence[str]) -> None:
        super().__init__()
        self.chosen = list(chosen)
        self._offered = attributes_of(records, chosen)
        self._of = len(records)
        self._name_width = widest((each.name for each in self._offered), 8, 32)
        self.rows: RowList[Attribute] = RowList(
            self._draw, key=lambda each: each.name, empty="these records have no attributes"
        )

    def compose(self) -> ComposeResult:
        """Show the list."""
        with Vertical() as frame:
            frame.border_title = Content("Columns")
            frame.border_subtitle = Content(
                "Space puts one in or out · Enter keeps them · Esc leaves it as it was"
            )
            yield self.rows

    def on_mount(self) -> None:
        """Show what there is."""
        self.rows.show_items(self._offered)
        self.rows.focus()

    def action_switch(self) -> None:
        """Put a column in, after the others, or take it out."""
        if (each := self.rows.current) is None:
            return
        if each.name in self.chosen:
            self.chosen.remove(each.name)
        else:
            self.chosen.append(each.name)
        self.rows.refresh()

    def action_cancel(self) -> None:
        """Leave the columns as they were."""
        if self.is_current:
            self.dismiss(None)

    @on(RowList.Chosen)
    def _kept(self, event: RowList.Chosen) -> None:
        event.stop()
        if self.is_current:
            self.dismiss(tuple(self.chosen))

    def _draw(self, each: Attribute, width: int) -> Sequence[Piece]:
        place = str(self.chosen.index(each.name) + 1) if each.name in self.chosen else ""
        share = f"{100 * each.share // max(1, self._of)} %"
        return columns(
            width,
            (f"[{place or ' '}]", "accent" if place else "muted", 4),
            (safe(each.name, 100), "strong" if place else "", self._name_width),
            (share, "muted", -5),
            (safe(each.example, 200), "muted", 0),
        )


def attributes_of(records: Sequence[LogRecord], chosen: Sequence[str]) -> list[Attribute]:
    """Return the attributes that records have: first those that are columns, then the most common."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for record in records:
        for said in (record.attributes, record.resource):
            for name, value in said.items():
                counts[name] += 1
                examples.setdefault(name, value_text(value))
    names = [*chosen, *(name for name, _ in counts.most_common(MOST) if name not in chosen)]
    return [Attribute(name, counts[name], examples.get(name, "")) for name in names]
