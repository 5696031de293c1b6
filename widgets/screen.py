"""The screen under all others."""

from __future__ import annotations

from textual import events
from textual.screen import Screen


class MainScreen(Screen[object]):
    """Shows the panes."""

    def __init__(self, *, classes: str) -> None:
        super().__init__(id="_default", classes=classes)
        self._seen = False

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Leave the styles alone the first time: each widget has been styled as it was mounted."""
        event.refresh_styles = self._seen
        self._seen = True
