"""All that a key can do anywhere on the screen: what the keymap is made of."""

from __future__ import annotations

from cockpit.keymap import Action
from widgets import app_keys, logs_filters, output, terminals_keys, timeline_keys
from widgets.board import PANES
from widgets.pane import PANE_ACTIONS
from widgets.rows import ROW_ACTIONS


def every_action() -> list[Action]:
    """Return the actions of all places, each pane's own first, as the help lists them."""
    return [
        *(action for pane in PANES for action in pane.ACTIONS),
        *PANE_ACTIONS,
        *ROW_ACTIONS,
        *logs_filters.FILTER_ACTIONS,
        *output.ACTIONS,
        *timeline_keys.ACTIONS,
        *terminals_keys.ACTIONS,
        *terminals_keys.SCROLLING,
        *app_keys.ACTIONS,
    ]
