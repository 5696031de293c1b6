"""The form of the rules that users add in cockpit.toml; imported before the first paint, so it imports little."""

from __future__ import annotations

from msgspec import Struct

from cockpit.actions.command import Risk


class OwnRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a command of your own does."""

    command: str
    """The command's words, each a pattern; `*` as the last stands for any further words: `deployctl status *`."""
    risk: Risk
    """What it may do. Raising what the cockpit knows holds everywhere, lowering it only outside production."""
    why: str = ""
    """What it does, in plain words, for the reasons that the guard gives."""
