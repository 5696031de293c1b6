"""The registry of what keys can do: it feeds bindings, footer, help, palette and `[keys]` of cockpit.toml.

The app and each pane declare `Action`s; `Keymap` joins them with the operator's own keys and says what is wrong
with those: a name that no action has, a key that no keyboard has, or one key for two actions in one place.
"""

from __future__ import annotations

import difflib
import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

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


EVERYWHERE = "app"
"""The place of the actions that hold wherever the focus is."""
IN_PANES = ("pane", "rows")
"""The places of the actions that every pane has, and every list of rows in one."""
ALONE = ("output",)
"""Places that are no pane."""
APART = ("timeline", "record", "replay", "playback")
"""Screens over the cockpit, where its own keys don't hold."""
LED = ("terminal", "scrollback")
"""Places within a terminal, whose keys hold after the leader key or where nothing is typed: no others do."""

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
                self._keys[identity] = tuple(self._known(identity, override))
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

    def _known(self, identity: str, override: Override) -> Iterator[str]:
        """Give the keys of an override by Textual's names, and report those that no keyboard has."""
        for key in _keys_of(override):
            *modifiers, last = key.split("+") if len(key) > 1 else [key]
            name = key_name(last)
            if name in KEYS and set(modifiers) <= MODIFIERS:
                yield "+".join([*modifiers, name])
            else:
                self.problems.append(
                    f"[keys] {identity}: no key is called {key!r}; write such as ctrl+f, F or f8"
                )

    def _report_clashes(self) -> None:
        """Report each key that the operator gave to two actions which hold at one place."""
        meant = set(self._clashes({action.id: action.keys for action in self._actions.values()}))
        for key, first, second in dict.fromkeys(self._clashes(self._keys)):
            if (key, first, second) not in meant:
                self.problems.append(f"[keys] {show_key(key)} is given to both {first} and {second}")

    def _clashes(self, keys: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
        """Give each key that two actions share, with the two, place by place."""
        for place in dict.fromkeys(action.place for action in self._actions.values()):
            places = {place, *_beside(place)}
            here = [each for each in self._actions.values() if each.place in places]
            for first, second in combinations(here, 2):
                for key in keys[first.id]:
                    if key in keys[second.id]:
                        yield key, first.id, second.id


def _beside(place: str) -> tuple[str, ...]:
    """Return the places whose keys hold beside those of a place."""
    if place in LED:
        return ()
    if place in APART:
        return ("rows",) if place == "timeline" else ()
    return (EVERYWHERE,) if place in (EVERYWHERE, *ALONE) else (EVERYWHERE, *IN_PANES)


MODIFIERS = frozenset(("ctrl", "shift", "alt", "super"))
_CALLED = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen-minus": "minus",
    "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
"""What Textual calls a character otherwise than Unicode does."""


def key_name(text: str) -> str:
    """Return Textual's name of a key: a mark by its Unicode name, anything else as it stands."""
    if len(text) != 1 or text.isalnum():
        return text
    name = unicodedata.name(text, "").lower().replace(" ", "_")
    return _CALLED.get(name, name).replace("-", "_")


KEYS = frozenset(
    (
        *string.ascii_letters, *string.digits, *map(key_name, string.punctuation), *(f"f{n}" for n in range(1, 25)),
        "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace", "tab",
        "enter", "escape", "space",
    )
)  # fmt: skip
"""The keys that a terminal can send, by Textual's names."""
_NAMES = {
    "slash": "/", "colon": ":", "exclamation_mark": "!", "question_mark": "?", "escape": "Esc", "enter": "Enter",
    "left_square_bracket": "[", "right_square_bracket": "]", "comma": ",", "full_stop": ".", "plus": "+",
    "minus": "-", "equals_sign": "=", "space": "Space", "less_than_sign": "<", "greater_than_sign": ">",
    "semicolon": ";", "left_curly_bracket": "{", "right_curly_bracket": "}", "vertical_line": "|",
    "up": "↑", "down": "↓", "left": "←", "right": "→", "tab": "Tab", "pageup": "PgUp", "pagedown": "PgDn",
    "home": "Home", "end": "End", "underscore": "_", "asterisk": "*",
    "number_sign": "#", "at": "@", "ampersand": "&", "left_parenthesis": "(", "right_parenthesis": ")",
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
