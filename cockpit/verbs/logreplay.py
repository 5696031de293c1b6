"""`cockpit log replay`: what an action printed, at the pace it came."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from cockpit.verbs.arguments import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cockpit.actionlog.reader import ActionReader
    from cockpit.actionlog.records import Chunk
    from cockpit.actionlog.reel import Step
    from cockpit.actionlog.replay import Due, Player
    from cockpit.verbs.replaying import DrawnScreen

VERBS = ("replay",)
STEP_S, LEAP_S = 5.0, 60.0
REDRAWN = 256 * 1024
"""Bytes before the moment that is gone to that are drawn on a terminal: more than its screen holds."""
_KEYS = {
    b" ": "pause",
    b"\x1b[C": "on",
    b"\x1b[D": "back",
    b"\x1b[A": "leap",
    b"\x1b[B": "leap back",
    b"+": "faster",
    b"=": "faster",
    b"-": "slower",
    b"]": "line",
    b"[": "line before",
    b"q": "quit",
    b"\x03": "quit",
}


def add(below: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb below `cockpit log`."""
    parser = below.add_parser(
        "replay",
        help="play what an action printed, at the pace it came",
        description="Play what an action printed, at the pace it came. Keys: space pauses, left and right go 5 s "
        "back and on, up and down 60 s on and back, ] and [ go to the next line typed in a shell and to the one "
        "before, + and - change the speed, q quits. A shell is drawn on the terminal as it was.",
    )
    parser.add_argument("id", metavar="ID", help="the action's id, or the beginning of it")
    parser.add_argument("--speed", metavar="X", type=seconds(64), default=1.0, help="so many times as fast")
    parser.add_argument(
        "--idle-limit", metavar="S", type=seconds(), help="wait so many seconds at most where nothing came"
    )
    parser.add_argument(
        "--from", dest="start", metavar="S", type=seconds(zero=True), default=0.0, help="begin there"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print each piece and when it is due as one JSON document, without waiting",
    )
    parser.add_argument(
        "--raw",
        action="store_true",
        help="with its control sequences, which may do anything to your terminal",
    )
    parser.add_argument("--plain", action="store_true", help="a shell's text alone, and nothing that it drew")


def main(reader: ActionReader, args: argparse.Namespace) -> int:
    """Play it.

    Raises:
        UsageError: There is no such action, or nothing of its output was kept.
        ActionLogError: The log can't be read.
    """
    import sys

    from cockpit.actionlog.reel import Reel
    from cockpit.actions.command import Kind
    from cockpit.errors import UsageError
    from cockpit.verbs.showing import one_line

    action = reader.show(args.id)
    reel = Reel(reader, action)
    player = reel.player(speed=args.speed, idle_limit=args.idle_limit)
    if player is None:
        raise UsageError("nothing that it printed is kept", where=action.id)
    if args.json:
        _print(reader, action.id, player, reel.ending)
        return 0
    terminal = sys.stdout.isatty()
    screen: _Screen | DrawnScreen
    if terminal and action.kind == Kind.SHELL and not (args.raw or args.plain):
        from cockpit.verbs.replaying import DrawnScreen

        screen = DrawnScreen(reel)
    else:
        screen = _Screen(reader, action.id, raw=args.raw, terminal=terminal)
    with _keys() as pressed:
        try:
            screen.show(player.seek(args.start))
            _play(player, screen, pressed, reel.steps)
        finally:
            screen.end()
    if player.ended and reel.ending:
        print(one_line(f"cockpit: {reel.ending}"), file=sys.stderr)
    return 0


def _print(reader: ActionReader, action: str, player: Player, ending: str) -> None:
    """Print the pieces and their times, one after another."""
    import json

    from cockpit.actionlog.documents import chunks_as_builtins

    print(f'{{"action": {json.dumps(action)}, "length_s": {player.length}, "pieces": [', end="")
    comma, due = "", iter(player.places[1:])
    for piece in chunks_as_builtins(reader.output(action)):
        at = next(due, player.length)  # what is left of a character at the end is a piece more
        print(f"{comma}\n  {json.dumps({'due_s': round(at, 9), **piece}, ensure_ascii=False)}", end="")
        comma = ","
    print(f'\n], "ending": {json.dumps(ending or None, ensure_ascii=False)}}}')


