"""Judges what a program runs when it runs another, and what variables make a program run."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.ruleset import Wraps
from cockpit.guard.words import Word, shown


def wrapped(call: Call, wraps: Wraps) -> list[Finding]:
    """Judge what a call runs, by how its program runs others."""
    lines = call.values(*wraps.line)
    found = [each for line in lines for each in call.inner.line(line, call.given)]
    operands = list(call.parts.operands)
    if wraps.after == "--" and call.parts.separator >= 0:
        operands = operands[call.parts.separator :]
    else:
        found += [
            call.finding(Risk.UNKNOWN, f"has words that may be more than one: {word.raw}")
            for word in operands[: wraps.skip]
            if word.many
        ]
        operands = operands[wraps.skip :]
    if wraps.assignments:
        while operands and operands[0].text is not None and assigns(operands[0].text):
            found += environment(operands.pop(0))
    if operands and wraps.shell:
        found += call.inner.line(_as_line(operands), call.given)
    elif operands:
        given = ANYTHING if wraps.more else call.given
        more = [Word(raw="…", many=True)] if wraps.more else []
        found += call.inner.words([*operands, *more], given)
    elif not lines:
        found.append(
            call.finding(wraps.alone, "runs nothing else" if wraps.alone is Risk.READ else "starts a shell")
        )
    return found


def _as_line(words: Sequence[Word]) -> Word:
    """Return the line that words make when they are joined for a shell."""
    if any(word.text is None or word.glob for word in words):
        return Word(raw=shown(words))
    return Word(raw=shown(words), text=" ".join(word.text or "" for word in words))


def environment(word: Word) -> list[Finding]:
    """Judge a variable that is set for a program: some make a program run another."""
    name = word.start.partition("=")[0].rstrip("+")
    value = word.start.partition("=")[2].strip("'\"")
    if not any(fnmatchcase(name, pattern) for pattern in LOADED):
        return []
    if any(fnmatchcase(name, pattern) for pattern in HARMLESS):
        return []
    if name == "IFS" and value in _SEPARATORS:
        return []
    if fnmatchcase(name, "*PAGER") and value in {"", "cat", "less", "more"}:
        return []
    if name == "PATH" and _trusted(word):
        return []
    why = f"sets {name}, which decides what a program runs"
    return [Finding(risk=Risk.UNKNOWN, part=word.raw, why=why)]


def _trusted(word: Word) -> bool:
    """Return whether a PATH is made of the system's own folders, and of what it was before."""
    if word.text is not None:
        parts, before = word.text.partition("=")[2].split(":"), frozenset[str]()
    else:
        parts, before = (
            word.raw.replace('"', "").partition("=")[2].split(":"),
            frozenset({"$PATH", "${PATH}"}),
        )
    return all(each in FOLDERS | before for each in parts)


FOLDERS = frozenset(
    {
        "/bin",
        "/sbin",
        "/usr/bin",
        "/usr/sbin",
        "/usr/local/bin",
        "/usr/local/sbin",
        "/snap/bin",
        "/opt/homebrew/bin",
    }
)
"""Where a program's own name can be trusted."""
LOADED = (
    "PATH", "LD_*", "DYLD_*", "BASH_ENV", "ENV", "IFS", "SHELLOPTS", "BASHOPTS", "PS4", "PROMPT_COMMAND", "CDPATH",
    "BASH_FUNC_*", "*PAGER", "*EDITOR", "VISUAL", "BROWSER", "SHELL", "HOME", "XDG_CONFIG_*", "GIT_*", "LESSOPEN",
    "LESS*", "MANOPT", "FZF_*", "BAT_*",
    "RIPGREP_CONFIG_PATH", "ACKRC", "PARALLEL*", "ZIP*", "UNZIP*", "POSIXLY_CORRECT",
    "PYTHON*", "PERL5*", "PERLLIB", "RUBY*", "NODE_*", "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "GCONV_PATH", "TAR_OPTIONS", "RSYNC_RSH", "SSH_ASKPASS*",
    "SUDO_ASKPASS", "MAKEFLAGS", "PSQLRC", "AWKPATH", "AWKLIBPATH", "TMPDIR_HOOK", "LUA_*", "PHPRC", "KUBECTL_*",
    "TF_CLI_*", "TF_PLUGIN*", "TF_REATTACH_PROVIDERS", "TF_LOG_PATH", "HELM_PLUGINS", "ANSIBLE_CONFIG",
    "ANSIBLE_LOG_PATH", "ANSIBLE_*PLUGINS*", "ANSIBLE_*LIBRARY*", "ANSIBLE_INVENTORY*", "ANSIBLE_VAULT_PASSWORD_FILE",
    "AWS_CONFIG_FILE", "AWS_DATA_PATH", "CLOUDSDK_PYTHON*", "CLOUDSDK_CONFIG", "AZURE_EXTENSION_DIR",
    "DOCKER_CONFIG", "VAULT_CONFIG_PATH", "KREW_ROOT",
    "MAILCHECK", "OPENSSL_CONF", "CURL_HOME", "WGETRC", "MYSQL_HOME", "NPM_CONFIG_*", "npm_config_*",
    "RESTIC_*COMMAND", "BORG_RSH", "BORG_*COMMAND", "BORG_REMOTE_PATH", "RCLONE_*",
)  # fmt: skip
"""Variables by which a program is made to run something, or to read another configuration that may."""

RUN = (
    "*PAGER", "*EDITOR", "VISUAL", "BROWSER", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_*ASKPASS", "RSYNC_RSH",
    "KUBECTL_EXTERNAL_DIFF", "PROMPT_COMMAND", "RESTIC_*COMMAND", "BORG_RSH", "BORG_*COMMAND",
    "RCLONE_PASSWORD_COMMAND",
)  # fmt: skip
"""Variables whose value is a line that a program runs."""
HARMLESS = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_TERMINAL_PROMPT", "GIT_OPTIONAL_LOCKS", "GIT_AUTHOR_*", "GIT_COMMITTER_*",
    "GIT_LITERAL_PATHSPECS", "GIT_FLUSH", "GIT_SSL_NO_VERIFY", "LESSSECURE", "LESSCHARSET",
)  # fmt: skip
"""Variables of those names that run nothing."""
_SEPARATORS = frozenset({"", " ", ",", ":", ";", "|", "\t", "$'\\t", "$'\\n"})
"""Values of IFS that take no harmless word apart."""


def is_run(assignment: str) -> bool:
    """Return whether a program runs what a variable is set to."""
    name = assignment.partition("=")[0]
    return any(fnmatchcase(name, pattern) for pattern in RUN)


def assigns(text: str) -> bool:
    """Return whether a word is of the form `NAME=value`."""
    name, equals, _ = text.partition("=")
    return bool(equals) and name.replace("_", "a").isalnum() and not name[:1].isdigit()
