"""From the registry of actions to Textual's bindings."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from textual.binding import Binding, BindingType
from textual.widget import Widget

from cockpit.keymap import Action, Keymap

UNBOUND = "f24"
"""Stands in for no key: Textual's keymap can replace a key and can't take one away."""


def bindings(actions: Iterable[Action], *, priority: bool = False) -> list[BindingType]:
    """Return a widget's bindings for its actions, with ids that `[keys]` can name.

    Args:
        actions: What the widget can do.
        priority: Whether they all go before the focused widget's own keys.
    """
    return [
        Binding(
            ",".join(action.keys) or f"{UNBOUND}+{action.id}",
            action.name,
            action.label,
            show=action.footer,
            tooltip=action.help,
            id=action.id,
            priority=priority or action.priority,
        )
        for action in actions
    ]


def textual_keymap(keymap: Keymap) -> dict[str, str]:
    """Return the map that `App.set_keymap` takes: every action's id and its keys."""
    return {
        action.id: ",".join(keymap.keys(action.id)) or f"{UNBOUND}+{action.id}" for action in keymap.actions()
    }


async def caught_up(widget: Widget | None, seconds: float = 1.0) -> None:
    """Wait until a widget has taken the keys that were sent to it.

    A priority key is handled at once, those before it wait in the focused widget's queue: without this, `jjs` in one
    burst would silence the row from which `jj` was to lead away.
    """
    if widget is None or not widget.is_running:
        return
    taken = asyncio.Event()
    if widget.call_later(taken.set):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(taken.wait(), seconds)
