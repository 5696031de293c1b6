"""What can be done with an entry, on the time line and where it stands alone."""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import Screen

from cockpit.actionlog.records import Action, Note
from cockpit.actionlog.timeline import Entry, Timeline
from cockpit.actions.command import Kind
from cockpit.keymap import Keymap
from widgets.messages import Noticed, TextCopied
from widgets.timeline_row import told


def copied(entry: Entry, now: int) -> TextCopied:
    """Return the message that copies an entry's command or text."""
    record = entry.record
    what = "command" if isinstance(record, Action) else "note" if isinstance(record, Note) else "line"
    return TextCopied(told(entry, now).text, what)


def replay(
    screen: Screen[int | None],
    entry: Entry,
    reader: Timeline,
    keymap: Keymap,
    go_to: Callable[[int | None], None],
) -> None:
    """Open the replay of an action over a screen, or say why there is none."""
    record = entry.record
    if not isinstance(record, Action):
        screen.post_message(Noticed("only what a command printed can be replayed", "warning"))
    elif record.ended_at and not record.output_kept:
        why = "nothing that it printed was kept" if record.output_bytes else "it printed nothing"
        screen.post_message(Noticed(why, "warning"))
    else:
        screen.app.push_screen(_replay_of(record, reader, keymap), go_to)


def _replay_of(action: Action, reader: Timeline, keymap: Keymap) -> Screen[int | None]:
    """Return the screen that plays what an action printed: a shell's on a terminal."""
    if action.kind == Kind.SHELL:
        from widgets.timeline_playback import PlaybackScreen

        return PlaybackScreen(action, reader, keymap)
    from widgets.timeline_replay import ReplayScreen

    return ReplayScreen(action, reader, keymap)
