"""Programs for disks that have a language of their own: dd's operands; commands of parted, debugfs and ceph.

Source: POSIX.1-2017, dd; parted(8); debugfs(8).
"""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.call import Call
from cockpit.guard.findings import Finding

_NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2", "/dev/tty"})
_OPERAND = re.compile(
    r"(if|ibs|obs|bs|cbs|skip|iseek|seek|oseek|count|conv|iflag|oflag|status|hash|hashwindow)=.*", re.S
)


def dd(call: Call) -> list[Finding]:
    """Judge `dd OPERAND=VALUE…`: it writes to what `of=` names, else to its output."""
    found = []
    for word in call.rest:
        known = word.start if word.text is None else word.text
        if known.startswith("of="):
            target = known.removeprefix("of=")
            if word.text is not None and not word.glob and target in _NOWHERE:
                continue
            device = target.startswith("/dev/") or (word.text is None and "/dev/".startswith(target))
            why = "overwrites a device" if device else "overwrites a file"
            found.append(call.finding(Risk.DESTRUCTIVE if device else Risk.CHANGE, why))
        elif not _OPERAND.fullmatch(known):
            if word.text not in {"--help", "--version", "--"}:
                found.append(call.finding(Risk.UNKNOWN, f"has an operand that isn't known: {word.raw}"))
        elif word.many and not word.glob:
            found.append(call.finding(Risk.UNKNOWN, f"has words that aren't known: {word.raw}"))
    return found or [call.finding(Risk.READ, "reads blocks")]


_PARTED_READS = {"print": 1, "unit": 1, "align-check": 2, "help": 1, "select": 1, "quit": 0, "version": 0}
_PARTED_PRINTS = frozenset({"devices", "free", "list", "all"})


def parted(call: Call) -> list[Finding]:
    """Judge `parted [OPTIONS] [DEVICE [COMMAND [PARAMETERS]…]…]`: all commands have to be ones that look."""
    if call.has("-l", "--list") and not call.parts.operands and not call.parts.loose:
        return [call.finding(Risk.READ, "lists partitions")]
    words = [word.text for word in call.parts.operands[1:]]
    if not words or None in words or call.parts.loose:
        return [call.finding(Risk.UNKNOWN, "takes commands that aren't known")]
    waiting = [text or "" for text in words]
    while waiting:
        name = waiting.pop(0)
        command = next((each for each in _PARTED_READS if len(name) > 1 and each.startswith(name)), "")
        if name == "p":
            command = "print"
        if not command:
            return [call.finding(Risk.DESTRUCTIVE, f"edits a partition table ({name})")]
        takes = _PARTED_READS[command]
        if command == "print" and waiting and not (waiting[0] in _PARTED_PRINTS or waiting[0].isdigit()):
            takes = 0
        if command == "select":
            return [call.finding(Risk.UNKNOWN, "turns to another device")]
        del waiting[:takes]
    return [call.finding(Risk.READ, "shows a partition table")]


_DEBUGFS_READS = frozenset(
    {
        "ls", "stat", "cat", "blocks", "bmap", "ex", "extents", "dump_extents", "features", "feature", "freefrag",
        "htree", "htree_dump", "icheck", "imap", "inode_dump", "idump", "id", "lsdel", "list_deleted_inodes",
        "ncheck", "show_super_stats", "stats", "testb", "testi", "pwd", "supported_features", "block_dump", "bdump",
        "bd", "ea_list", "help", "ffb", "ffi", "filefrag", "list_quota", "get_quota", "lq", "gq", "dirsearch",
        "show_debugfs_params", "dx_hash", "e2freefrag", "logdump",
    }
)  # fmt: skip


def debugfs(call: Call) -> list[Finding]:
    """Judge `debugfs [-w] [-R COMMAND] [-f FILE] DEVICE`."""
    requests = call.values("-R")
    if call.parts.loose or call.has("-f", "-z") or len(requests) != 1 or requests[0].text is None:
        return [call.finding(Risk.UNKNOWN, "takes commands that aren't known")]
    words = requests[0].text.split()
    name = words[0] if words else ""
    flags = {"-f", "-O"} & set(words)
    if name in _DEBUGFS_READS and not flags and not (name in {"feature", "features"} and len(words) > 1):
        return [call.finding(Risk.READ, "looks into a file system")]
    if not call.has("-w"):
        return [call.finding(Risk.CHANGE, f"may write a file ({name})")]
    if name in {
        "rm",
        "rmdir",
        "kill_file",
        "clri",
        "unlink",
        "punch",
        "zap_block",
        "zap",
        "freei",
        "freeb",
        "write",
    }:
        return [call.finding(Risk.DESTRUCTIVE, f"changes a file system from within ({name})")]
    return [call.finding(Risk.CHANGE, f"changes a file system from within ({name})")]


def ceph(call: Call) -> list[Finding]:
    """Judge ceph without a command: it shows how the cluster is, or takes commands from its input."""
    if call.has("-s", "--status", "-w", "--watch", "-v", "--version") and not call.parts.loose:
        return [call.finding(Risk.READ, "shows how the cluster is")]
    return [call.finding(Risk.UNKNOWN, "takes commands from its input")]
