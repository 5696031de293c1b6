"""Programs that show or change processes, by what they are given: kill, taskset, ionice, chrt, prlimit, crontab, at.

Source: kill(1) of procps-ng 4 and of Bash 5.2; taskset(1), ionice(1), chrt(1), prlimit(1) of util-linux 2.40;
pidstat(1) of sysstat 12; crontab(1) of cronie 1.7 and of Debian; at(1) 3.2; useradd(8) of shadow-utils 4.
"""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import literal

_SIGNAL = re.compile(r"-(\d+|[A-Z]{2,}[A-Z0-9+-]*|-signal=.*)")
_NAMED = frozenset({"-s", "-n", "--signal"})


def kill(call: Call) -> list[Finding]:
    """Judge `kill`, `pkill` and `killall`: signal 0 only asks whether a process is there, `-l` lists signals."""
    texts = [word.text for word in call.rest]
    first = texts[0] if texts else ""
    name = (call.words[0].text or "").rpartition("/")[2]
    if first in {"-l", "-L", "--list", "--table", "-V", "--version", "--help"} and (
        name in {"kill", "killall"} or first not in {"-l", "-L"}
    ):
        return [call.finding(Risk.READ, "lists signals")]
    signals = [text for text in texts if text is not None and _SIGNAL.fullmatch(text)]
    named = [texts[at + 1 : at + 2] for at, text in enumerate(texts) if text in _NAMED]
    if first == "-0" and signals == ["-0"] and not named:
        return [call.finding(Risk.READ, "asks whether processes are there")]
    if first in _NAMED and named == [["0"]] and not signals and (name == "kill" or first == "--signal"):
        return [call.finding(Risk.READ, "asks whether processes are there")]
    return [call.finding(Risk.CHANGE, "sends signals to processes")]


def taskset(call: Call) -> list[Finding]:
    """Judge `taskset -p [MASK] PID` and `taskset MASK COMMAND…`."""
    operands = call.parts.operands
    if call.has("-p", "--pid"):
        # After the first operand nothing is an option: `-p MASK PID`.
        if len(operands) == 1 and not operands[0].many:
            return [call.finding(Risk.READ, "shows where a process may run")]
        return [call.finding(Risk.CHANGE, "changes where a process may run")]
    if len(operands) > 1 and not operands[0].many:
        return call.inner.words(operands[1:], call.given)
    return [call.finding(Risk.UNKNOWN, "runs nothing that can be seen")]


def ionice(call: Call) -> list[Finding]:
    """Judge `ionice -p PID`, which shows, with a class or level changes, and `ionice COMMAND…`."""
    if call.has("-p", "--pid", "-P", "--pgid", "-u", "--uid"):
        if call.has("-c", "--class", "-n", "--classdata"):
            return [call.finding(Risk.CHANGE, "changes the priority of processes")]
        return [call.finding(Risk.READ, "shows the priority of processes")]
    if call.parts.operands:
        return call.inner.words(call.parts.operands, call.given)
    return [call.finding(Risk.READ, "shows its own priority")]


def chrt(call: Call) -> list[Finding]:
    """Judge `chrt -p [PRIORITY] PID`, `chrt -m` and `chrt PRIORITY COMMAND…`."""
    operands = call.parts.operands
    if call.has("-m", "--max"):
        return [call.finding(Risk.READ, "shows which priorities there are")]
    if call.has("-p", "--pid"):
        policies = ("-b", "-d", "-e", "-f", "-i", "-o", "-r", "-T", "-P", "-D", "-R", "--batch", "--deadline",
                    "--ext", "--fifo", "--idle", "--other", "--rr", "--reset-on-fork")  # fmt: skip
        if len(operands) == 1 and not operands[0].many and not call.has(*policies):
            return [call.finding(Risk.READ, "shows the priority of a process")]
        return [call.finding(Risk.CHANGE, "changes the priority of a process")]
    skip = (
        1 if operands and re.fullmatch(r"\d+", operands[0].text or "") else 0
    )  # some policies need no priority
    if len(operands) > skip:
        return call.inner.words(operands[skip:], call.given)
    return [call.finding(Risk.UNKNOWN, "runs nothing that can be seen")]


def prlimit(call: Call) -> list[Finding]:
    """Judge `prlimit -p PID`, which shows limits, with a value changes them, and `prlimit COMMAND…`."""
    limits = [each for each in call.parts.options if not set(each.names) & {"-p", "--pid", "-o", "--output"}]
    if any(each.value is not None for each in limits) and call.has("-p", "--pid"):
        return [call.finding(Risk.CHANGE, "changes the limits of a process")]
    if call.parts.operands:
        return call.inner.words(call.parts.operands, call.given)
    return [call.finding(Risk.READ, "shows limits")]


def pidstat(call: Call) -> list[Finding]:
    """Judge `pidstat -e COMMAND…`, which runs it."""
    texts = [word.text for word in call.rest]
    if any(word.is_open for word in call.rest):
        return [call.finding(Risk.UNKNOWN, "has words that may be options")]
    if "-e" in texts and texts.index("-e") + 1 < len(texts):
        return call.inner.words(call.rest[texts.index("-e") + 1 :], call.given)
    return []


def crontab(call: Call) -> list[Finding]:
    """Judge `crontab -l`, `-e`, `-r`, and one that puts a new table in the old one's place."""
    if call.has("-r"):
        return [call.finding(Risk.DESTRUCTIVE, "removes a table of jobs")]
    if call.has("-e"):
        return [call.finding(Risk.CHANGE, "edits a table of jobs")]
    if call.has("-l", "-V", "-T") and not any(word.many for word in call.parts.loose):
        return [call.finding(Risk.READ, "shows or tests a table of jobs")]
    operands = call.parts.operands
    if call.given == NOTHING and operands and operands[0].text == "-":
        return [call.finding(Risk.DESTRUCTIVE, "puts an empty table in the place of the jobs")]
    if operands and operands[0].text == "/dev/null":
        return [call.finding(Risk.DESTRUCTIVE, "puts an empty table in the place of the jobs")]
    return [call.finding(Risk.CHANGE, "replaces a table of jobs")]


def at(call: Call) -> list[Finding]:
    """Judge `at TIME`, whose lines run later, `at -l`, `at -c JOB` and `at -r JOB`."""
    name = (call.words[0].text or "").rpartition("/")[2]
    if name == "atrm" or call.has("-d", "-r"):
        return [call.finding(Risk.DESTRUCTIVE, "removes jobs")]
    if (name == "atq" or call.has("-l", "-c", "-V")) and not any(word.many for word in call.parts.loose):
        return [call.finding(Risk.READ, "shows jobs")]
    found = [call.finding(Risk.CHANGE, "makes a job that runs later")]
    if call.given.text:
        found += call.inner.line(literal(call.given.text), NOTHING)
    return found


def useradd(call: Call) -> list[Finding]:
    """Judge `useradd -D`, which shows the defaults where nothing else is said, and `useradd NAME`."""
    only = all(set(option.names) <= {"-D", "--defaults"} for option in call.parts.options)
    if call.has("-D", "--defaults") and only and not call.parts.operands:
        return [call.finding(Risk.READ, "shows the defaults of new accounts")]
    return [call.finding(Risk.CHANGE, "makes or configures an account")]
