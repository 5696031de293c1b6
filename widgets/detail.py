"""The detail of one row, shown in its pane in place of the rows, so that the other panes stay in sight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from widgets.text import safe

Field = tuple[str, str]
"""A name and its text, which may have several lines."""

LONGEST = 8_000
"""Characters shown of one field."""


class Detail(Vertical):
    """Everything known of one row, under whatever `extra` puts on top, such as a plot."""

    DEFAULT_CSS = """
    Detail {
        height: 1fr;
        & > .detail--heading { height: 1; width: 1fr; background: $boost; text-style: bold; padding: 0 1; }
        & > VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; padding: 0 1; }
        & .detail--fields { height: auto; }
    }
    """

    def __init__(self, heading: str, sections: Mapping[str, Sequence[Field]], *, copied: str = "") -> None:
        """Make the screen.

        Args:
            heading: What it is about.
            sections: Fields by section title; an empty title has none.
            copied: What `y` copies; by default all fields as text.
        """
        super().__init__()
        self.heading = heading
        self.sections = sections
        self.copied = copied

    def compose(self) -> ComposeResult:
        """Lay heading, extras and fields under one another."""
        yield Static(Content(safe(self.heading, 200)), classes="detail--heading")
        yield from self.extra()
        with VerticalScroll(can_focus=True):
            yield Static(self.text(), classes="detail--fields")

    def show(self, sections: Mapping[str, Sequence[Field]]) -> None:
        """Show other fields."""
        self.sections = sections
        self.query_one(".detail--fields", Static).update(self.text())

    def extra(self) -> Iterable[Widget]:
        """Yield what stands above the fields, such as a plot."""
        return ()

    def text(self) -> Content:
        """Return the fields, names aligned."""
        parts: list[Content | str | tuple[str, str]] = []
        names = [name for fields in self.sections.values() for name, _ in fields]
        width = min(28, max((len(name) for name in names), default=0))
        for title, fields in self.sections.items():
            if not fields:
                continue
            if title:
                parts.append((f"\n{safe(title)}\n", "bold $text-accent"))
            for name, value in fields:
                parts.append((f"{safe(name):>{width}}  ", "$text-muted"))
                lines = [safe(line, LONGEST) for line in value[:LONGEST].split("\n")]
                parts.append(Content(("\n" + " " * (width + 2)).join(lines) + "\n"))
        return Content.assemble(*parts)

    def as_text(self) -> str:
        """Return what `y` copies."""
        if self.copied:
            return self.copied
        return "\n".join(f"{name}: {value}" for fields in self.sections.values() for name, value in fields)
