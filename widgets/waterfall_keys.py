"""What the keys do in a waterfall."""

from __future__ import annotations

from cockpit.keymap import Action

ACTIONS = (
    Action("traces.turn", ("space",), "fold", "Fold the span's children away, or unfold them.", footer=True),
    Action("traces.fold", ("left", "h"), "fold", "Fold the span's children away, or go to its parent."),
    Action("traces.unfold", ("right", "l"), "unfold", "Unfold the span's children, or go to the first."),
    Action("traces.fold_all", ("f",), "fold all", "Fold all but the top spans and their children."),
    Action("traces.unfold_all", ("u",), "unfold all", "Unfold all spans."),
    Action("traces.zoom(2.0)", ("plus", "equals_sign"), "zoom in", "Show half the time.", footer=True),
    Action("traces.zoom(0.5)", ("minus",), "zoom out", "Show twice the time."),
    Action("traces.zoom_span", ("w",), "span's time", "Show just the span's own time, or the whole trace again."),
    Action("traces.pan(-1)", ("comma", "shift+left"), "pan back", "Move the time in sight back."),
    Action("traces.pan(1)", ("full_stop", "shift+right"), "pan on", "Move the time in sight on."),
    Action("traces.error(1)", ("x",), "next error", "Go to the next span that failed, folded or not.", footer=True),
    Action("traces.error(-1)", ("X",), "previous error", "Go to the span before this one that failed."),
    Action("traces.match(1)", ("asterisk",), "next match", "Go to the next span that the filter marks."),
    Action("traces.match(-1)", ("number_sign",), "previous match", "Go to the span before it that the filter marks."),
    Action("traces.critical(1)", ("c",), "critical path", "Go to the next span on the critical path."),
    Action("traces.critical(-1)", ("C",), "critical path back", "Go to the span before it on the critical path."),
)  # fmt: skip
