"""Judges a line for a shell: every command in it, wherever the grammar can hide one.

The line is parsed by tree-sitter's grammar of Bash. The tree is walked by an allowlist: a kind of node that is not
known here makes the line unknown, and so does whatever does not parse. `/bin/sh` may be another shell than Bash, so
a form that two shells read differently counts as the worse of both.

Source: the Bash manual, 3 (basic shell features); POSIX.1-2017, Shell Command Language.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, NOTHING, Input
from cockpit.guard.findings import Finding, rank
from cockpit.guard.program import Programs
from cockpit.guard.variables import known_values
from cockpit.guard.words import Word, read, read_joined, text_of, unknown
from cockpit.guard.wrappers import environment

if TYPE_CHECKING:
    from tree_sitter import Language, Node

LONGEST = 64 * 1024
"""Characters of a line; a longer one is not judged."""
DEEPEST = 16
"""Lines within lines, and commands within commands, that are followed."""
NESTED = 200
"""Nodes within nodes that are followed."""

_BLOCKS = frozenset(
    {
        "program", "list", "compound_statement", "subshell", "do_group", "else_clause", "elif_clause",
        "if_statement", "while_statement", "case_item", "negated_command",
    }
)  # fmt: skip
"""Nodes whose commands are simply those of their children."""
_WORDS = frozenset(
    {
        "word", "number", "string", "raw_string", "ansi_c_string", "translated_string", "concatenation",
        "simple_expansion", "expansion", "command_substitution", "process_substitution", "arithmetic_expansion",
        "brace_expression", "extglob_pattern", "regex", "variable_name", "test_operator",
    }
)  # fmt: skip
_CONDITIONS = frozenset(
    {
        "binary_expression", "unary_expression", "parenthesized_expression", "postfix_expression",
        "ternary_expression", "subscript", "variable_assignment",
    }
)  # fmt: skip
_NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full"})
_DEVICE = re.compile(r"/dev/(sd|hd|vd|xvd|nvme|mmcblk|md|dm-|mapper/|disk/|loop|sr|mem|kmem|port)")
_DESCRIPTOR = re.compile(r"/dev/fd/\d+|/proc/self/fd/\d+")


class ShellJudge:
    """Judges lines for a shell and the commands in them.

    Args:
        programs: Judges each program.
    """

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def line(self, line: str) -> list[Finding]:
        """Judge a line; never raises."""
        return _Reader(self._programs).line(Word(raw=line, text=line), NOTHING)

    def argv(self, argv: Sequence[str]) -> list[Finding]:
        """Judge a program started with these arguments, no shell in between."""
        words = [Word(raw=each, text=each, start=each) for each in argv]
        hidden = [found for each in argv for found in _hidden(each)]
        return hidden + _Reader(self._programs).words(words, NOTHING)


class _Reader:
    """Reads lines and the lines within them."""

    def __init__(self, programs: Programs, depth: int = 0, defined: frozenset[str] = frozenset()) -> None:
        self._programs = programs
        self._depth = depth
        self._defined = defined
        """Functions and aliases that lines further out define."""

    def line(self, line: Word, given: Input) -> list[Finding]:
        """Judge a line that a shell gets."""
        if line.text is None or line.glob:
            return [_found(Risk.UNKNOWN, line.raw, "is a line for a shell that isn't known before it runs")]
        if refused := _refused(line.text) or self._too_deep(line.text):
            return refused
        root = _parse(line.text)
        found = []
        if root.has_error:
            found.append(_found(Risk.UNKNOWN, _first_error(root), "is not what a shell's grammar has here"))
        calls = _definitions(root)
        walk = _Walk(self._programs, self._depth, self._defined | calls.keys(), known_values(root))
        walk.circular = _circular(calls)
        found += walk.statement(root, given, 0)
        return found or [_found(Risk.READ, line.text.strip() or "an empty line", "runs nothing")]

    def words(self, words: Sequence[Word], given: Input) -> list[Finding]:
        """Judge a command that another runs."""
        if deep := self._too_deep(words[0].raw):
            return deep
        inner = _Reader(self._programs, self._depth + 1, self._defined)
        return self._programs.judge(words, given, inner)

    def _too_deep(self, part: str) -> list[Finding]:
        if self._depth < DEEPEST:
            return []
        return [_found(Risk.UNKNOWN, part, "is nested too deeply to be followed")]


class _Walk:
    """One pass through a line's tree.

    Attributes:
        circular: Functions of the line that call themselves, if by way of others.
    """

    def __init__(
        self, programs: Programs, depth: int, defined: frozenset[str], values: Mapping[str, str]
    ) -> None:
        self._programs = programs
        self._defined = defined
        self._values = values
        self._inner = _Reader(programs, depth + 1, defined)
        self.circular: frozenset[str] = frozenset()

    def statement(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge a statement and everything in it."""
        if depth > NESTED:
            return [_found(Risk.UNKNOWN, text_of(node)[:80], "is nested too deeply to be followed")]
        deeper = depth + 1
        match node.type:
            case "comment":
                return []
            case "command":
                return self._command(node, given, deeper)
            case "pipeline":
                return self._pipeline(node, given, deeper)
            case "redirected_statement":
                return self._redirected(node, given, deeper)
            case "variable_assignment" | "variable_assignments" | "unset_command":
                return self._inside(node, deeper)
            case "declaration_command":
                return self._declaration(node, deeper)
            case "test_command":
                return self._condition(node, deeper)
            case "function_definition":
                return self._function(node, given, deeper)
            case "for_statement" | "c_style_for_statement" | "case_statement":
                return self._looped(node, given, deeper)
            case "ERROR":
                return self._broken(node, given, deeper)
            case "compound_statement" if node.children and node.children[0].type == "((":
                return self._condition(node, deeper)
            case kind if kind in _BLOCKS:
                return [each for child in node.children for each in self._part(child, given, deeper)]
            case _:
                return [
                    _found(Risk.UNKNOWN, text_of(node), f"is a {node.type}, which the guard doesn't know")
                ]

    def _part(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge a child of a block: a statement, a redirection, a word, or punctuation."""
        if not node.is_named:
            return []
        if node.type in _WORDS:
            return self._inside(node, depth)
        if node.type in _REDIRECTIONS:
            return self._redirection(node, given, depth)
        return self.statement(node, given, depth)

    def _looped(self, node: Node, given: Input, depth: int) -> list[Finding]:
        found: list[Finding] = []
        arithmetic = node.type == "c_style_for_statement"
        for child in node.children:
            if arithmetic and (child.type in _CONDITIONS or child.type in _WORDS):
                found += self._inside(child, depth)
            elif (
                child.type in {"do_group", "case_item", "compound_statement"} or child.type not in _CONDITIONS
            ):
                found += self._part(child, given, depth)
            else:
                found += self._inside(child, depth)
        return found

    def _function(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge what a function does where it is defined; a call of it adds nothing."""
        found = []
        if text_of(node.children[0]) in self.circular or text_of(node.children[1]) in self.circular:
            found.append(_found(Risk.UNKNOWN, text_of(node), "is a function that calls itself"))
        for child in node.children:
            if child.is_named and child.type != "word":
                found += self._part(child, ANYTHING, depth)
        return found

    def _broken(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge what can be made out where the line does not parse; the line is unknown as it is."""
        found = []
        words: list[Word] = [unknown("…", many=True)]
        for child in node.children:
            if child.type in _KNOWN_STATEMENTS:
                found += self.statement(child, given, depth)
            elif child.type in _REDIRECTIONS:
                found += self._redirection(child, given, depth)
            else:
                found += self._inside(child, depth)
                words += read(child, self._values) if child.type in _WORDS else []
        return found + self._inner.words(words, given)

    def _condition(self, node: Node, depth: int) -> list[Finding]:
        """Judge a test: it reads, but for what it substitutes, and for what another shell makes of `>` in it."""
        found = self._inside(node, depth)
        opening = node.children[0].type if node.children else ""
        if opening in {"[[", "(("} and any(each.type in {">", ">="} for each in _descendants(node)):
            found.append(
                _found(Risk.UNKNOWN, text_of(node), "is a redirection to shells that don't know the form")
            )
        if opening == "((":
            # Shells without arithmetic commands take the parentheses for two subshells.
            inside = text_of(node)[2:-2]
            taken = self._inner.line(Word(raw=inside, text=inside), NOTHING)
            found += [each for each in taken if rank(each.risk) > rank(Risk.UNKNOWN)]
        return found or [_found(Risk.READ, text_of(node), "is a test")]

    def _declaration(self, node: Node, depth: int) -> list[Finding]:
        found = self._inside(node, depth)
        for child in node.children:
            if child.type == "variable_assignment":
                found += environment(unknown(text_of(child), start=text_of(child)))
        return found

    def _command(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge a simple command: its assignments, redirections, substitutions, and the program."""
        found: list[Finding] = []
        parts: list[Node] = []
        for child in node.children:
            if child.type in _REDIRECTIONS:
                found += self._redirection(child, given, depth)
                given = self._input(child, given)
                continue
            found += self._inside(child, depth)
            if child.type == "variable_assignment":
                found += environment(unknown(text_of(child), start=text_of(child)))
            elif child.type == "command_name" or child.type in _WORDS or child.type in {"$", "=~", "=="}:
                parts.append(child)
            else:
                found.append(_found(Risk.UNKNOWN, text_of(child), "stands where a word should"))
        words = [word for group in _grouped(node, parts) for word in read_joined(group, self._values)]
        return found + self._call(words, given) if words else found

    def _call(self, words: Sequence[Word], given: Input) -> list[Finding]:
        if words[0].text in self._defined:
            return []  # judged where it is defined
        return self._inner.words(words, given)

    def _pipeline(self, node: Node, given: Input, depth: int, *, last: Input | None = None) -> list[Finding]:
        """Judge a pipeline: each command reads what the one before it prints, the last one `last` if told."""
        found: list[Finding] = []
        parts = [child for child in node.children if child.is_named]
        for child in parts:
            found += self._part(child, last if last is not None and child == parts[-1] else given, depth)
            given = self._printed(child)
        return found

    def _printed(self, node: Node) -> Input:
        """Return what a command prints, where that is certain: `echo` and `printf` of plain words."""
        if node.type != "command" or any(
            child.type in _REDIRECTIONS or child.type == "variable_assignment" for child in node.children
        ):
            return ANYTHING
        words = [word for child in node.children for word in read(child, self._values)]
        texts = [word.text for word in words]
        if None in texts or any(word.glob for word in words) or not texts:
            return ANYTHING
        known = [text or "" for text in texts]
        if known[0] == "echo" and not any("\\" in text or text.startswith("-") for text in known[1:]):
            return Input(" ".join(known[1:]) + "\n")
        if known[0] == "printf" and len(known) == 2 and not re.search(r"[\\%]", known[1].replace("\\n", "")):
            return Input(known[1].replace("\\n", "\n"))
        if known[0] == "printf" and len(known) == 3 and known[1] in {"%s", "%s\\n"}:
            return Input(known[2] + "\n")
        return ANYTHING

    def _redirected(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge a statement with redirections behind it; input that is known reaches its last command."""
        redirections = [child for child in node.children if child.type in _REDIRECTIONS]
        found = [each for child in redirections for each in self._redirection(child, given, depth)]
        inner = given
        for child in redirections:
            inner = self._input(child, inner)
        for child in node.children:
            if child.type in _REDIRECTIONS:
                continue
            if child.type == "pipeline":
                found += self._pipeline(child, given, depth, last=None if inner is given else inner)
            else:
                found += self._part(child, inner, depth)
        return found

    def _input(self, node: Node, given: Input) -> Input:
        """Return what is read behind a redirection."""
        if node.type == "herestring_redirect":
            words = [
                word for child in node.children if child.type in _WORDS for word in read(child, self._values)
            ]
            text = words[0].text if len(words) == 1 else None
            return Input(None if text is None else text + "\n")
        if node.type == "heredoc_redirect":
            return _heredoc(node)
        operators = {child.type for child in node.children if not child.is_named}
        if not operators & {"<", "<&", "<>"}:
            return given
        descriptor = next((text_of(child) for child in node.children if child.type == "file_descriptor"), "0")
        if descriptor != "0":
            return given
        names = [
            word.text for child in node.children if child.type in _WORDS for word in read(child, self._values)
        ]
        return NOTHING if names == ["/dev/null"] else ANYTHING

    def _redirection(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge where output goes, what a heredoc substitutes, and commands that stand behind its beginning."""
        if node.type == "file_redirect":
            return self._inside(node, depth) + self._written(node)
        found: list[Finding] = []
        for child in node.children:
            if child.type == "heredoc_body":
                found += self._inside(child, depth) + self._backticks(node, child)
            elif child.type in _WORDS:
                found += self._inside(child, depth)
            elif child.type in _REDIRECTIONS:
                found += self._redirection(child, given, depth)
            elif child.type == "pipeline":
                found += self._piped(child, _heredoc(node), depth)
            elif child.is_named and child.type not in {"heredoc_start", "heredoc_end", "file_descriptor"}:
                found += self._part(child, given, depth)
        return found

    def _backticks(self, node: Node, body: Node) -> list[Finding]:
        """Judge what a heredoc substitutes between backticks, which the grammar takes for text."""
        text = text_of(body)
        if _is_quoted(node) or "`" not in text:
            return []
        parts = text.split("`")
        if "\\" in text or len(parts) % 2 == 0:
            return [_found(Risk.UNKNOWN, text, "has escapes with backticks")]
        lines = [Word(raw=part, text=part) for part in parts[1::2]]
        return [each for line in lines for each in self._inner.line(line, NOTHING)]

    def _piped(self, node: Node, body: Input, depth: int) -> list[Finding]:
        """Judge `cat <<EOF | …`: what is behind the bar reads the body if `cat` is all that stands before it."""
        statement = node.parent.parent if node.parent is not None else None
        body_of = statement.children[0] if statement is not None and statement.children else None
        plain = body_of is not None and text_of(body_of).strip() in {"cat", "cat -"}
        given = body if plain else ANYTHING
        found: list[Finding] = []
        for child in node.children:
            if child.is_named:
                found += self._first_of(child, given, depth)
                given = ANYTHING
        return found

    def _first_of(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge a list whose first command alone reads what comes through the bar."""
        if node.type != "list":
            return self._part(node, given, depth)
        found = []
        for index, child in enumerate(each for each in node.children if each.is_named):
            found += self._first_of(child, given if index == 0 else NOTHING, depth)
        return found

    def _written(self, node: Node) -> list[Finding]:
        """Judge the file that a redirection opens."""
        operators = {child.type for child in node.children if not child.is_named}
        names = [
            word for child in node.children if child.type in _WORDS for word in read(child, self._values)
        ]
        part = text_of(node)
        for word in names:
            text = word.text
            if text is not None and text.startswith(("/dev/tcp/", "/dev/udp/")):
                return [_found(Risk.UNKNOWN, part, "opens a connection")]
            if not any(">" in operator for operator in operators):
                continue
            if text is not None and (text in _NOWHERE or _DESCRIPTOR.fullmatch(text)):
                continue
            if (
                any(operator in {">&", "<&", ">&-"} for operator in operators)
                and text is not None
                and (re.fullmatch(r"\d*-?", text))
            ):
                continue
            if text is not None and _DEVICE.match(text):
                return [_found(Risk.DESTRUCTIVE, part, "overwrites a device")]
            if word.operand:
                continue  # >(…): judged as a command
            return [_found(Risk.CHANGE, part, "writes a file")]
        return []

    def _inside(self, node: Node, depth: int) -> list[Finding]:
        """Judge the commands that are substituted within a word, an assignment, a test or a heredoc."""
        found: list[Finding] = []
        for each in _substitutions(node):
            match each.type:
                case "command_substitution" | "process_substitution":
                    if each.children and each.children[0].type == "`" and "\\" in text_of(each):
                        found.append(_found(Risk.UNKNOWN, text_of(each), "has escapes within backticks"))
                    for child in each.children:
                        if child.is_named:
                            found += self._part(child, ANYTHING, depth)
                case "expansion" if _evaluates(each):
                    found.append(_found(Risk.UNKNOWN, text_of(each), "runs what a variable holds"))
                case "ansi_c_string" if "\\'" in text_of(each):
                    found.append(
                        _found(Risk.UNKNOWN, text_of(each), "ends elsewhere to shells that don't know $'…'")
                    )
        return found


_REDIRECTIONS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
_KNOWN_STATEMENTS = _BLOCKS | {
    "command", "pipeline", "redirected_statement", "declaration_command", "function_definition", "for_statement",
    "c_style_for_statement", "case_statement", "test_command", "ERROR",
}  # fmt: skip


def _found(risk: Risk, part: str, why: str) -> Finding:
    return Finding(risk=risk, part=" ".join(part.split()), why=why)


def _grouped(node: Node, parts: Sequence[Node]) -> list[list[Node]]:
    """Put nodes together that make one word: those with nothing, or the continuation of a line, between them."""
    source, start = node.text or b"", node.start_byte
    groups: list[list[Node]] = []
    for part in parts:
        between = source[groups[-1][-1].end_byte - start : part.start_byte - start] if groups else b" "
        if between.replace(b"\\\n", b""):
            groups.append([part])
        else:
            groups[-1].append(part)
    return groups


def _heredoc(node: Node) -> Input:
    """Return a heredoc's text, where nothing in it is substituted."""
    body = next((child for child in node.children if child.type == "heredoc_body"), None)
    if body is None:
        return NOTHING
    text = text_of(body)
    if not _is_quoted(node) and re.search(r"[$`\\]", text):
        return ANYTHING
    return Input(re.sub(r"(?m)^\t+", "", text) if any(c.type == "<<-" for c in node.children) else text)


def _is_quoted(node: Node) -> bool:
    """Return whether a heredoc's delimiter is quoted, so that nothing in it is substituted."""
    start = next((text_of(child) for child in node.children if child.type == "heredoc_start"), "")
    return bool(set(start) & set("'\"\\"))


def _substitutions(node: Node) -> Iterator[Node]:
    """Yield what is evaluated within a node, the outermost of each."""
    if node.type in {"command_substitution", "process_substitution"}:
        yield node
        return
    if node.type in {"expansion", "ansi_c_string"}:
        yield node
    for child in node.children:
        yield from _substitutions(child)


def _evaluates(node: Node) -> bool:
    """Return whether an expansion runs what a variable holds: `${x@P}`."""
    kinds = [child.type for child in node.children]
    return "@" in kinds and "P" in kinds


def _descendants(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _descendants(child)


def _definitions(root: Node) -> dict[str, set[str]]:
    """Return the functions that a line defines, and the names that each calls."""
    calls: dict[str, set[str]] = {}
    for node in _descendants(root):
        if node.type == "function_definition":
            called = {text_of(each) for each in _descendants(node) if each.type == "command_name"}
            for child in node.children:
                if child.type == "word":
                    calls.setdefault(text_of(child), set()).update(called)
    return calls


def _circular(calls: Mapping[str, set[str]]) -> frozenset[str]:
    """Return the functions that end up at themselves."""
    reached = {name: set(called) for name, called in calls.items()}
    for _ in calls:
        for called in reached.values():
            called.update(*(reached[each] for each in list(called) if each in reached))
    return frozenset(name for name, called in reached.items() if name in called)


def _first_error(root: Node) -> str:
    wrong = next((node for node in _descendants(root) if node.is_error or node.is_missing), root)
    return text_of(wrong) or text_of(root)


def _refused(line: str) -> list[Finding]:
    if len(line) > LONGEST:
        return [_found(Risk.UNKNOWN, f"{line[:60]}…", f"is longer than {LONGEST:,} characters")]
    return _hidden(line)


def _hidden(text: str) -> list[Finding]:
    """Refuse characters that a person doesn't see, or takes for others."""
    for character in text:
        if character in "\n\t" or " " <= character <= "~":
            continue
        kind = unicodedata.category(character)
        if kind in {"Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Co"}:
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            return [
                _found(
                    Risk.UNKNOWN, text.replace(character, "\ufffd"), f"holds an invisible character ({name})"
                )
            ]
    return []


@functools.cache
def _language() -> Language:
    import tree_sitter_bash
    from tree_sitter import Language

    return Language(tree_sitter_bash.language())


def _parse(line: str) -> Node:
    from tree_sitter import Parser

    return Parser(_language()).parse(line.encode(errors="surrogateescape")).root_node