def _play(
    player: Player,
    screen: _Screen | DrawnScreen,
    pressed: Callable[[float | None], Sequence[str]],
    lines: Sequence[Step],
) -> None:
    """Play to the end, or until the operator quits."""
    import time

    last = time.monotonic()
    while not player.ended:
        keys = pressed(player.next_in)
        now = time.monotonic()
        screen.show(player.advance(now - last))
        last = now
        if screen.tells:
            screen.tell(player)
        for key in keys:
            if key == "quit":
                return
            screen.show(_turn(player, key, [player.places[line.piece] for line in lines]))
            screen.tell(player)


def _turn(player: Player, key: str, lines: Sequence[float]) -> Due:
    """Do what a key says; `lines` is where lines were typed, in seconds of the replay."""
    steps = {"on": STEP_S, "back": -STEP_S, "leap": LEAP_S, "leap back": -LEAP_S}
    if key in steps:
        return player.seek(player.position + steps[key])
    if key == "line":
        return player.seek(next((at for at in lines if at > player.position), player.position))
    if key == "line before":
        before = [at for at in lines if at < player.position - (0 if player.paused else player.speed)]
        return player.seek(before[-1] if before else 0)
    if key == "pause":
        player.toggle()
    else:
        player.set_speed(player.speed * (2 if key == "faster" else 0.5))
    return player.advance(0)


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float | None], Sequence[str]]]:
    """Yield what waits for keys, at most so many seconds; without a terminal it only waits."""
    import os
    import select
    import sys
    import termios
    import time
    import tty

    if sys.stdin is None or not (sys.stdin.isatty() and sys.stdout.isatty()):

        def wait(limit: float | None) -> Sequence[str]:
            time.sleep(limit or 0)
            return ()

        yield wait
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)

    def read(limit: float | None) -> Sequence[str]:
        if not select.select([number], [], [], limit)[0]:
            return ()
        typed = os.read(number, 64)
        if not typed:
            return ("quit",)
        return [name for key, name in _split(typed)]

    try:
        tty.setcbreak(number)
        yield read
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _split(typed: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield the keys in what was typed that mean something."""
    while typed:
        for key, name in _KEYS.items():
            if typed.startswith(key):
                yield key, name
                typed = typed[len(key) :]
                break
        else:
            typed = typed[1:]


class _Screen:
    """Shows pieces of output, read as they are due."""

    tells = False

    def __init__(self, reader: ActionReader, action: str, *, raw: bool, terminal: bool) -> None:
        self._reader = reader
        self._action = action
        self._raw = raw
        self._terminal = terminal
        self._pieces: Iterator[Chunk] = reader.output(action)
        self._next = 0
        self._begin()

    def _begin(self) -> None:
        from cockpit.actionlog.plain import Text

        self._pieces, self._next = self._reader.output(self._action), 0
        self._texts: dict[str, Text] = {}

    def show(self, due: Due) -> None:
        """Show pieces; the first of a replay is its beginning, and holds nothing."""
        if not due:
            return
        if due.afresh:
            self._begin()
            self._write(b"\x1b[0m\x1b[2J\x1b[H" if self._terminal else b"\n")
        from collections import deque

        drawn: deque[bytes] = deque()
        size = 0
        while self._next < due.stop - 1:
            data = self._drawn(next(self._pieces))
            self._next += 1
            if not self._terminal:
                self._write(data)
                continue
            drawn.append(data)
            size += len(data)
            while size - len(drawn[0]) > REDRAWN:
                size -= len(drawn.popleft())
        self._write(b"".join(drawn))

    def tell(self, player: Player) -> None:
        """Say in the last line of the terminal where the replay stands."""
        if self._terminal:
            state = "paused" if player.paused else f"{player.speed:g}x"
            text = f" {player.position:.1f} of {player.length:.1f} s, {state} "
            self._write(f"\x1b7\x1b[999;1H\x1b[7m{text}\x1b[0m\x1b[K\x1b8".encode())

    def end(self) -> None:
        """Leave the terminal as it should be."""
        if self._terminal:
            self._write(b"\x1b[0m\n")

    def _drawn(self, chunk: Chunk) -> bytes:
        from cockpit.actionlog.plain import Text

        if self._raw:
            return chunk.data
        return self._texts.setdefault(chunk.stream.value, Text()).feed(chunk.data).encode()

    def _write(self, data: bytes) -> None:
        import sys

        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
