"""Archives: whether a call lists, prints, packs or unpacks, and what it runs meanwhile.

Source: the manuals of GNU tar 1.35 and cpio 2.15; zip(1) 3, unzip(1) 6; ar(1) of binutils; 7-Zip 24; jar(1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.options import Form, Split, split
from cockpit.guard.places import writes
from cockpit.guard.words import Word, literal

_TAKING = "bCfFgHIKLNTVX"
"""Letters of tar's that have a value."""
_TAR = Form(
    takes=frozenset(f"-{letter}" for letter in _TAKING)
    | {
        "--file", "--directory", "--files-from", "--exclude-from", "--exclude", "--blocking-factor", "--record-size",
        "--listed-incremental", "--label", "--info-script", "--new-volume-script", "--format", "--add-file",
        "--use-compress-program", "--starting-file", "--newer", "--after-date", "--newer-mtime", "--tape-length",
        "--to-command", "--checkpoint-action", "--rsh-command", "--rmt-command", "--owner", "--group", "--mode",
        "--mtime", "--owner-map", "--group-map", "--transform", "--xform", "--strip-components", "--sort", "--suffix",
        "--volno-file", "--index-file", "--exclude-tag", "--exclude-tag-all", "--exclude-tag-under", "--level",
        "--exclude-ignore", "--exclude-ignore-recursive", "--quoting-style", "--quote-chars", "--no-quote-chars",
        "--pax-option", "--warning", "--hole-detection", "--set-mtime-command", "--set-mtime-format",
        "--sparse-version", "--xattrs-include", "--xattrs-exclude",
    },
    flags=frozenset(
        {
            "--list", "--extract", "--get", "--create", "--append", "--update", "--catenate", "--concatenate",
            "--delete", "--diff", "--compare", "--test-label", "--verify", "--remove-files", "--to-stdout", "--null",
            "--verbatim-files-from", "--checkpoint", "--force-local", "--help", "--version", "--usage",
            "--show-defaults", "--show-snapshot-field-ranges", "--backup", "--unlink-first", "--recursive-unlink",
            "--one-top-level", "--keep-newer-files", "--keep-old-files", "--overwrite", "--overwrite-dir", "--gzip",
            "--gunzip", "--ungzip", "--bzip2", "--xz", "--zstd", "--lzma", "--lzip", "--lzop", "--compress",
            "--uncompress", "--auto-compress", "--no-auto-compress", "--verbose", "--utc", "--full-time",
            "--wildcards", "--no-recursion", "--incremental", "--multi-volume", "--exclude-vcs", "--exclude-caches",
            "--occurrence", "--same-owner", "--no-same-owner", "--numeric-owner", "--totals", "--touch",
            "--dereference", "--hard-dereference", "--absolute-names", "--one-file-system", "--xattrs",
            "--acls", "--selinux",
        }
    ),
)  # fmt: skip
_LINES = (
    "-I", "--use-compress-program", "--to-command", "-F", "--info-script", "--new-volume-script", "--rsh-command",
    "--rmt-command", "--set-mtime-command",
)  # fmt: skip
_QUIET_ACTION = re.compile(r"(echo|dot|\.|bell|sleep|totals|ttyout|wait)(=.*)?", re.DOTALL)


def tar(call: Call) -> list[Finding]:
    """Judge `tar`: what it lists or prints reads, what it packs or unpacks changes, what it runs is judged."""
    parts = split(_modern(call.rest), _TAR)
    found = _tar_runs(call, parts)
    if parts.loose:
        found.append(call.finding(Risk.UNKNOWN, "has words that may be options"))
    if _has(parts, "--remove-files"):
        found.append(call.finding(Risk.DESTRUCTIVE, "removes the files that it packs"))
    files = _values(parts, "-T", "--files-from")
    if files and not _has(parts, "--null", "--verbatim-files-from"):
        found.append(call.finding(Risk.UNKNOWN, "takes files, and options among them, from a list"))
    names = _values(parts, "-f", "--file")
    if any(":" in word.start.partition("/")[0] for word in names) and not _has(parts, "--force-local"):
        found.append(call.finding(Risk.UNKNOWN, "reaches another machine for its archive"))
    logs = _values(parts, "--index-file", "--volno-file")
    found += [each for word in logs for each in writes(call, word)]
    return found + _tar_mode(call, parts, names)


def _modern(words: Sequence[Word]) -> list[Word]:
    """Return tar's words with the old form `tar xzf FILE` written as options."""
    if not words or words[0].text is None or words[0].text.startswith("-"):
        return list(words)
    rest = list(words[1:])
    made: list[Word] = []
    for letter in words[0].text:
        made.append(literal(f"-{letter}"))
        if letter in _TAKING and rest:
            made.append(rest.pop(0))
    return made + rest


