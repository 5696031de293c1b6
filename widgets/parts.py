"""Styles for parts of a widget's lines, found when they are first drawn."""

from __future__ import annotations

from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.widget import Widget


class Parts(Widget):
    """A widget that names parts of its lines by CSS classes and draws few of them at a time.

    Textual's `COMPONENT_CLASSES` are all styled whenever the widget is; four lists with two dozen each were a fifth
    of the time to the first paint. Here `get_component_rich_style` takes any class, and one that was never drawn
    costs nothing.
    """

    def get_component_styles(self, *names: str) -> RenderStyles:
        """Return the styles of a part; see Textual."""
        for name in names:
            if name not in self._component_styles:
                self._component_styles[name] = self._part(name)
        return super().get_component_styles(*names)

    def notify_style_update(self) -> None:
        """Style anew the parts that were drawn, and draw them where they look otherwise now."""
        super().notify_style_update()
        drawn = dict(self._component_styles)
        for name, styles in drawn.items():
            self._component_styles[name] = self._part(name)
            if self._component_styles[name] != styles:
                self.refresh()

    def _part(self, name: str) -> RenderStyles:
        part = DOMNode(classes=name)
        part._attach(self)
        self.app.stylesheet.apply(part)
        return part.styles
