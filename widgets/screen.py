"""The screen under all others."""

from __future__ import annotations

from textual import events
from textual.screen import Screen
from textual.timer import Timer

PAINT_EVERY = 0.005
"""Seconds that a change waits for its paint: Textual's sixtieth is a third of what an answer to a key may take."""


class MainScreen(Screen[object]):
    """Shows the panes."""

    def __init__(self, *, classes: str) -> None:
        super().__init__(id="_default", classes=classes)
        self._seen = False
        self._painting: Timer | None = None

    @property
    def _update_timer(self) -> Timer:
        """The timer that paints what has changed; it rests while nothing has."""
        if self._painting is None:
            self._painting = self.set_interval(
                PAINT_EVERY, self._on_timer_update, name="screen_update", pause=True
            )
        return self._painting

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Leave the styles alone the first time: each widget has been styled as it was mounted."""
        event.refresh_styles = self._seen
        self._seen = True