def _tar_runs(call: Call, parts: Split) -> list[Finding]:
    found = [each for line in _values(parts, *_LINES) for each in call.inner.line(line, ANYTHING)]
    for action in _values(parts, "--checkpoint-action"):
        text = action.text
        if text is not None and text.startswith("exec="):
            found += call.inner.line(literal(text.removeprefix("exec=")), ANYTHING)
        elif text is None or not _QUIET_ACTION.fullmatch(text):
            found.append(call.finding(Risk.UNKNOWN, f"has an action that isn't known: {action.shown}"))
    return found


def _tar_mode(call: Call, parts: Split, names: Sequence[Word]) -> list[Finding]:
    if _has(parts, "--delete"):
        return [call.finding(Risk.DESTRUCTIVE, "removes files from an archive")]
    if _has(parts, "-r", "--append", "-u", "--update", "-A", "--catenate", "--concatenate"):
        return [call.finding(Risk.CHANGE, "adds to an archive")]
    if _has(parts, "-c", "--create"):
        found = [each for word in names for each in writes(call, word, "writes an archive", stdout="-")]
        if _has(parts, "-g", "--listed-incremental"):
            found.append(call.finding(Risk.CHANGE, "writes a list of what it packed"))
        return found or [call.finding(Risk.READ, "prints an archive")]
    if _has(parts, "-x", "--extract", "--get"):
        if _has(parts, "-O", "--to-stdout") and not _has(parts, "--to-command"):
            return [call.finding(Risk.READ, "prints files of an archive")]
        if _has(parts, "--to-command"):
            return []
        return [call.finding(Risk.CHANGE, "unpacks files")]
    if _has(
        parts, "-t", "--list", "-d", "--diff", "--compare", "--test-label", "--help", "--version", "--usage"
    ):
        return [call.finding(Risk.READ, "lists an archive")]
    return [call.finding(Risk.UNKNOWN, "isn't told what to do")]


def _has(parts: Split, *names: str) -> bool:
    return any(set(option.names) & set(names) for option in parts.options)


def _values(parts: Split, *names: str) -> list[Word]:
    return [o.value for o in parts.options if o.value is not None and set(o.names) & set(names)]


_TWO = re.compile(r"-(dd|db|dc|dg|ds|df|mm|du|dv|ms|sd)")
_ZIP_SHOWS = frozenset(
    {"-sf", "--show-files", "-su", "-sU", "-so", "--show-options", "-h", "-h2", "--help", "-L", "--version"}
)
_ZIP_TAKES = frozenset(
    {"-b", "-n", "-t", "-tt", "-s", "-x", "-i", "-P", "-lf", "-O", "-TT", "-Z", "-R", "-sp"}
)


def zip_(call: Call) -> list[Finding]:
    """Judge `zip`: it writes its archive, with `-d` and `-m` removes files, with `-TT` runs a line."""
    texts = [word.text for word in call.rest]
    found: list[Finding] = []
    for at, text in enumerate(texts):
        if text in {"-TT", "--unzip-command"}:
            found += [each for word in call.rest[at + 1 : at + 2] for each in call.inner.line(word, ANYTHING)]
        elif text is not None and text.startswith(("-TT", "--unzip-command=")):
            found.append(call.finding(Risk.UNKNOWN, "runs a line"))
        elif text in {"--delete", "--move"} or (
            text is not None and not _TWO.match(text) and re.fullmatch(r"-[a-zA-Z0-9]*[dm][a-zA-Z0-9]*", text)
        ):
            found.append(call.finding(Risk.DESTRUCTIVE, "removes files, or entries of its archive"))
        elif text in {"-lf", "--logfile-path"}:
            found.append(call.finding(Risk.CHANGE, "writes a log"))
    if _ZIP_SHOWS & set(texts):
        return [*found, call.finding(Risk.READ, "shows what it would do")]
    before = texts[: texts.index("-")] if "-" in texts else [None]
    if all(text is not None and text.startswith("-") and text not in _ZIP_TAKES for text in before):
        return [*found, call.finding(Risk.READ, "prints an archive")]
    return [*found, call.finding(Risk.CHANGE, "writes an archive")]


_UNZIP_READS = ("-l", "-v", "-t", "-p", "-c", "-z", "-Z", "-h")


def unzip(call: Call) -> list[Finding]:
    """Judge `unzip`: only options before the archive count, and a second dash takes one back."""
    words = [option.word for option in call.parts.options]
    if any("-" in word.start[1:] for word in words) or any(
        word is not call.rest[-1] for word in call.parts.loose
    ):
        return [call.finding(Risk.UNKNOWN, "has options that can't be followed")]
    if call.has("-T"):
        return [call.finding(Risk.CHANGE, "sets the time of an archive")]
    if any(word.many for word in call.parts.loose):
        return [call.finding(Risk.UNKNOWN, "has words that may be options")]
    if call.has(*_UNZIP_READS) or not call.rest:
        return [call.finding(Risk.READ, "lists, tests or prints an archive")]
    return [call.finding(Risk.CHANGE, "unpacks files")]


