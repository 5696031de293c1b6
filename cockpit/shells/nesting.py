"""Knows the programs that read lines of their own: what is typed in them is not itemised."""

from __future__ import annotations

import re
import shlex

_SHELLS = frozenset(
    {"sh", "bash", "zsh", "fish", "dash", "ash", "ksh", "mksh", "csh", "tcsh", "rbash", "busybox"}
)
_READERS = frozenset(
    {
        "su",
        "ssh",
        "mosh",
        "telnet",
        "tmux",
        "screen",
        "script",
        "newgrp",
        "chroot",
        "nsenter",
        "unshare",
        "machinectl",
        "psql",
        "mysql",
        "mariadb",
        "sqlite3",
        "redis-cli",
        "valkey-cli",
        "mongo",
        "mongosh",
        "clickhouse-client",
        "cqlsh",
        "python",
        "python3",
        "ipython",
        "node",
        "irb",
        "gdb",
        "sftp",
        "ftp",
        "lftp",
    }
)
_CONTAINERS = frozenset({"docker", "podman", "kubectl", "oc", "nerdctl", "crictl", "lxc", "incus"})
_WRAPPERS = frozenset(
    {"env", "exec", "command", "nice", "nohup", "time", "stdbuf", "setsid", "doas", "builtin"}
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_PARTS = re.compile(r"[;\n]|&&|\|\|?|&")


def reader(line: str) -> str:
    """Return the program of a line that may read further lines itself; empty where none is known to."""
    for part in _PARTS.split(line):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            words = part.split()
        if found := _reader(words):
            return found
    return ""


def _reader(words: list[str]) -> str:
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in _WRAPPERS or words[0].startswith("-")):
        words = words[1:]
    if not words:
        return ""
    name, rest = words[0].rsplit("/", 1)[-1], words[1:]
    if name in ("sudo", "run0"):
        if not rest or any(re.fullmatch(r"-\w*[si]\w*|--shell|--login", word) for word in rest):
            return name
        while rest and rest[0].startswith("-"):
            rest = rest[2:] if rest[0] in ("-u", "-g", "-h", "-p", "-C", "-D", "-r", "-t") else rest[1:]
        return f"{name} {inner}" if (inner := _reader(rest)) else ""
    if name in _SHELLS:
        given = [word for word in rest if not word.startswith("-")]
        flags = [word for word in rest if word.startswith("-")]
        return "" if given or any("c" in flag for flag in flags if not flag.startswith("--")) else name
    if name in _CONTAINERS:
        interactive = any(re.fullmatch(r"-\w*[it]\w*|--tty|--stdin|--interactive", word) for word in rest)
        return name if {"exec", "run", "attach", "shell"} & set(rest) and interactive else ""
    return name if name in _READERS else ""
