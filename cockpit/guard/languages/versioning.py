"""What git runs and loses by its settings, addresses and the number of its operands.

Source: git(1), git-config(1), git-branch(1), git-tag(1), git-checkout(1), git-restore(1), gitremote-helpers(7).
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word, literal, shown

_LINES = (
    "core.pager", "pager.*", "core.editor", "sequence.editor", "core.sshcommand", "core.fsmonitor", "core.askpass",
    "diff.external", "diff.*.command", "diff.*.textconv", "filter.*.clean", "filter.*.smudge", "filter.*.process",
    "merge.*.driver", "mergetool.*.cmd", "difftool.*.cmd", "gpg.program", "gpg.*.program", "interactive.difffilter",
    "trailer.*.command", "trailer.*.cmd", "remote.*.uploadpack", "remote.*.receivepack", "man.*.cmd", "browser.*.cmd",
    "uploadpack.packobjectshook", "tar.*.command", "sendemail.*cmd", "gpg.ssh.defaultkeycommand",
)  # fmt: skip
"""Settings whose value git runs."""
_MARKED = ("alias.*", "credential.helper", "credential.*.helper", "submodule.*.update")
"""Settings whose value git runs where it begins with `!`."""
_PLAIN = (
    "color.*", "column.*", "log.*", "user.*", "author.*", "committer.*", "advice.*", "status.*", "blame.*", "grep.*",
    "i18n.*", "pack.*", "gc.*", "fetch.*", "push.*", "branch.*", "merge.conflictstyle",
    "merge.renames", "diff.algorithm",
    "diff.renames", "diff.renamelimit", "diff.noprefix", "diff.mnemonicprefix", "diff.context", "diff.colormoved*",
    "diff.wserrorhighlight", "diff.relative", "diff.submodule", "diff.ignoresubmodules", "diff.wordregex",
    "versionsort.*", "format.pretty", "safe.directory", "protocol.version", "http.sslverify", "http.extraheader",
    "http.postbuffer", "http.version", "http.lowspeed*", "core.quotepath", "core.abbrev", "core.autocrlf",
    "core.safecrlf",
    "core.filemode", "core.ignorecase", "core.precomposeunicode", "core.preloadindex", "core.untrackedcache",
    "core.checkstat", "core.longpaths", "core.compression", "core.bare", "core.commitgraph", "core.multipackindex",
    "core.whitespace", "core.eol", "core.symlinks", "core.trustctime", "index.*", "feature.*", "commitgraph.*",
    "submodule.recurse", "rerere.*", "init.defaultbranch", "pull.*", "rebase.autostash", "commit.gpgsign",
    "tag.gpgsign", "tag.sort", "transfer.fsckobjects", "uploadpack.allow*", "checkout.*", "stash.*",
    "showbranch.*",
)  # fmt: skip
"""Settings that run nothing."""
_QUIET = frozenset({"", "cat", "less", "more", "true", "false", "less -R", "less -FRX"})


def settings(call: Call) -> list[Finding]:
    """Judge what `git -c NAME=VALUE` makes git run."""
    return [each for value in call.values("-c") for each in _setting(call, value)]


def _setting(call: Call, word: Word) -> list[Finding]:
    if word.text is None:
        return [call.finding(Risk.UNKNOWN, f"has a setting that isn't known: {word.raw}")]
    name, _, value = word.text.partition("=")
    name = name.lower()
    if any(fnmatchcase(name, pattern) for pattern in _LINES):
        return [] if value in _QUIET else _line(call, value, f"runs what {name} says")
    if any(fnmatchcase(name, pattern) for pattern in _MARKED) and value.startswith("!"):
        return _line(call, value[1:], f"runs what {name} says")
    if any(fnmatchcase(name, pattern) for pattern in _PLAIN):
        return []
    return [call.finding(Risk.UNKNOWN, f"sets {name}, which may decide what git runs")]


def _line(call: Call, line: str, why: str) -> list[Finding]:
    """Judge a line that git gives to a shell, with words of its own behind."""
    return [call.finding(Risk.UNKNOWN, why), *call.inner.line(literal(line), NOTHING)]


def transport(call: Call) -> list[Finding]:
    """Judge the programs that stand for the other side of a connection, and addresses that are commands."""
    found = []
    for value in call.values("--upload-pack", "--receive-pack", "--exec"):
        found += [call.finding(Risk.UNKNOWN, "names the program that it talks to")]
        found += call.inner.line(value, NOTHING)
    for word in (*call.parts.operands, *call.values("--repo", "--remote")):
        if word.start.startswith("ext::"):
            found += _line(call, word.start.removeprefix("ext::"), "has an address that is a command")
    return found


def pager(call: Call) -> list[Finding]:
    """Judge `git grep -O[PAGER]`: the files that match are opened in a program."""
    found = []
    for option in call.parts.options:
        if not {"-O", "--open-files-in-pager"} & set(option.names):
            continue
        line = option.value.text if option.value is not None else option.word.start.partition("-O")[2]
        found.append(call.finding(Risk.UNKNOWN, "opens files in a program"))
        found += call.inner.line(literal(line), NOTHING) if line else []
    return found


def tool(call: Call) -> list[Finding]:
    """Judge `git difftool`: it opens files in a program."""
    found = [call.finding(Risk.UNKNOWN, "opens files in a program")]
    values = call.values("-x", "--extcmd")
    return found + [each for value in values for each in call.inner.line(value, NOTHING)]


def executed(call: Call) -> list[Finding]:
    """Judge the lines that a rebase runs between commits."""
    return [each for value in call.values("-x", "--exec") for each in call.inner.line(value, NOTHING)]


_LISTS = (
    "-l", "--list", "--contains", "--no-contains", "--with", "--without", "--merged", "--no-merged", "--points-at",
    "--show-current",
)  # fmt: skip


def branch(call: Call) -> list[Finding]:
    """Judge `git branch`: with a name it makes one, unless it lists those that fit."""
    if call.has("-D") or (call.has("-d", "--delete") and call.has("-f", "--force")):
        return [call.finding(Risk.DESTRUCTIVE, "deletes branches, merged or not")]
    if call.parts.operands and not call.has(*_LISTS):
        return [call.finding(Risk.CHANGE, "makes or changes a branch")]
    return [call.finding(Risk.READ, "lists branches")]


def tag(call: Call) -> list[Finding]:
    """Judge `git tag`: with a name it makes one, unless it lists or verifies those that fit."""
    if call.parts.operands and not call.has(*_LISTS, "-n", "-v", "--verify"):
        return [call.finding(Risk.CHANGE, "makes a tag")]
    return [call.finding(Risk.READ, "lists tags")]


def checkout(call: Call) -> list[Finding]:
    """Judge `git checkout`: paths are overwritten, and edits in them lost."""
    operands = call.parts.operands
    paths = 0 <= call.parts.separator < len(operands)
    made = call.has("-b", "-B", "--orphan", "-t", "--track", "--detach", "-d")
    beyond = len(operands) > 1 and not made
    if paths or beyond or any(_is_path(word) for word in operands):
        return [call.finding(Risk.DESTRUCTIVE, "overwrites files that may have been edited")]
    return [call.finding(Risk.CHANGE, "switches to another branch or commit")]


def _is_path(word: Word) -> bool:
    return word.shown.startswith((".", ":", "/")) or word.glob


def restore(call: Call) -> list[Finding]:
    """Judge `git restore`: with `--staged` alone it leaves the files as they are."""
    if call.has("-S", "--staged") and not call.has("-W", "--worktree"):
        return [call.finding(Risk.CHANGE, "takes changes out of the index")]
    return [call.finding(Risk.DESTRUCTIVE, "overwrites files that may have been edited")]


_ASKS = (
    "--get", "--get-all", "--get-regexp", "--get-urlmatch", "--get-color", "--get-colorbool", "-l", "--list",
)  # fmt: skip
_CHANGES = (
    "--add", "--unset", "--unset-all", "--replace-all", "--rename-section", "--remove-section", "-e", "--edit",
)  # fmt: skip


def config(call: Call) -> list[Finding]:
    """Judge `git config`: a name alone is asked for, a name and a value is set."""
    operands: Sequence[Word] = call.parts.operands
    if call.has(*_CHANGES):
        return [call.finding(Risk.CHANGE, "changes a setting")]
    first = operands[0].text if operands else ""
    if call.has(*_ASKS) or first in {"get", "list", "get-color", "get-colorbool"}:
        return [call.finding(Risk.READ, "prints settings")]
    if first in {"set", "unset", "edit", "rename-section", "remove-section"}:
        return [call.finding(Risk.CHANGE, "changes a setting")]
    if len(operands) > 1:
        return [call.finding(Risk.CHANGE, f"sets {operands[0].shown}")]
    if operands and operands[0].many:
        return [call.finding(Risk.UNKNOWN, f"may set what isn't known: {shown(operands)}")]
    return [call.finding(Risk.READ, "prints settings")]


def filtered(call: Call) -> list[Finding]:
    """Judge the lines that `git filter-branch` runs on every commit."""
    names = [f"--{each}-filter" for each in ("env", "tree", "index", "parent", "msg", "commit", "tag-name")]
    return [each for value in call.values(*names) for each in call.inner.line(value, NOTHING)]
