"""The registry of what keys can do: it feeds bindings, footer, help, palette and `[keys]` of cockpit.toml.

The app and each pane declare `Action`s; `Keymap` joins them with the operator's own keys and says what is wrong
with those: a name that no action has, or one key for two actions in one place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct


class Action(Struct, frozen=True):
    """Something a key does.

    Attributes:
        id: `place.name`, such as `alerts.silence`; the widget's method is `action_silence`.
        keys: Textual's names of the keys, such as `ctrl+p` or `slash`; empty for one that only the palette offers.
        label: One or two words for the footer.
        help: One sentence for help and palette.
        footer: Whether the footer shows it.
        priority: Whether it goes before the focused widget's own keys.
        call: Textual's action, where it is not the method of the same name.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    footer: bool = False
    priority: bool = False
    call: str = ""

    @property
    def place(self) -> str:
        """Where it holds: `app`, or a pane's name."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """Textual's name of the action: its method without `action_`."""
        return self.call or self.id.partition(".")[2]


Override = str | Sequence[str] | bool
"""A `[keys]` value: a key, several, or `false` to unbind."""


class Keymap:
    """Actions by place, with the keys that hold for this operator.

    Attributes:
        problems: What is wrong with the operator's keys, a line each; the rest of them hold all the same.
    """

    def __init__(self, actions: Iterable[Action], overrides: Mapping[str, Override] | None = None) -> None:
        self._actions = {action.id: action for action in actions}
        self.problems: list[str] = []
        self._keys = {action.id: action.keys for action in self._actions.values()}
        for identity, override in (overrides or {}).items():
            if identity in self._actions:
                self._keys[identity] = _keys_of(override)
            else:
                self.problems.append(f"[keys] {identity}: no such action{self._nearest(identity)}")
        self._report_clashes()

    def actions(self, place: str | None = None) -> list[Action]:
        """Return the actions of a place, or all, in the order they were declared."""
        return [action for action in self._actions.values() if place is None or action.place == place]

    def keys(self, identity: str) -> tuple[str, ...]:
        """Return the keys that an action has now; empty when it is unbound."""
        return self._keys.get(identity, ())

    def shown(self, identity: str) -> str:
        """Return an action's first key as people write it, or an empty string."""
        keys = self.keys(identity)
        return show_key(keys[0]) if keys else ""

    def _nearest(self, identity: str) -> str:
        near = difflib.get_close_matches(identity, self._actions, n=1, cutoff=0.5)
        return f"; the nearest is {near[0]}" if near else ""

    def _report_clashes(self) -> None:
        for place in {action.place for action in self._actions.values()}:
            taken: dict[str, str] = {}
            for action in self.actions("app") + (self.actions(place) if place != "app" else []):
                for key in self.keys(action.id):
                    other = taken.setdefault(key, action.id)
                    if other != action.id and (action.place == other.partition(".")[0] or place == "app"):
                        self.problems.append(
                            f"[keys] {show_key(key)} is given to both {other} and {action.id}"
                        )


_NAMES = {
    "slash": "/", "colon": ":", "exclamation_mark": "!", "question_mark": "?", "escape": "Esc", "enter": "Enter",
    "left_square_bracket": "[", "right_square_bracket": "]", "comma": ",", "full_stop": ".", "plus": "+",
    "minus": "-", "equals_sign": "=", "space": "Space", "less_than_sign": "<", "greater_than_sign": ">",
    "semicolon": ";", "left_curly_bracket": "{", "right_curly_bracket": "}", "vertical_line": "|",
    "up": "↑", "down": "↓", "left": "←", "right": "→", "tab": "Tab", "underscore": "_", "asterisk": "*",
}  # fmt: skip


def show_key(key: str) -> str:
    """Return a key as people write it: `slash` is `/`, `ctrl+p` is `^p`."""
    *modifiers, last = key.split("+")
    shown = _NAMES.get(last, last)
    marks = "".join("^" if modifier == "ctrl" else f"{modifier}+" for modifier in modifiers)
    return marks + shown


def _keys_of(override: Override) -> tuple[str, ...]:
    if isinstance(override, bool) or not override:
        return ()
    if isinstance(override, str):
        return tuple(part.strip() for part in override.split(",") if part.strip())
    return tuple(override)
