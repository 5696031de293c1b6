"""What the keys of the logs pane do, and the one-line fields that it opens."""

from __future__ import annotations

from cockpit.keymap import Action
from widgets.pane import PaneLine

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
        priority=True,
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
        "logs.filters", ("ampersand",), "filters", "Open or close the list of named filters.", footer=True
    ),
    Action(
        "logs.add_filter",
        ("a",),
        "add filter",
        "Write a named filter, beginning with what the filter line says.",
        priority=True,
    ),
    Action(
        "logs.like", ("i",), "like this", "Keep in what is like this record, as a filter.", call="like(1)"
    ),
    Action(
        "logs.unlike", ("d",), "drop like", "Keep out what is like this record, as a filter.", call="like(0)"
    ),
    Action(
        "logs.next_warning",
        ("v",),
        "warning",
        "Go to the next warning or error below the cursor.",
        call="seek_warning(1)",
    ),
    Action(
        "logs.previous_warning",
        ("V",),
        "warning above",
        "Go to the next warning or error above the cursor.",
        call="seek_warning(-1)",
    ),
    Action(
        "logs.next_of_trace",
        ("r",),
        "trace below",
        "Go to the next record of the same trace below the cursor.",
        call="seek_trace(1)",
    ),
    Action(
        "logs.previous_of_trace",
        ("R",),
        "trace above",
        "Go to the next record of the same trace above the cursor.",
        call="seek_trace(-1)",
    ),
    Action(
        "logs.tens_on", ("full_stop",), "10 min on", "Go on to the next ten minutes.", call="seek_time(10, 1)"
    ),
    Action("logs.tens_back", ("comma",), "10 min back", "Go back by ten minutes.", call="seek_time(10, -1)"),
    Action(
        "logs.hour_on", ("greater_than_sign",), "hour on", "Go on to the next hour.", call="seek_time(60, 1)"
    ),
    Action(
        "logs.hour_back", ("less_than_sign",), "hour back", "Go back by an hour.", call="seek_time(60, -1)"
    ),
    *(
        Action(
            f"logs.tens_{tens}",
            (str(tens),),
            f"{tens}0 past",
            f"Go on to the next time that is {tens}0 minutes past an hour; with the panes, a pane's number.",
            call=f"tens({tens})",
        )
        for tens in range(1, 7)
    ),
    Action(
        "logs.day_on",
        ("right_parenthesis", "0"),
        "day on",
        "Go on to the next day.",
        call="seek_time(1440, 1)",
    ),
    Action(
        "logs.day_back", ("left_parenthesis",), "day back", "Go back by a day.", call="seek_time(1440, -1)"
    ),
    Action(
        "logs.mark",
        ("b",),
        "mark",
        "Mark this record and pin it, with a link that finds it again; or take the mark away.",
    ),
    Action("logs.comment", ("c",), "comment", "Mark this record and pin it with a comment."),
    Action("logs.next_mark", ("u",), "mark below", "Go to the next mark below.", call="seek_mark(1)"),
    Action("logs.previous_mark", ("U",), "mark above", "Go to the next mark above.", call="seek_mark(-1)"),
    Action(
        "logs.patterns",
        ("p",),
        "patterns",
        "Show what the records have in common, what is new or rising on top.",
        footer=True,
    ),
    Action("logs.sql", ("semicolon",), "SQL", "Ask the log files in SQL."),
    Action(
        "logs.pretty",
        ("A",),
        "lay out",
        "Lay JSON and attributes out over several lines, or not.",
        call="pretty",
    ),
    Action("logs.columns", ("C",), "columns", "Choose which attributes are columns."),
    Action(
        "logs.older",
        ("o",),
        "older",
        "Ask the sources for records older than those kept here; again for still older.",
    ),
)


class HighlightLine(PaneLine):
    """Where a text to highlight is typed."""

    DEFAULT_CSS = """
    HighlightLine { height: 1; border: none; padding: 0 1; background: $boost; display: none; }
    HighlightLine.-open { display: block; }
    """


class NoteLine(PaneLine):
    """Where a comment on a record is typed."""

    DEFAULT_CSS = """
    NoteLine { height: 1; border: none; padding: 0 1; background: $boost; display: none; }
    NoteLine.-open { display: block; }
    """


class FilterEdit(PaneLine):
    """Where a named filter is written."""

    DEFAULT_CSS = """
    FilterEdit { height: 1; border: none; padding: 0 1; background: $boost; display: none; }
    FilterEdit.-open { display: block; }
    """
