"""The answers below a dialog: a row of buttons that looks the same in all of them."""

from __future__ import annotations

from typing import ClassVar

from textual.containers import Horizontal


class Buttons(Horizontal):
    """A row of buttons, the harmless one first."""

    DEFAULT_CSS: ClassVar[str] = """
    Buttons {
        height: 1; margin: 1 0;
        & > Button { margin-right: 2; min-width: 12; height: 1; border: none; }
        & > Button:focus { text-style: bold reverse; }
    }
    """