_PACKER_READS = ("-c", "--stdout", "--to-stdout", "--list", "-t", "--test", "-V", "--version", "--help")
_PACKER_LISTS = re.compile(r"(un|p)?(gzip|pigz|xz|lzma|zstd|zstdmt|lzop|lzip)|gunzip|ggzip")
"""Those that list with `-l`; to others it means something else."""
_PACKER_WRITES = (
    "-o",
    "--output",
    "--rm",
    "-j",
    "--train",
    "--output-dir-flat",
    "--output-dir-mirror",
    "--files",
    "--filelist",
)


def packer(call: Call) -> list[Finding]:
    """Judge gzip and its like: they replace files, or print with `-c`, test with `-t`, list with `-l`."""
    name = (call.words[0].text or "").rpartition("/")[2]
    if "zstd" in name and any(
        "o" in word.shown for word in call.values("-T", "-M", "-B", "-b", "-e", "-i", "-p")
    ):
        return [call.finding(Risk.CHANGE, "may write a file")]  # other letters may follow a number
    if call.has(*_PACKER_WRITES) and not (call.has("--files") and call.has(*_PACKER_READS)):
        outputs = call.values("-o", "--output")
        found = [each for word in outputs for each in writes(call, word, stdout="-")]
        if outputs and not call.has("--rm", "-j"):
            return found or [call.finding(Risk.READ, "prints what it packs or unpacks")]
        return [call.finding(Risk.CHANGE, "writes files")]
    if call.has(*_PACKER_READS) or (call.has("-l") and _PACKER_LISTS.fullmatch(name)):
        if call.parts.loose and name in {"zstd", "unzstd", "zstdmt", "pzstd", "lz4", "unlz4", "brotli"}:
            return [call.finding(Risk.UNKNOWN, "has words that may be options")]
        return [call.finding(Risk.READ, "lists, tests or prints files")]
    if all(word.text == "-" for word in call.parts.operands):
        return [call.finding(Risk.READ, "packs or unpacks what it reads")]
    return [call.finding(Risk.CHANGE, "packs or unpacks files")]


def cpio(call: Call) -> list[Finding]:
    """Judge `cpio -i`, which unpacks, `-o`, which packs, `-p`, which copies, and `-t`, which lists."""
    if call.has("--rsh-command"):
        return [call.finding(Risk.UNKNOWN, "runs a program to reach its archive")]
    if call.parts.loose:
        return [call.finding(Risk.UNKNOWN, "has words that may be options")]
    if call.has("-p", "--pass-through"):
        return [call.finding(Risk.CHANGE, "copies files")]
    if call.has("-o", "--create"):
        names = call.values("-O", "-F", "--file")
        found = [each for word in names for each in writes(call, word, "writes an archive", stdout="-")]
        return found or [call.finding(Risk.READ, "prints an archive")]
    if call.has("-t", "--list", "--to-stdout"):
        return [call.finding(Risk.READ, "lists or prints an archive")]
    return [call.finding(Risk.CHANGE, "unpacks files")]


def ar(call: Call) -> list[Finding]:
    """Judge `ar`: the first letter of its key says what it does."""
    if any(word.text is None or word.text.startswith(("@", "--")) for word in call.rest[:2]):
        return [call.finding(Risk.UNKNOWN, "has options that aren't known")]
    if any((word.text or "").startswith(("@", "--plugin")) for word in call.rest):
        return [call.finding(Risk.UNKNOWN, "takes options or code from a file")]
    key = (call.rest[0].text or "").lstrip("-") if call.rest else ""
    if key[:1] == "d":
        return [call.finding(Risk.DESTRUCTIVE, "removes members of an archive")]
    if re.fullmatch(r"[tp][vVOPTofNi]*", key):
        return [call.finding(Risk.READ, "lists or prints an archive")]
    return [call.finding(Risk.CHANGE, "changes an archive, or unpacks it")]


def jar(call: Call) -> list[Finding]:
    """Judge `jar tf FILE`, which lists; any other call writes."""
    key = call.rest[0].text or "" if call.rest else ""
    if re.fullmatch(r"-?t[vf]*", key) or key in {"--list", "--describe-module", "--help", "--version", "-d"}:
        if any(word.is_open or (word.text or "").startswith("@") for word in call.rest):
            return [call.finding(Risk.UNKNOWN, "has words that may be options")]
        return [call.finding(Risk.READ, "lists an archive")]
    return [call.finding(Risk.CHANGE, "writes files")]


def seven(call: Call) -> list[Finding]:
    """Judge 7-Zip by its command, and switches that print or delete."""
    texts = [word.text for word in call.rest]
    command = next((text for text in texts if text is None or not text.startswith("-")), "h")
    if command is None or any(word.is_open for word in call.rest):
        return [call.finding(Risk.UNKNOWN, "has words that may be switches")]
    if "-sdel" in [text.lower() for text in texts if text is not None] or command.lower() == "d":
        return [call.finding(Risk.DESTRUCTIVE, "removes files, or members of an archive")]
    if command.lower() in {"l", "t", "i", "h", "b"} or (
        command.lower() in {"e", "x", "a"} and "-so" in texts
    ):
        return [call.finding(Risk.READ, "lists, tests or prints an archive")]
    return [call.finding(Risk.CHANGE, "packs or unpacks files")]
