"""Perl one-liners that only look at text: `perl -ne 'print if /x/'`.

Source: the manuals of Perl 5.40: perlrun, perlop, perlsyn. Whatever is not one of the few forms known here may do
anything: no name that isn't listed, no reference, no block in a string or a pattern, no slash that may divide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import Call
from cockpit.guard.findings import Finding
from cockpit.guard.languages.code import code
from cockpit.guard.words import Word

_NAMES = frozenset(
    {
        "print", "printf", "say", "if", "unless", "else", "elsif", "while", "until", "for", "foreach", "my", "our",
        "split", "join", "sort", "keys", "values", "each", "length", "substr", "index", "rindex", "lc", "uc",
        "lcfirst", "ucfirst", "sprintf", "int", "abs", "sqrt", "log", "exp", "hex", "oct", "ord", "chr", "scalar",
        "reverse", "map", "grep", "push", "pop", "shift", "unshift", "exists", "defined", "delete", "chomp", "chop",
        "eq", "ne", "lt", "gt", "le", "ge", "cmp", "x", "and", "or", "not", "xor", "next", "last", "eof", "BEGIN",
        "END", "localtime", "gmtime", "time", "undef", "STDERR", "STDOUT", "return", "sum", "max", "min", "uniq",
        "strftime", "floor", "ceil", "Dumper", "decode_json", "encode_json",
    }
)  # fmt: skip
_PIECE = re.compile(
    r"(?P<space>\s+|#[^\n]*)"
    r"|(?P<string>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<variable>[$@%]\#?\w+|\$[.,;/\\0!&])"
    r"|(?P<change>\bs/(?:\\.|[^/\\\n])*/(?:\\.|[^/\\\n])*/[gimsxocnr]*\b"
    r"|\bs\|(?:\\.|[^|\\\n])*\|(?:\\.|[^|\\\n])*\|[gimsxocnr]*"
    r"|\b(?:tr|y)/(?:\\.|[^/\\\n])*/(?:\\.|[^/\\\n])*/[cdsr]*)"
    r"|(?P<match>(?:\bm)?/(?:\\.|[^/\\\n])*/[gimsxocn]*)"
    r"|(?P<number>\d[\d_]*(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark>=>|->|\.\.|&&|\|\||<=>|<=|<(?:STDIN)?>|%(?=\s)|[-+*=!<>|^~?:;,.(){}\[\]])",
    re.DOTALL,
)
_BEFORE_MATCH = frozenset({"if", "unless", "and", "or", "not", "split", "while", "until", "print", "grep"})
"""Names behind which a slash begins a pattern."""
_MAGIC = frozenset({"ARGV", "ENV", "INC", "SIG", "ARGVOUT", "0"})
_MODULES = re.compile(r"(List::Util|POSIX|Data::Dumper|JSON::PP|strict|warnings|utf8)(=[\w,]*)?")
_SEPARATOR = re.compile(r"\\?[^/(){}'\"`$@\\]{1,3}|/[^/(){}'\"`$@]*/")
_SUBSCRIPT = re.compile(r"[$@]\w+(->)?(\[(?!-?(\$\w+|\d+)\])|\{(?!-?\$?\w+\}))")
_OPTIONS = frozenset({"-e", "-E", "-n", "-p", "-a", "-l", "-0", "-F", "-w", "-W", "-M", "-m", "-i", "-C"}) | {
    f"-{digit}" for digit in range(10)
}


def perl(call: Call) -> list[Finding]:
    """Judge `perl -ne CODE`: it reads, or with `-i` only edits, where its code only looks at text."""
    texts = call.values("-e", "-E")
    if texts and _only_text(call, texts):
        return [call.finding(Risk.READ, "looks at text")]
    return code(call)


def _only_text(call: Call, texts: Sequence[Word]) -> bool:
    """Return whether code only looks at text, and what it reads may not be names of commands either."""
    if any(not set(option.names) <= _OPTIONS for option in call.parts.options):
        return False
    if any(not _MODULES.fullmatch(value.text or "?") for value in call.values("-M", "-m")):
        return False
    if any(not _SEPARATOR.fullmatch(value.text or "(") for value in call.values("-F")):
        return False
    for word in call.parts.operands:
        # `<>` runs a file's name that ends in a bar, and writes one that begins with `>`.
        if (
            word.text is None
            or not re.match(r"[\w./~]", word.text)
            or re.search(r"(\||[*?\]])\s*$", word.text)
        ):
            return False
    return all(word.text is not None and _reads(word.text) for word in texts)


def _reads(text: str) -> bool:
    if re.search(r"(?m)^=[a-z]", text):
        return False
    at = 0
    before: re.Match[str] | None = None
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None or not _harmless(text, found, before):
            return False
        at = found.end()
        if found.lastgroup != "space":
            before = found
    return True


def _harmless(text: str, found: re.Match[str], before: re.Match[str] | None) -> bool:
    piece, rest = found[0], text[found.end() :]
    if rest[:1] == "'" and found.lastgroup in {"name", "variable"}:
        return False  # in a name it parts packages
    last = before[0] if before is not None else ";"
    match found.lastgroup:
        case "name":
            return piece in _NAMES or _is_key(text, found)
        case "variable":
            return piece.lstrip("$@%#") not in _MAGIC
        case "match" | "change":
            return last != "-" and _begins(found, before) and _is_quiet(piece)
        case "string":
            return piece[0] == "'" or _is_quiet(piece)
        case "mark" if piece == "<":
            # Where a value may begin it opens a handle or a pattern of names, up to the next `>`.
            return before is not None and (before.lastgroup in {"variable", "number"} or last in {")", "]"})
        case "mark" if piece == "->":
            return rest[:1] in {"[", "{"}
        case _:
            return True


def _begins(found: re.Match[str], before: re.Match[str] | None) -> bool:
    """Return whether a pattern begins here; elsewhere a slash may divide."""
    if before is None or not found[0].startswith("/"):
        return before is None or before.lastgroup in {"mark", "name"}
    if before.lastgroup == "name":
        return before[0] in _BEFORE_MATCH
    return before.lastgroup == "mark" and before[0] not in {")", "]", "}"}


def _is_quiet(piece: str) -> bool:
    """Return whether a string or pattern runs nothing: no code in it, no subscript but a plain one."""
    return not re.search(r"\(\?\??\{|[@$]\s*[{(\[]|\$\$|\(\?p?\{", piece) and not _SUBSCRIPT.search(piece)


def _is_key(text: str, found: re.Match[str]) -> bool:
    """Return whether a name is a key, as in `$count{total}`."""
    return re.search(r"([$@]\w+|->)\{$", text[: found.start()]) is not None and text[found.end() :][:1] == "}"
