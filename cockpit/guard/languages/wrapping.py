"""Programs that run another in a way of their own: su, flock, parallel, script, tmux, screen, busybox.

Source: su(1), flock(1), script(1) of util-linux 2.40; GNU parallel 2024; tmux(1) 3.4; screen(1) 5; expect(1) 5.45.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, NOTHING, Call
from cockpit.guard.findings import Finding, rank
from cockpit.guard.options import Form, split
from cockpit.guard.places import writes
from cockpit.guard.ruleset import Syntax
from cockpit.guard.words import Word, literal, shown

_SHELLS = re.compile(r"(/usr)?(/bin/)?(ba|da|z|k|a)?sh")


def applet(call: Call) -> list[Finding]:
    """Judge `busybox APPLET…`."""
    first = call.rest[0].text if call.rest else ""
    if first in {"", "--help", "--list", "--list-full", "--long"}:
        return [call.finding(Risk.READ, "lists what it can do")]
    if first is not None and first.startswith("-"):
        return [call.finding(Risk.CHANGE, "installs itself")]
    return call.inner.words(call.rest, call.given)


def su(call: Call) -> list[Finding]:
    """Judge `su [-] [USER [ARGUMENT…]]`, `su -c LINE` and `runuser -u USER -- COMMAND…`."""
    if call.has("--help", "--version", "-h", "-V"):
        return [call.finding(Risk.READ, "prints help")]
    found = [
        call.finding(Risk.UNKNOWN, f"starts {word.shown} for a shell")
        for word in call.values("-s", "--shell")
        if word.text is None or not _SHELLS.fullmatch(word.text)
    ]
    lines = call.values("-c", "--command", "--session-command")
    found += [each for line in lines for each in call.inner.line(line, call.given)]
    operands = [word for word in call.parts.operands if word.text != "-"]
    if any(word.many for word in operands[:1]):
        found.append(call.finding(Risk.UNKNOWN, "has words that may be more than one"))
    arguments = operands[1:]
    if call.has("-u", "--user"):
        found += call.inner.words(operands, call.given) if operands else []
        arguments = []
    if arguments and not lines:
        found += call.inner.words([literal("sh"), *arguments], call.given)
    return found or [call.finding(Risk.UNKNOWN, "starts a shell")]


def flock(call: Call) -> list[Finding]:
    """Judge `flock FILE COMMAND…`, `flock FILE -c LINE`."""
    operands = call.parts.operands
    found = [each for line in call.values("-c", "--command") for each in call.inner.line(line, call.given)]
    rest = operands[1:]
    if rest and rest[0].text in {"-c", "--command"}:
        return [*found, *(each for line in rest[1:2] for each in call.inner.line(line, call.given))]
    return [*found, *call.inner.words(rest, call.given)] if rest else found


def script(call: Call) -> list[Finding]:
    """Judge `script -c LINE FILE`, which writes what it sees to the file."""
    files = [*call.parts.operands[:1], *call.values("-B", "-I", "-O", "-T", "-t", "--timing")]
    files += call.values("--log-io", "--log-in", "--log-out", "--log-timing")
    found = [each for word in files for each in writes(call, word, "writes what is shown to a file")]
    if not files:
        found += writes(call, None, "writes what is shown to a file")
    lines = call.values("-c", "--command")
    found += [each for line in lines for each in call.inner.line(line, call.given)]
    if not lines and len(call.parts.operands) > 1:  # as BSD's script has it
        return [*found, *call.inner.words(call.parts.operands[1:], call.given)]
    return found if lines else [*found, call.finding(Risk.UNKNOWN, "starts a shell")]


def entr(call: Call) -> list[Finding]:
    """Judge what `entr` runs when a file changes; `/_` stands for the file."""
    operands = [Word(raw="/_", start="/") if word.text == "/_" else word for word in call.parts.operands]
    if not operands:
        return [call.finding(Risk.UNKNOWN, "runs nothing that can be seen")]
    return call.inner.line(operands[0], NOTHING) if call.has("-s") else call.inner.words(operands, NOTHING)


def lines(call: Call) -> list[Finding]:
    """Judge operands each of which is a line for a shell."""
    return [each for word in call.parts.operands for each in call.inner.line(word, ANYTHING)]


_CAPABILITIES = re.compile(
    r"--(print|modes|current|(decode|explain|supports|suggest|has-\w+|is-uid|is-gid)(=.*)?)"
)


def capsh(call: Call) -> list[Finding]:
    """Judge `capsh [OPTIONS] -- ARGUMENT…`, whose arguments a shell gets."""
    texts = [word.text for word in call.rest]
    at = texts.index("--") if "--" in texts else len(texts)
    found = [
        call.finding(Risk.UNKNOWN, f"has {word.shown}, which no rule knows")
        for word in call.rest[:at]
        if word.text is None or not _CAPABILITIES.fullmatch(word.text)
    ]
    if at < len(texts):
        return [*found, *call.inner.words([literal("bash"), *call.rest[at + 1 :]], call.given)]
    return found or [call.finding(Risk.READ, "shows capabilities")]


_PLACEHOLDER = re.compile(r"\{(\d+|[+-]?\d*)?(/{0,2}\.?|#|%)?\}")
_SEPARATORS = frozenset({":::", "::::", ":::+", "::::+"})


def parallel(call: Call) -> list[Finding]:
    """Judge the line that GNU parallel makes of its command and each argument."""
    operands = list(call.parts.operands)
    at = next((index for index, word in enumerate(operands) if word.text in _SEPARATORS), len(operands))
    command, arguments = operands[:at], operands[at:]
    if not command:
        known = {word.text for word in arguments} & _SEPARATORS == {":::"}
        if known:
            return [each for word in arguments[1:] for each in call.inner.line(word, ANYTHING)]
        return [call.finding(Risk.UNKNOWN, "runs the lines that it reads")]
    values = [option.value for option in call.parts.options if option.value is not None]
    if any(word.text is None or "{=" in word.text for word in (*command, *values)):
        return [call.finding(Risk.UNKNOWN, f"runs a line that isn't known: {shown(command)}")]
    text = " ".join(word.text or "" for word in command)
    if call.has("--dry-run", "--dryrun"):
        return [call.finding(Risk.READ, "only shows what it would run")]
    line, count = _PLACEHOLDER.subn('"$_"', text)
    return call.inner.line(literal(line if count else f'{text} "$_"'), ANYTHING)


def expect(call: Call) -> list[Finding]:
    """Judge what a script spawns, as far as that is worse than a script that isn't known."""
    texts = [word.text or "" for word in call.values("-c")]
    spawned = re.findall(r"(?m)\b(?:spawn|exec|system)\s+(?:-\w+\s+)*([^;\n\]]+)", "\n".join(texts))
    found = [each for line in spawned for each in call.inner.line(literal(line), NOTHING)]
    return [each for each in found if rank(each.risk) > rank(Risk.UNKNOWN)]


