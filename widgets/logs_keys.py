"""What the keys of the logs pane do, and the one-line field for a text to highlight."""

from __future__ import annotations

from textual.widgets import Input

from cockpit.keymap import Action

ACTIONS = (
    Action("logs.follow", ("f",), "follow", "Follow the newest records, or stand still.", footer=True),
    Action(
        "logs.next_error",
        ("x",),
        "error",
        "Go to the next error below the cursor.",
        footer=True,
        call="seek_error(1)",
    ),
    Action(
        "logs.previous_error",
        ("X",),
        "error above",
        "Go to the next error above the cursor.",
        call="seek_error(-1)",
    ),
    Action(
        "logs.raise_floor",
        ("plus",),
        "less",
        "Raise the level floor: show only what is worse.",
        footer=True,
        call="shift_floor(1)",
    ),
    Action("logs.lower_floor", ("minus",), "more", "Lower the level floor.", call="shift_floor(-1)"),
    Action("logs.next_floor", ("l",), "level", "Go through the level floors, from all to fatal and round."),
    Action(
        "logs.highlight",
        ("h",),
        "highlight",
        "Highlight a text, or a /regular expression/, without hiding the other rows.",
        footer=True,
    ),
    Action(
        "logs.next_match",
        ("asterisk",),
        "match",
        "Go to the next highlighted row below the cursor.",
        call="seek_match(1)",
    ),
    Action(
        "logs.previous_match",
        ("number_sign",),
        "match above",
        "Go to the next highlighted row above the cursor.",
        call="seek_match(-1)",
    ),
    Action("logs.wrap", ("w",), "wrap", "Wrap long records, or give each one row.", footer=True),
    Action("logs.narrow", ("space",), "service", "Let every pane follow this record's service or host."),
    Action("logs.trace", ("t",), "trace", "Let every pane follow this record's trace.", footer=True),
    Action("logs.moment", ("m",), "moment", "Put the time cursor of all panes on this record."),
    Action(
        "logs.shell", ("s",), "shell", "Open a terminal on this record's host, else on the current target."
    ),
    Action(
        "logs.older",
        ("o",),
        "older",
        "Ask the sources for records older than those kept here; again for still older.",
    ),
)


class HighlightLine(Input):
    """Where a text to highlight is typed."""

    DEFAULT_CSS = """
    HighlightLine { height: 1; border: none; padding: 0 1; background: $boost; display: none; }
    HighlightLine.-open { display: block; }
    """
