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
ACTIONS = (*LIST_ACTIONS, *RECORD_ACTIONS, *REPLAY_ACTIONS)
