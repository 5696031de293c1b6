"""Judges the statements of a shell line, by an allowlist of what the grammar has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cockpit.actions.command import Risk
from cockpit.guard.bracketed import as_command, is_cut, programs_in
from cockpit.guard.call import ANYTHING, NOTHING, Inner, Input
from cockpit.guard.findings import Finding, about, rank
from cockpit.guard.redirections import (
    body_begin,
    heredoc,
    input_of,
    is_quoted,
    is_silent,
    words_behind,
    written,
)
from cockpit.guard.tree import (
    NESTED,
    REDIRECTIONS,
    WORDS,
    circular,
    definitions,
    descendants,
    evaluates,
    grouped,
    substitutions,
)
from cockpit.guard.variables import MUTATORS, known_loops, known_values
from cockpit.guard.words import Word, read, read_joined, text_of, unknown
from cockpit.guard.wrappers import environment, is_run

if TYPE_CHECKING:
    from tree_sitter import Node

_INDEX = re.compile(r"\w\[[^\]]*(\$\(|`)")
"""An index that substitutes: arithmetic evaluates it, also where it comes out of a quoted string."""
_BUILT_IN = MUTATORS | {"echo", "test", "[", "[[", "cd", "return", "exit"}
"""Commands of the shell itself, which may take a word for a number or hand it on."""
_ESCAPED = re.compile(r"\\[abcefnrtvxuU0-7\\]")
"""What some shell's `echo` makes another character of."""
MOST_TIMES = 150
"""Turns of loops within loops that are judged one by one."""

_BLOCKS = frozenset(
    {
        "program", "list", "compound_statement", "subshell", "do_group", "else_clause", "elif_clause",
        "if_statement", "while_statement", "case_item", "negated_command",
    }
)  # fmt: skip
"""Nodes whose commands are simply those of their children."""
_CONDITIONS = frozenset(
    {
        "binary_expression", "unary_expression", "parenthesized_expression", "postfix_expression",
        "ternary_expression", "subscript", "variable_assignment",
    }
)  # fmt: skip
_KNOWN_STATEMENTS = _BLOCKS | {
    "command", "pipeline", "redirected_statement", "declaration_command", "function_definition", "for_statement",
    "c_style_for_statement", "case_statement", "test_command", "ERROR",
}  # fmt: skip


