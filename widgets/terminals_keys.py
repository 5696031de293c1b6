"""What keys do about terminals: after the leader key, and while one looks through what scrolled away."""

from __future__ import annotations

from cockpit.keymap import Action

LEADER = "terminal.leader"
LEADER_KEY = "ctrl+right_square_bracket"
"""What telnet, virsh and others leave by: a shell has no use for it, and vim one that a second press sends."""
ACTIONS = (
    Action(
        LEADER,
        (LEADER_KEY,),
        "then",
        "In a terminal, the one key that is the cockpit's: the next one is a key of this list. Twice, it is typed.",
        footer=True,
    ),
    Action("terminal.leave", ("b", "escape"), "board", "Leave the terminals to the board.", footer=True),
    Action("terminal.next_tab", ("n", "right", "tab"), "next", "Go to the next terminal.", footer=True),
    Action("terminal.previous_tab", ("p", "left"), "previous", "Go to the terminal before."),
    Action("terminal.new", ("c",), "new", "Open another terminal on this one's target.", footer=True),
    Action(
        "terminal.close",
        ("x",),
        "close",
        "Close this terminal; one that still runs is asked about.",
        footer=True,
    ),
    Action(
        "terminal.back", ("left_square_bracket",), "scroll", "Look through what scrolled away.", footer=True
    ),
    Action("terminal.find", ("slash",), "search", "Look for a text in what was printed.", footer=True),
    Action("terminal.copy", ("y",), "copy", "Copy what is selected, or what is on the screen."),
    Action("terminal.paste", ("v",), "paste", "Paste what was last copied in the cockpit."),
    Action("terminal.literal", ("l",), "leader", "Type the leader key itself; so does pressing it twice."),
    Action("terminal.palette", ("ctrl+p",), "palette", "Find any action by its name."),
    Action("terminal.help", ("question_mark",), "help", "Show these keys.", footer=True),
)
SCROLLING = (
    Action("scrollback.up", ("up", "k"), "up", "Go up a row."),
    Action("scrollback.down", ("down", "j"), "down", "Go down a row."),
    Action("scrollback.page_up", ("pageup", "ctrl+b"), "page up", "Go up a screen.", footer=True),
    Action(
        "scrollback.page_down", ("pagedown", "ctrl+f", "space"), "page down", "Go down a screen.", footer=True
    ),
    Action("scrollback.oldest", ("home", "g"), "oldest", "Go to the oldest row that is kept.", footer=True),
    Action("scrollback.find", ("slash",), "search", "Look for a text in what was printed.", footer=True),
    Action("scrollback.above", ("n",), "above", "Go to the place before, up from here.", footer=True),
    Action("scrollback.below", ("N",), "below", "Go to the next place, down from here."),
    Action("scrollback.copy", ("y",), "copy", "Copy what is selected, or what is on the screen."),
    Action(
        "scrollback.end", ("q", "escape", "end", "G", "enter"), "back", "Go back to the screen.", footer=True
    ),
)
