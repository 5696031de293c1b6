"""What keys do wherever the focus is; the app carries it out."""

from __future__ import annotations

from cockpit.keymap import Action
from cockpit.signals import SECOND

ACTIONS = (
    Action("app.zoom", ("z",), "zoom", "Give the whole screen to this pane, or take it back.", footer=True),
    Action("app.command", ("colon",), "command", "Type a command of the cockpit's own.", footer=True),
    Action("app.shell", ("exclamation_mark",), "run", "Run a shell line on the current target.", footer=True),
    Action(
        "app.targets",
        ("at",),
        "target",
        "Choose where commands land: this machine, a host, a group; on a row of a host, that host.",
    ),
    Action("app.help", ("question_mark",), "help", "Show what this pane's keys do.", footer=True),
    Action("app.back", ("escape",), "back", "Step back: drop a filter, leave a detail, widen the scope."),
    Action("app.health", ("1",), "health", "Go to the health pane.", call="pane(1)"),
    Action("app.alerts", ("2",), "alerts", "Go to the alerts pane.", call="pane(2)"),
    Action("app.logs", ("3",), "logs", "Go to the logs pane.", call="pane(3)"),
    Action("app.traces", ("4",), "traces", "Go to the traces pane.", call="pane(4)"),
    Action(
        "app.earlier", ("left_square_bracket",), "earlier", "Move the time cursor back.", call="shift(-1)"
    ),
    Action(
        "app.later",
        ("right_square_bracket",),
        "later",
        "Move the time cursor on, up to now.",
        call="shift(1)",
    ),
    Action(
        "app.wider", ("left_curly_bracket",), "wider", "Look further back: widen the window.", call="widen(1)"
    ),
    Action("app.narrower", ("right_curly_bracket",), "narrower", "Narrow the window.", call="widen(-1)"),
    Action(
        "app.next", ("tab",), "next", "Go to the next pane, or the next field of a form.", call="focus_next"
    ),
    Action(
        "app.previous", ("shift+tab",), "previous", "Go to the previous pane or field.", call="focus_previous"
    ),
    Action(
        "app.elevate", ("P",), "elevate", "Let production be changed for a while; again, make it read-only."
    ),
    Action("app.output", ("ctrl+o",), "output", "Show the output of the last command again."),
    Action(
        "app.terminal",
        ("ctrl+right_square_bracket",),
        "terminals",
        "Go to the terminals, or open one on the current target. Within one, the same key leads back.",
    ),
    Action("app.palette", ("ctrl+p",), "palette", "Find any action by its name.", call="command_palette"),
    Action(
        "app.quit",
        ("q",),
        "quit",
        "Leave the output or the detail that has the focus, else the cockpit.",
        footer=True,
        call="leave",
    ),
    Action("app.quit_now", ("ctrl+q",), "quit now", "Leave the cockpit wherever one is.", call="quit"),
    Action(
        "app.note", ("n",), "note", "Pin a note in the action log, for the session's incident.", footer=True
    ),
    Action(
        "app.evidence",
        ("e",),
        "pin",
        "Pin what this pane shows in the action log, as evidence: alert, log lines, trace or plot.",
        footer=True,
    ),
    Action(
        "app.timeline",
        ("T",),
        "time line",
        "Show what was done: search, filter, output, replay.",
        footer=True,
    ),
)
"""Actions that hold wherever the focus is."""
OWN = frozenset(action.name.partition("(")[0] for action in ACTIONS) - {"focus_next", "focus_previous"}
TYPING = frozenset(("back", "quit", "command_palette"))
"""Those that hold while one types."""
ABOVE = frozenset(("quit", "command_palette"))
"""Those that hold on a screen above the panes as well."""
WINDOWS = tuple(minutes * 60 * SECOND for minutes in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10_080))
"""The widths that the window goes through by key."""