class Walk:
    """One pass through a line's tree.

    Args:
        root: The tree.
        inner: Judges the commands of the line, and the lines within it.
    """

    def __init__(self, root: Node, inner: Inner) -> None:
        self._inner = inner
        self._values = known_values(root)
        self._loops = known_loops(root)
        self._times = 1
        """How often what stands here is judged, as it stands in loops that are judged turn by turn."""
        self._functions = definitions(root)
        self._circular = circular(self._functions)
        self._behind: dict[int, list[list[Node]]] = {}
        """Words that stand behind a redirection, by the command that they belong to."""
        self._defined: set[str] = set()
        """Functions that are sure to be defined where the pass is."""

    def statement(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge a statement and everything in it."""
        if depth > NESTED:
            return [about(Risk.UNKNOWN, text_of(node)[:80], "is nested too deeply to be followed")]
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
                return self._inside(node, deeper) + self._assigned(node)
            case "declaration_command":
                return self._declaration(node, deeper)
            case "test_command":
                return self._condition(node, deeper)
            case "function_definition":
                return self._function(node, deeper)
            case "for_statement" | "c_style_for_statement" | "case_statement":
                return self._looped(node, given, deeper)
            case "ERROR":
                return self._broken(node, given, deeper)
            case "compound_statement" if node.children and node.children[0].type == "((":
                return self._condition(node, deeper)
            case kind if kind in _BLOCKS:
                return [each for child in node.children for each in self._part(child, given, deeper)]
            case _:
                return [about(Risk.UNKNOWN, text_of(node), f"is a {node.type}, which the guard doesn't know")]

    def _part(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge a child of a block: a statement, a redirection, a word, or punctuation."""
        if not node.is_named:
            if node.type.startswith(";;") and node.parent is not None and node.parent.type != "case_item":
                return [about(Risk.UNKNOWN, text_of(node.parent), f"has a {node.type} where none can stand")]
            return []
        if node.type in WORDS:
            return self._inside(node, depth)
        if node.type in REDIRECTIONS:
            return self._redirection(node, given, depth)
        return self.statement(node, given, depth)

    def _looped(self, node: Node, given: Input, depth: int) -> list[Finding]:
        found: list[Finding] = []
        arithmetic = node.type == "c_style_for_statement"
        if node.type == "for_statement":
            found += environment(unknown(text_of(node.children[1]), start=text_of(node.children[1])))
        loop = self._loops.get(node.id)
        if loop is not None and self._times * len(loop[1]) <= MOST_TIMES:
            return found + self._turns(node, loop, given, depth)
        for child in node.children:
            if arithmetic and (child.type in _CONDITIONS or child.type in WORDS):
                found += self._inside(child, depth)
            elif (
                child.type in {"do_group", "case_item", "compound_statement"} or child.type not in _CONDITIONS
            ):
                found += self._part(child, given, depth)
            else:
                found += self._inside(child, depth)
        return found

    def _turns(self, node: Node, loop: tuple[str, list[str]], given: Input, depth: int) -> list[Finding]:
        """Judge a loop over plain words, turn by turn."""
        name, values = loop
        before, times = self._values, self._times
        self._times *= len(values)
        found = [
            each for child in node.children[:-1] if child.type in WORDS for each in self._inside(child, depth)
        ]
        for value in values:
            self._values = {**before, name: value}
            found += self._part(node.children[-1], given, depth)
        self._values, self._times = before, times
        return found

    def _function(self, node: Node, depth: int) -> list[Finding]:
        """Judge what a function does where it is defined; a call of it adds nothing."""
        found: list[Finding] = []
        names = {text_of(child) for child in node.children if child.type == "word"}
        if names & self._circular:
            found.append(about(Risk.UNKNOWN, text_of(node), "is a function that calls itself"))
        before = set(self._defined)
        self._defined |= self._functions.keys()  # by the time it is called, others may be there
        for child in node.children:
            if child.is_named and child.type != "word":
                found += self._part(child, ANYTHING, depth)
        self._defined = before
        if node.parent is not None and node.parent.type == "program":
            self._defined |= names
        return found

    def _broken(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge what can be made out where the line does not parse; the line is unknown as it is."""
        found = []
        words: list[Word] = [unknown("…", many=True)]
        for child in node.children:
            if child.type in _KNOWN_STATEMENTS:
                found += self.statement(child, given, depth)
            elif child.type in REDIRECTIONS:
                found += self._redirection(child, given, depth)
            else:
                found += self._inside(child, depth)
                words += read(child, self._values) if child.type in WORDS else []
        return found + self._inner.words(words, given)

    def _condition(self, node: Node, depth: int) -> list[Finding]:
        """Judge a test: it reads, but for what it substitutes, and for what another shell makes of `>` in it."""
        found = self._inside(node, depth)
        opening = node.children[0].type if node.children else ""
        if opening == "[" and any(each.type in {">", ">=", ">>"} for each in descendants(node)):
            found.append(about(Risk.CHANGE, text_of(node), "writes a file: within [ ] a > is a redirection"))
        if opening in {"[[", "(("} and any(each.type in {">", ">="} for each in descendants(node)):
            found.append(
                about(Risk.UNKNOWN, text_of(node), "is a redirection to shells that don't know the form")
            )
        if opening in {"((", "[["}:
            # Shells that don't know the form take it for two subshells, or for a program and what is behind `||`.
            inside = text_of(node)[2:-2] if opening == "((" else as_command(node)
            taken = self._inner.line(Word(raw=inside, text=inside), NOTHING)
            found += [each for each in taken if rank(each.risk) > rank(Risk.UNKNOWN)]
        if opening == "[" and is_cut(node):
            found += self._inner.line(Word(raw=text_of(node), text=as_command(node)), NOTHING)
            found.append(
                about(Risk.UNKNOWN, text_of(node), "ends at the first operator and runs what is behind")
            )
        if opening == "[[":
            found += [
                about(Risk.UNKNOWN, text_of(each), "is a command to shells that don't know [[ ]]")
                for each in programs_in(node, self._values)
            ]
        return found or [about(Risk.READ, text_of(node), "is a test")]

    def _declaration(self, node: Node, depth: int) -> list[Finding]:
        return self._inside(node, depth) + self._assigned(node)

    def _assigned(self, node: Node) -> list[Finding]:
        """Judge the variables that a node sets: some decide what a program runs."""
        nodes = [node] if node.type == "variable_assignment" else node.children
        return [each for child in nodes if child.type == "variable_assignment" for each in self._set(child)]

    def _set(self, node: Node) -> list[Finding]:
        """Judge a variable that is set for a command, and its value where a program runs that."""
        found = environment(unknown(text_of(node), start=text_of(node)))
        if found and is_run(text_of(node)):
            values = read(node.children[-1], self._values) if node.children[-1].type in WORDS else []
            inner = [each for value in values for each in self._inner.line(value, NOTHING)]
            found += [each for each in inner if rank(each.risk) > rank(Risk.UNKNOWN)]
        return found

    def _command(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge a simple command: its assignments, redirections, substitutions, and the program."""
        found: list[Finding] = []
        assigned: list[Finding] = []
        parts: list[Node] = []
        for child in node.children:
            if child.type in REDIRECTIONS:
                found += self._redirection(child, given, depth)
                given = input_of(child, given, self._values)
                continue
            found += self._inside(child, depth)
            if child.type == "variable_assignment":
                assigned += self._set(child)
            elif child.type == "regex" and re.search(r"[|&;<>()\s]", text_of(child)):
                found.append(about(Risk.UNKNOWN, text_of(child), "stands where a word should"))
            elif child.type == "command_name" or child.type in WORDS or child.type in {"$", "=~", "=="}:
                parts.append(child)
            else:
                found.append(about(Risk.UNKNOWN, text_of(child), "stands where a word should"))
                found += self.statement(child, given, depth) if child.type in _KNOWN_STATEMENTS else []
        words = [word for group in grouped(node, parts) for word in read_joined(group, self._values)]
        words += [word for each in self._behind.get(node.id, ()) for word in read_joined(each, self._values)]
        if words and words[0].text == "read":
            # `IFS= read …`: what splits a line that is read decides nothing else.
            assigned = [each for each in assigned if not each.part.startswith("IFS=")]
        found += assigned
        return found + self._call(words, given) if words else found

    def _call(self, words: Sequence[Word], given: Input) -> list[Finding]:
        """Judge a call; of a function, which is judged where it is defined, only what a program of its name does."""
        found = self._inner.words(words, given)
        if words[0].text in self._defined:
            return [each for each in found if each.risk is not Risk.UNKNOWN]
        return found

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
            child.type in REDIRECTIONS or child.type == "variable_assignment" for child in node.children
        ):
            return ANYTHING
        words = [word for child in node.children for word in read(child, self._values)]
        texts = [word.text for word in words]
        if None in texts or any(word.glob for word in words) or not texts:
            return ANYTHING
        known = [text or "" for text in texts]
        if known[0] == "echo" and not any(
            _ESCAPED.search(text) or text.startswith("-") for text in known[1:]
        ):
            return Input(" ".join(known[1:]) + "\n")
        if known[0] == "printf" and len(known) == 2 and not re.search(r"[\\%]", known[1].replace("\\n", "")):
            return Input(known[1].replace("\\n", "\n"))
        if known[0] == "printf" and len(known) == 3 and known[1] in {"%s", "%s\\n"}:
            return Input(known[2] + "\n")
        return ANYTHING

    def _redirected(self, node: Node, given: Input, depth: int) -> list[Finding]:
        """Judge a statement with redirections behind it; input that is known reaches its last command."""
        redirections = [child for child in node.children if child.type in REDIRECTIONS]
        silent = not self._functions and is_silent(node)
        found = [
            each for child in redirections for each in self._redirection(child, given, depth, silent=silent)
        ]
        inner = given
        for child in redirections:
            inner = input_of(child, inner, self._values)
        found += self._words_behind(node, redirections)
        for child in node.children:
            if child.type in REDIRECTIONS:
                continue
            if child.type == "pipeline":
                found += self._pipeline(child, given, depth, last=None if inner is given else inner)
            else:
                found += self._part(child, inner, depth)
        return found

    def _words_behind(self, node: Node, redirections: Sequence[Node]) -> list[Finding]:
        """Give the words behind a redirection to their command; without a command they are unknown."""
        odd = [each for child in redirections for each in _heredocs(child) if body_begin(each) is None]
        found = [
            about(Risk.UNKNOWN, text_of(each), "is a here-document that can't be followed") for each in odd
        ]
        behind = [words for child in redirections for words in words_behind(child)]
        if not behind:
            return found
        command = next((child for child in node.children if child.type not in REDIRECTIONS), node)
        while command.type in {"pipeline", "list", "negated_command"}:
            command = command.children[-1]
        if command.type != "command":
            return [*found, about(Risk.UNKNOWN, text_of(behind[0][0]), "stands where a word should")]
        self._behind[command.id] = behind
        return found

    def _redirection(self, node: Node, given: Input, depth: int, *, silent: bool = False) -> list[Finding]:
        """Judge where output goes, what a heredoc substitutes, and commands that stand behind its beginning."""
        if node.type == "file_redirect":
            return self._inside(node, depth) + written(node, self._values, silent=silent)
        found: list[Finding] = []
        for child in node.children:
            if child.type == "heredoc_body":
                found += self._inside(child, depth) + self._backticks(node, child)
            elif child.type in WORDS:
                found += self._inside(child, depth)
            elif child.type in REDIRECTIONS:
                found += self._redirection(child, given, depth)
            elif child.type == "pipeline":
                found += self._piped(child, heredoc(node), depth)
            elif child.is_named and child.type not in {"heredoc_start", "heredoc_end", "file_descriptor"}:
                found += self._part(child, given, depth)
        return found

    def _backticks(self, node: Node, body: Node) -> list[Finding]:
        """Judge what a heredoc substitutes between backticks, which the grammar takes for text."""
        text = text_of(body)
        if is_quoted(node) or "`" not in text:
            return []
        parts = text.split("`")
        if "\\" in text or len(parts) % 2 == 0:
            return [about(Risk.UNKNOWN, text, "has escapes with backticks")]
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

    def _of_a_program(self, node: Node) -> bool:
        """Return whether a string is a word for another program, where no shell takes it for a number."""
        above = node.parent
        if above is None or above.type != "command":
            return False
        words = [
            word
            for child in above.children
            if child.type == "command_name"
            for word in read(child, self._values)
        ]
        name = words[0].text if words else None
        return name is not None and name not in self._defined and name not in _BUILT_IN

    def _inside(self, node: Node, depth: int) -> list[Finding]:
        """Judge the commands that are substituted within a word, an assignment, a test or a heredoc."""
        found: list[Finding] = []
        for each in substitutions(node):
            match each.type:
                case "command_substitution" | "process_substitution":
                    if each.children and each.children[0].type == "`" and "\\" in text_of(each):
                        found.append(about(Risk.UNKNOWN, text_of(each), "has escapes within backticks"))
                    for child in each.children:
                        if child.is_named:
                            found += self._part(child, ANYTHING, depth)
                case "expansion" if evaluates(each):
                    found.append(about(Risk.UNKNOWN, text_of(each), "runs what a variable holds"))
                case "raw_string" if _INDEX.search(text_of(each)) and not self._of_a_program(each):
                    found.append(
                        about(Risk.UNKNOWN, text_of(each), "runs a command where it is taken for a number")
                    )
                case "ansi_c_string" if "\\'" in text_of(each):
                    found.append(
                        about(Risk.UNKNOWN, text_of(each), "ends elsewhere to shells that don't know $'…'")
                    )
        return found


def _heredocs(node: Node) -> list[Node]:
    """Return the heredocs in a redirection, itself included."""
    inner = [each for child in node.children if child.type in REDIRECTIONS for each in _heredocs(child)]
    return [node, *inner] if node.type == "heredoc_redirect" else inner