_TMUX_READS = frozenset(
    {
        "ls", "list-sessions", "lsw", "list-windows", "lsp", "list-panes", "lsc", "list-clients", "lsk", "list-keys",
        "lscm", "list-commands", "lsb", "list-buffers", "has", "has-session", "info", "server-info", "show",
        "show-options", "showw", "show-window-options", "showenv", "show-environment", "showb", "show-buffer",
        "display", "display-message", "show-hooks", "show-messages", "showmsgs",
    }
)  # fmt: skip
_TMUX_RUNS = frozenset(
    {
        "new", "new-session", "neww", "new-window", "splitw", "split-window", "respawnp", "respawn-pane", "respawnw",
        "respawn-window", "run", "run-shell", "if", "if-shell", "popup", "display-popup", "pipep", "pipe-pane",
    }
)  # fmt: skip
_TMUX = Form(syntax=Syntax.POSIX, takes=frozenset(f"-{letter}" for letter in "ceFfnstxyl"))


def tmux(call: Call) -> list[Finding]:
    """Judge the commands of tmux, each behind a semicolon, and the lines in them."""
    found = [each for line in call.values("-c") for each in call.inner.line(line, NOTHING)]
    if call.has("-f"):
        found.append(call.finding(Risk.UNKNOWN, "takes commands from a file"))
    if call.has("-V") and not call.parts.operands:
        return [call.finding(Risk.READ, "prints its version")]
    command: list[Word] = []
    for word in [*call.parts.operands, literal(";")]:
        if word.text is not None and word.text.endswith(";"):
            if word.text != ";":
                command.append(literal(word.text[:-1]))
            found += _tmux(call, command)
            command = []
        else:
            command.append(word)
    return found


def _tmux(call: Call, command: Sequence[Word]) -> list[Finding]:
    if any(word.text is None or "#(" in word.text for word in command):
        return [call.finding(Risk.UNKNOWN, "has words that may run a line")]
    name = command[0].text if command else "new-session"
    if name in _TMUX_READS or (name in {"capturep", "capture-pane"} and "-p" in {w.text for w in command}):
        return [call.finding(Risk.READ, "shows sessions")]
    found = [call.finding(Risk.CHANGE, "changes sessions or what runs in them")]
    if name in _TMUX_RUNS:
        operands = split(command[1:], _TMUX).operands
        if operands:
            found += call.inner.line(literal(" ".join(word.text or "" for word in operands)), NOTHING)
    return found


def screen(call: Call) -> list[Finding]:
    """Judge `screen -ls`, `screen -dmS NAME COMMAND…` and commands for a session."""
    texts = {word.text for word in call.rest}
    if texts & {"-ls", "-list", "-v", "-wipe"} and "-X" not in texts:
        change = "-wipe" in texts
        return [call.finding(Risk.CHANGE if change else Risk.READ, "lists sessions")]
    found = [call.finding(Risk.CHANGE, "starts or changes a session")]
    if call.parts.operands and "-X" not in texts:
        found += call.inner.words(call.parts.operands, NOTHING)
    return found
