"""SQL over the log files that are open: a line for the statement, and the rows it finds."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import Worker

from cockpit.errors import CockpitError
from cockpit.stores.logs.mining_apart import ROWS, Answer, ask_sql
from widgets.messages import TextCopied
from widgets.rows import Piece, RowList, columns, widest
from widgets.text import safe

WIDEST = 40
"""Cells of a column at most, but for the last."""

Row = tuple[int, Sequence[str]]
"""A row's place in the answer, and its cells."""


class SqlScreen(ModalScreen[None]):
    """Asks log files in SQL and shows the rows."""

    DEFAULT_CSS = """
    SqlScreen {
        align: center middle;
        & > Vertical { width: 96%; height: 90%; border: heavy $border; background: $surface; padding: 0 1; }
        & Input { height: 1; border: none; padding: 0; background: $boost; }
        & Static { height: auto; max-height: 6; color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("y", "copy('csv')", show=False),
        Binding("Y", "copy('json')", show=False),
        Binding("slash,semicolon", "write", show=False),
    ]

    def __init__(self, paths: Sequence[str], *, zone: str = "") -> None:
        super().__init__()
        self._paths = tuple(paths)
        self._zone = zone
        self.answer = Answer([], [])
        self._asking: Worker[None] | None = None
        self._widths: list[int] = []
        self.rows: RowList[Row] = RowList(
            self._draw, key=lambda row: row[0], header=self._header, empty="no rows"
        )

    def compose(self) -> ComposeResult:
        """Lay the line over the rows."""
        with Vertical() as frame:
            frame.border_title = Content("SQL over the logs")
            frame.border_subtitle = Content(
                "Enter asks · y copies CSV, Y JSON · / writes · Esc stops, then leaves"
            )
            yield Input(
                placeholder="select level, count(*) from logs group by level order by 2 desc",
                compact=True,
                id="sql-line",
            )
            yield self.rows
            yield Static(id="sql-status")

    def on_mount(self) -> None:
        """Begin to write."""
        self.query_one(Input).focus()

    @property
    def asking(self) -> bool:
        """True while a statement runs."""
        return self._asking is not None and self._asking.is_running

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._say("asking… Esc stops")
            self._asking = self._ask(event.value)

    @work(exclusive=True, exit_on_error=False)
    async def _ask(self, statement: str) -> None:
        def counted(count: int) -> None:
            self._say(f"{count:,} rows so far… Esc stops")

        try:
            self.answer = await ask_sql(statement, self._paths, counted, zone=self._zone)
        except CockpitError as error:
            self._say(f"✖ {error}")
            return
        answer = self.answer
        self._widths = [
            widest((name, *(_line(row[place]) for row in answer.rows[:100] if place < len(row))), 3, WIDEST)
            for place, name in enumerate(answer.columns)
        ]
        self.rows.show_items(list(enumerate(answer.rows)))
        more = f", the first {ROWS:,} are here" if answer.count > len(answer.rows) else ""
        notes = f" · {answer.notes}" if answer.notes else ""
        self._say(f"{answer.count:,} rows{more}{notes}")
        self.rows.focus()

    def _say(self, text: str) -> None:
        self.query_one("#sql-status", Static).update(
            Content("\n".join(safe(line, 300) for line in text.split("\n")[:6]))
        )

    def action_write(self) -> None:
        """Go back to the statement."""
        self.query_one(Input).focus()

    def action_back(self) -> None:
        """Stop the statement, else leave."""
        if self._asking is not None and self.asking:
            self._asking.cancel()
            self._say("stopped")
        elif self.is_current:
            self.dismiss(None)

    def action_copy(self, form: str) -> None:
        """Copy the rows that are here."""
        answer = self.answer
        if not answer.columns:
            return
        text = as_csv(answer) if form == "csv" else as_json(answer)
        self.post_message(TextCopied(text, f"{len(answer.rows):,} rows as {form.upper()}"))

    def _header(self, width: int) -> Sequence[Piece]:
        return self._cells(self.answer.columns, width)

    def _draw(self, row: Row, width: int) -> Sequence[Piece]:
        return self._cells(row[1], width)

    def _cells(self, cells: Sequence[str], width: int) -> Sequence[Piece]:
        wanted: list[tuple[str, str, int]] = []
        used = 0
        for place, cell in enumerate(cells[: len(self._widths)]):
            cells_wide = self._widths[place]
            last = place == len(self._widths) - 1 or used + cells_wide + 1 > width
            wanted.append((safe(_line(cell), 400), "", 0 if last else cells_wide))
            used += cells_wide + 1
            if last:
                break
        return columns(width, *wanted) if wanted else [("", "")]


def _line(cell: str) -> str:
    return " ".join(cell.split("\n"))


def as_csv(answer: Answer) -> str:
    """Return an answer's rows as CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(answer.columns)
    writer.writerows(answer.rows)
    return text.getvalue()


def as_json(answer: Answer) -> str:
    """Return an answer's rows as a JSON list of objects, whose values are text."""
    rows = [dict(zip(answer.columns, row, strict=False)) for row in answer.rows]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode()
