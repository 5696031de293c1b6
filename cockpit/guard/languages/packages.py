"""What package managers run besides: apt's and dpkg's hooks, rpm's macros, pacman's operations.

Source: apt.conf(5), dpkg(1), rpm(8) and rpm's macro manual, pacman(8).
"""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.call import Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word

_HOOK = re.compile(r"(?i)[^=]*::(?:pre|post)-[\w-]+(?:::[^=]*)?=(.*)", re.DOTALL)
_MACROS = re.compile(r"(?:%\{[?!]*\w+\}|%\w+|[^%])*")
_SHELL_MACRO = re.compile(r"%\((.*)\)", re.DOTALL)
_REMOVES = re.compile(r"os\.(remove|execute)|posix\.(unlink|rmdir|exec)|rm\s+-")


def apt_settings(call: Call) -> list[Finding]:
    """Judge the commands that `-o` hangs into apt: `APT::Update::Pre-Invoke::=…`."""
    found: list[Finding] = []
    for value in call.values("-o", "--option"):
        match = _HOOK.fullmatch(value.text or "")
        if match:
            found += call.inner.line(Word(raw=match[1], text=match[1]), call.given)
    return found


def dpkg_hooks(call: Call) -> list[Finding]:
    """Judge the commands that dpkg runs before and after."""
    hooks = call.values("--pre-invoke", "--post-invoke", "--status-logger")
    return [each for hook in hooks for each in call.inner.line(hook, call.given)]


_WRITES = (
    "--import", "--initdb", "--rebuilddb", "--setperms", "--setugids", "--setcaps", "--restore", "--exportdb",
    "--importdb", "--salvagedb", "--delsign", "--addsign", "--resign", "--delfilesign",
)  # fmt: skip
_INSTALLS = ("-i", "--install", "-U", "--upgrade", "-F", "--freshen", "--reinstall", "-e", "--erase")
_LOADS = (
    "-D",
    "--define",
    "--undefine",
    "--predefine",
    "--load",
    "--macros",
    "--rcfile",
    "--specfile",
    "--noplugins",
)
_QUERIES = ("-q", "--query", "-V", "--verify", "-K", "--checksig")
_SHOWS = ("--querytags", "--showrc", "--version", "--help")


def rpm(call: Call) -> list[Finding]:
    """Judge rpm by its mode, and what it expands and pipes into."""
    found = [each for value in call.values("--pipe") for each in call.inner.line(value, call.given)]
    if call.has("--pipe") and not found:
        found.append(call.finding(Risk.UNKNOWN, "pipes its output into a command"))
    for value in call.values("-E", "--eval"):
        found += _expanded(call, value)
    if call.has(*_LOADS) or call.parts.loose:
        found.append(call.finding(Risk.UNKNOWN, "takes macros or options that aren't known"))
    if any(":expand" in (value.text or ":expand") for value in call.values("--qf", "--queryformat")):
        found.append(call.finding(Risk.UNKNOWN, "expands macros that a package holds"))
    return [*found, *_rpm_mode(call)] if not call.has("-E", "--eval") else found


def _expanded(call: Call, value: Word) -> list[Finding]:
    if value.text is None:
        return [call.finding(Risk.UNKNOWN, "expands macros that aren't known")]
    if _MACROS.fullmatch(value.text):
        return [call.finding(Risk.READ, "expands macros")]
    if match := _SHELL_MACRO.search(value.text):
        return call.inner.line(Word(raw=match[1], text=match[1]), call.given)
    if _REMOVES.search(value.text):
        return [call.finding(Risk.DESTRUCTIVE, "expands a macro that removes files or runs a command")]
    return [call.finding(Risk.UNKNOWN, "expands macros that may run a command")]


def _rpm_mode(call: Call) -> list[Finding]:
    queries = call.has(*_QUERIES) or (call.words[0].text or "").endswith(("rpmquery", "rpmverify"))
    if call.has(*_WRITES):
        return [call.finding(Risk.CHANGE, "changes the database of packages or their files")]
    if queries and call.has("-e", "--erase", "-U", "--upgrade", "-F", "--freshen"):
        return [call.finding(Risk.UNKNOWN, "has two modes")]
    if queries:
        return [call.finding(Risk.READ, "asks about packages")]
    if call.has(*_INSTALLS):
        if call.has("--test"):
            return [call.finding(Risk.READ, "only tests whether it could be done")]
        return [call.finding(Risk.CHANGE, "installs or removes packages")]
    if call.has(*_SHOWS):
        return [call.finding(Risk.READ, "shows settings")]
    return [call.finding(Risk.UNKNOWN, "names no mode")]


_ASKS = {
    "-S": ("-s", "--search", "-i", "--info", "-g", "--groups", "-l", "--list", "-p", "--print"),
    "-R": ("-p", "--print"),
    "-U": ("-p", "--print"),
    "-D": ("-k", "--check"),
    "-F": (),
}
_MODES = {
    "-S": ("-S", "--sync"),
    "-R": ("-R", "--remove"),
    "-U": ("-U", "--upgrade"),
    "-D": ("-D", "--database"),
    "-F": ("-F", "--files"),
}


def pacman(call: Call) -> list[Finding]:
    """Judge pacman by its operation; yay and paru are called as it is."""
    if call.parts.loose or call.has("--config", "--hookdir", "--gpgdir"):
        return [call.finding(Risk.UNKNOWN, "takes options or settings that aren't known")]
    modes = [mode for mode, names in _MODES.items() if call.has(*names)]
    if call.has("-Q", "--query", "-T", "--deptest", "-V", "--version") and not modes:
        return [call.finding(Risk.READ, "asks about packages")]
    if len(modes) != 1:
        return [call.finding(Risk.UNKNOWN, "names no operation that is known")]
    mode = modes[0]
    refreshes = mode in {"-S", "-F"} and call.has("-y", "--refresh")
    removes = call.has("-c", "--clean", "--asdeps", "--asexplicit", "-u", "--sysupgrade") and mode in {
        "-S",
        "-D",
    }
    if not refreshes and not removes and (mode == "-F" or call.has(*_ASKS[mode])):
        return [call.finding(Risk.READ, "asks about packages")]
    if mode == "-R" and call.has("-n", "--nosave"):
        return [call.finding(Risk.DESTRUCTIVE, "removes packages and their settings")]
    return [call.finding(Risk.CHANGE, "changes what is installed")]
