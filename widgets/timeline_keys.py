"""What keys do on the time line, on one record of it, and while a recording is replayed."""

from __future__ import annotations

from cockpit.keymap import Action

LIST_ACTIONS = (
    Action("timeline.search", ("slash",), "search", "Search words; filter by target:, risk: and more.", footer=True),
    Action("timeline.replay", ("p",), "replay", "Replay what the action printed, at the pace it came.", footer=True),
    Action("timeline.moment", ("m",), "go there", "Show all panes as they were at this moment.", footer=True),
    Action("timeline.copy", ("y",), "copy", "Copy the command, or the note's text.", footer=True),
    Action("timeline.help", ("question_mark",), "help", "Show what the keys do here.", footer=True),
    Action("timeline.back", ("escape", "q"), "back", "Drop the filter, then go back to the panes.", footer=True),
)  # fmt: skip
RECORD_ACTIONS = (
    Action("record.replay", ("p",), "replay", "Replay what the action printed, at the pace it came.", footer=True),
    Action("record.page(1)", ("right_square_bracket",), "next page", "Show the output's next page.", footer=True),
    Action("record.page(-1)", ("left_square_bracket",), "page before", "Show the output's page before.", footer=True),
    Action("record.moment", ("m", "j"), "go there", "Show all panes as they were at this moment.", footer=True),
    Action("record.copy", ("y",), "copy", "Copy the command, or the note's text.", footer=True),
    Action("record.help", ("question_mark",), "help", "Show what the keys do here.", footer=True),
    Action("record.back", ("escape", "q"), "back", "Go back to the time line.", footer=True),
)  # fmt: skip
REPLAY_ACTIONS = (
    Action("replay.pause", ("space",), "pause", "Pause, or go on.", footer=True),
    Action("replay.seek(-5)", ("left",), "back", "Go back 5 seconds.", footer=True),
    Action("replay.seek(5)", ("right",), "on", "Go on 5 seconds.", footer=True),
    Action("replay.begin", ("home", "0"), "begin again", "Go to the beginning."),
    Action("replay.faster", ("plus", "equals_sign"), "faster", "Play twice as fast.", footer=True),
    Action("replay.slower", ("minus",), "slower", "Play half as fast.", footer=True),
    Action("replay.moment", ("j", "m"), "jump", "Show all panes as they were at this moment.", footer=True),
    Action("replay.help", ("question_mark",), "help", "Show what the keys do here.", footer=True),
    Action("replay.back", ("escape", "q"), "leave", "Go back.", footer=True),
)  # fmt: skip
PLAYBACK_ACTIONS = (
    Action("playback.pause", ("space",), "pause", "Pause, or go on.", footer=True),
    Action("playback.seek(-5)", ("left",), "back", "Go back 5 seconds.", footer=True),
    Action("playback.seek(5)", ("right",), "on", "Go on 5 seconds.", footer=True),
    Action("playback.step(1)", ("right_square_bracket",), "next line", "Go to the next line typed.", footer=True),
    Action("playback.step(-1)", ("left_square_bracket",), "line before", "Go to the line typed before.", footer=True),
    Action("playback.jump", ("g",), "go to", "Go to a time: 90, 1:30, +30, -30, or 14:05:10Z.", footer=True),
    Action("playback.begin", ("home", "0"), "begin again", "Go to the beginning."),
    Action("playback.faster", ("plus", "equals_sign"), "faster", "Play twice as fast.", footer=True),
    Action("playback.slower", ("minus",), "slower", "Play half as fast."),
    Action("playback.search", ("slash",), "search", "Look for a text in what was shown so far.", footer=True),
    Action("playback.found(-1)", ("n",), "above", "Go to the place before, up from here."),
    Action("playback.found(1)", ("N",), "below", "Go to the next place, down from here."),
    Action("playback.scroll(-1)", ("pageup",), "page up", "Look at what scrolled away, a screen up."),
    Action("playback.scroll(1)", ("pagedown",), "page down", "Look further down."),
    Action("playback.pan(8)", ("greater_than_sign",), "to the right", "Show what is right of the screen's edge."),
    Action("playback.pan(-8)", ("less_than_sign",), "to the left", "Show what is left of the screen's edge."),
    Action("playback.copy", ("y",), "copy", "Copy what is selected, else the line that was typed."),
    Action("playback.moment", ("m", "j"), "there", "Show all panes as they were at this moment.", footer=True),
    Action("playback.help", ("question_mark",), "help", "Show what the keys do here.", footer=True),
    Action("playback.back", ("escape", "q"), "leave", "Go back to the screen, then leave.", footer=True),
)  # fmt: skip
ACTIONS = (*LIST_ACTIONS, *RECORD_ACTIONS, *REPLAY_ACTIONS, *PLAYBACK_ACTIONS)
