"""What the screen says of where commands land: in the verdict, in the command bar, and by its theme."""

from __future__ import annotations

from cockpit.keymap import Keymap
from cockpit.operations import Operations
from cockpit.targets import LOCAL, Environment
from cockpit.wiring import Cockpit
from widgets.commanding import CommandingApp
from widgets.themes import DARK, PRODUCTION, THEMES


class TargetingApp(CommandingApp):
    """An app that looks like the place where its commands land.

    Args:
        cockpit: The way in.
        operations: The way out.
    """

    keymap: Keymap

    def __init__(self, cockpit: Cockpit, operations: Operations) -> None:
        super().__init__(cockpit, operations)
        self._shown = cockpit.target
        """The target that the screen says commands land on."""
        self._no_themes: set[str] = set()
        """Themes that were asked for and aren't there."""
        for theme in THEMES:
            self.register_theme(theme)
        self._dress()

    def show_target(self) -> None:
        """Say where commands land."""
        self._shown = self.cockpit.target
        worst = self.cockpit.worst_environment()
        self.verdict.environment, self.verdict.target = worst.environment, worst.name
        self.verdict.lands = None if self._shown.name in (LOCAL, worst.name) else self._shown
        self.verdict.refresh()
        self.command_bar.wait(self.place(self.keymap.shown("app.shell")))
        self._dress()

    def follow_target(self) -> None:
        """Say it again where it is another target by now."""
        if self.cockpit.target is not self._shown:
            self.show_target()

    def _dress(self) -> None:
        """Put on the theme of the environment in use.

        Production looks like production without being told to, but not for want of a rule: else every laptop would.
        """
        screen, target = self.cockpit.settings.screen, self.cockpit.target
        grave = target.environment is Environment.PRODUCTION and target.named
        own = PRODUCTION if grave else DARK
        self.put_on(screen.themes.get(target.environment, screen.theme) or own.name)

    def put_on(self, theme: str) -> None:
        """Look as a theme says, where there is one of that name."""
        if theme in self.available_themes:
            self.theme = theme
        elif theme not in self._no_themes:
            self._no_themes.add(theme)
            self.notice(f"there is no theme {theme}; ctrl+p lists them", "warning")
