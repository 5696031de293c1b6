"""The palette, and its entries: every action of the registry, by what it does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual import on
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.widgets import Input

from cockpit.keymap import Action, Keymap


class ActionProvider(Provider):
    """Offers the actions that make sense where the focus is."""

    @property
    def _offer(self) -> tuple[Keymap, list[Action], Callable[[Action], None]]:
        """What the app offers; it has `keymap`, `offered_actions` and `perform`."""
        app = self.app
        return app.keymap, app.offered_actions(), app.perform  # type: ignore[attr-defined]

    async def discover(self) -> Hits:
        """Offer everything before a letter is typed."""
        keymap, actions, perform = self._offer
        for action in actions:
            yield DiscoveryHit(_line(keymap, action), partial(perform, action), help=action.help)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        keymap, actions, perform = self._offer
        for action in actions:
            line = _line(keymap, action)
            if (score := max(matcher.match(line), matcher.match(action.help))) > 0:
                yield Hit(score, matcher.highlight(line), partial(perform, action), help=action.help)


class Palette(CommandPalette):
    """Textual's palette, for keys that come faster than it closes and for terminals that it doesn't fit in."""

    def dismiss(self, result: object = None) -> AwaitComplete:
        """Close it once: Enter and Esc in one burst each ask for that, and the second finds no screen to close."""
        return super().dismiss(result) if self.is_current else AwaitComplete()  # type: ignore[arg-type]

    @on(Input.Changed)
    def _late(self, event: Input.Changed) -> None:
        """Search for nothing once it is closed: letters before an Esc are heard of after it, and the list is gone."""
        if not self.is_current:
            event.prevent_default()

    def _action_command_list(self, action: str) -> None:
        """Leave a list alone that has no cell on the screen: it doesn't know where its lines are."""
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)


def _line(keymap: Keymap, action: Action) -> str:
    key = keymap.shown(action.id)
    name = f"{action.place}: {action.label}"
    return f"{name}  ({key})" if key else name
