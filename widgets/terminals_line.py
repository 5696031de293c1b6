"""The line above a terminal: the tabs, then where one is, how careful to be there, and what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.strip import Strip

from cockpit.targets import Environment
from widgets.parts import Parts
from widgets.text import fit, safe

NAME = 24
"""Cells of a target's name on a tab."""


class Tab(Struct, frozen=True):
    """What a tab says.

    Attributes:
        name: The target's name.
        environment: The target's environment.
        current: Whether it is looked at.
        mark: A bell that rang, output that came unseen, an end; empty for none.
    """

    name: str
    environment: Environment
    current: bool
    mark: str = ""


class TerminalsLine(Parts):
    """Tabs on the left, the current terminal's state on the right.

    Args:
        chosen: Called with a tab's number when it is clicked.
    """

    DEFAULT_CSS = """
    TerminalsLine {
        height: 1; background: $panel; color: $text-muted;
        & > .tab--current { background: $boost; color: $text; text-style: bold; }
        & > .tab--mark { color: $text-warning; text-style: bold; }
        & > .tab--production { background: $error; color: $background; text-style: bold; }
        & > .tab--disaster-recovery { background: $error; color: $background; text-style: bold; }
        & > .tab--staging { background: $warning; color: $background; text-style: bold; }
        & > .tab--development { background: $success; color: $background; text-style: bold; }
        & > .tab--warning { color: $text-warning; text-style: bold; }
        & > .tab--title { color: $text; }
    }
    """

    def __init__(self, chosen: Callable[[int], None]) -> None:
        super().__init__()
        self._chosen = chosen
        self._spots: list[tuple[int, int]] = []
        self.tabs: Sequence[Tab] = ()
        self.title = ""
        """What the program calls its window."""
        self.state: Sequence[tuple[str, str]] = ()
        """(part, text) of what is said about the current one."""

    def show(self, tabs: Sequence[Tab], title: str, state: Sequence[tuple[str, str]]) -> None:
        """Say something else, if it is something else."""
        if (tabs, title, state) != (self.tabs, self.title, self.state):
            self.tabs, self.title, self.state = tabs, title, state
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line: the title yields first, then tabs that don't fit."""
        width, base = self.size.width, self.rich_style
        right = [
            Segment(f" {safe(text, 200)} ", self.get_component_rich_style(f"tab--{part}") if part else base)
            for part, text in self.state
        ]
        room = max(0, width - sum(cell_len(segment.text) for segment in right))
        left: list[Segment] = []
        used = 0
        self._spots = []
        for number, tab in enumerate(self.tabs):
            style = self.get_component_rich_style("tab--current") if tab.current else base
            name = f" {number + 1} {fit(safe(tab.name), min(NAME, cell_len(safe(tab.name))))}"
            mark = f" {tab.mark} " if tab.mark else " "
            if used + cell_len(name + mark) > room:
                break
            marked = style + self.get_component_rich_style("tab--mark") if tab.mark else style
            left += [Segment(name, style), Segment(mark, marked)]
            self._spots.append((used, used + cell_len(name + mark)))
            used += cell_len(name + mark)
        left.append(
            Segment(fit(f" {safe(self.title)}", room - used), self.get_component_rich_style("tab--title"))
        )
        return Strip([*left, *right]).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        """Go to the tab under the mouse."""
        for number, (start, end) in enumerate(self._spots):
            if start <= event.x < end:
                self._chosen(number)
