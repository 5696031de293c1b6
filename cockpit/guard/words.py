"""The words of a command as far as they are known before it runs.

A shell makes a command's words from quotes, escapes, variables, substitutions, braces and globs. What only the moment
of running can tell stays unknown here, with as much of its beginning as is certain; nothing is ever guessed.

Source: POSIX.1-2017, Shell Command Language, 2.2 (quoting) and 2.6 (expansions); the Bash manual, 3.1.2.4 (ANSI-C
quoting) and 3.5.1 (braces).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_BRACES = 64
"""Words that braces may make of one; more are not looked at one by one."""
_GLOB = frozenset("*?[")
_NUMERIC = frozenset({"?", "#", "$", "!"})
"""Special parameters that are numbers."""
_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(?:([abeEfnrtv\\'\"?])|x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.))",
    re.DOTALL,
)


_NAMED = re.compile(r'"\$\{?[A-Za-z_]')


class Word(Struct, frozen=True, kw_only=True):
    """One word of a command, or several where it says so.

    Attributes:
        raw: As it is written.
        text: Its value; None where a part of it isn't known. With `glob`, the pattern.
        start: What is known of its beginning; all of it where `text` is known.
        many: Whether it may become several words, or none: an expansion without quotes.
        glob: Whether it is a pattern for file names.
        operand: Whether it can't be taken for an option, though it isn't known: a number, a descriptor's path.
    """

    raw: str
    text: str | None = None
    start: str = ""
    many: bool = False
    glob: bool = False
    operand: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it may turn out to be an option that is not foreseen."""
        if self.operand:
            return False
        if self.text is None:
            return self.many or not self.start or self.start.startswith("-")
        return self.glob and self.text.startswith("-")

    @property
    def is_named(self) -> bool:
        """Whether it is one word in quotes that begins with a variable: a name, such as `"$file"`."""
        return self.text is None and not self.many and _NAMED.match(self.raw) is not None

    @property
    def shown(self) -> str:
        """The value where it is known, else the word as it is written."""
        return self.raw if self.text is None else self.text


def literal(text: str) -> Word:
    """Return a word that is exactly this text."""
    return Word(raw=text, text=text, start=text)


def unknown(raw: str, *, start: str = "", many: bool = False, operand: bool = False) -> Word:
    """Return a word of which at most the beginning is known."""
    return Word(raw=raw, start=start, many=many, operand=operand)


def shown(words: Sequence[Word]) -> str:
    """Return words as one line, for a reason."""
    return " ".join(word.shown or "''" for word in words)


class _Piece(Struct, frozen=True):
    """A run of characters that are all quoted, or all not; None is a value that isn't known."""

    text: str | None
    quoted: bool
    operand: bool = False


def read(node: Node, values: Mapping[str, str]) -> list[Word]:
    """Return what the shell makes of a word's node.

    Args:
        node: A word, string, concatenation, expansion or the like.
        values: The variables whose values are known.
    """
    return read_joined([node], values)


def read_joined(nodes: Sequence[Node], values: Mapping[str, str]) -> list[Word]:
    """Return what the shell makes of nodes that stand without white space between them: they are one word."""
    raw = "".join(text_of(node) for node in nodes)
    pieces = [piece for node in nodes for piece in _pieces(node, values)]
    if all(piece.text is not None for piece in pieces):
        return [_known(raw, cells) for cells in _braced(_cells(pieces), raw)]
    return [_partly(raw, pieces)]


def text_of(node: Node) -> str:
    """Return a node's own text."""
    return (node.text or b"").decode(errors="surrogateescape")


def _pieces(node: Node, values: Mapping[str, str]) -> list[_Piece]:
    match node.type:
        case "word" | "number" | "extglob_pattern" | "variable_name" | "regex" | "test_operator":
            return _bare(text_of(node))
        case "raw_string":
            return [_Piece(text_of(node)[1:-1], quoted=True)]
        case "ansi_c_string":
            return [_ansi_c(text_of(node)[2:-1])]
        case "string":
            return _string(node, values)
        case "translated_string":
            return _string(node.children[-1], values)
        case "simple_expansion":
            return [_variable(node, values, quoted=False)]
        case "expansion":
            return [_expansion(node, values, quoted=False)]
        case "concatenation" | "command_name":
            return _joined(node, values)
        case "brace_expression":
            return _bare(text_of(node))
        case "process_substitution":
            return [_Piece(None, quoted=True, operand=True)]
        case "arithmetic_expansion":
            return [_Piece(None, quoted=True, operand=not text_of(node).startswith("$["))]
        case _:
            return [_Piece(None, quoted=False)]


def _joined(node: Node, values: Mapping[str, str]) -> list[_Piece]:
    pieces: list[_Piece] = []
    end = node.start_byte
    for child in node.children:
        if child.start_byte != end and not _continued(node, end, child.start_byte):
            pieces.append(_Piece(None, quoted=False))
        end = child.end_byte
        # `$"…"` is a translated string; the dollar alone is itself.
        if child.type == "$" and child.next_sibling is not None and child.next_sibling.type == "string":
            continue
        pieces += _pieces(child, values) if child.is_named else _bare(text_of(child))
    return pieces


def _continued(node: Node, begin: int, end: int) -> bool:
    """Return whether nothing but the continuation of a line lies between two places in a node."""
    between = (node.text or b"")[begin - node.start_byte : end - node.start_byte]
    return not between.replace(b"\\\n", b"")


def _bare(text: str) -> list[_Piece]:
    """Return the pieces of unquoted text: a backslash quotes what follows."""
    pieces: list[_Piece] = []
    for part in re.split(r"(\\(?s:.)?)", text):
        if part.startswith("\\"):
            if part != "\\\n":
                pieces.append(_Piece(part[1:] or "\\", quoted=True))
        elif part:
            pieces.append(_Piece(part, quoted=False))
    return pieces


def _ansi_c(text: str) -> _Piece:
    r"""Return the value of `$'…'`; a shell that doesn't know the form ends it at `\'`, so that one isn't known."""
    if "\\'" in text:
        return _Piece(None, quoted=True)

    def value(match: re.Match[str]) -> str:
        simple, hexadecimal, octal, short, long, control = match.groups()
        if simple:
            return _SIMPLE_ESCAPES[simple]
        if control:
            return chr(ord(control) & 0x1F)
        number = int(octal, 8) & 0xFF if octal else int(hexadecimal or short or long, 16)
        return chr(number) if number < 0x110000 else "\ufffd"

    return _Piece(_ESCAPE.sub(value, text), quoted=True)


def _string(node: Node, values: Mapping[str, str]) -> list[_Piece]:
    """Return the pieces of a double-quoted string, white space included, which the tree leaves out."""
    raw = (node.text or b"")[1:-1]
    start = node.start_byte + 1
    pieces: list[_Piece] = []
    at = 0
    for child in node.children:
        if child.type in {"simple_expansion", "expansion", "command_substitution", "arithmetic_expansion"}:
            begin, end = child.start_byte - start, child.end_byte - start
            pieces.append(_Piece(_escaped(raw[at:begin]), quoted=True))
            if child.type == "simple_expansion":
                pieces.append(_variable(child, values, quoted=True))
            elif child.type == "expansion":
                pieces.append(_expansion(child, values, quoted=True))
            else:
                pieces.append(_Piece(None, quoted=True, operand=child.type == "arithmetic_expansion"))
            at = end
        elif child.type not in {'"', "string_content"} and not _is_plain_dollar(child, raw, start):
            return [_Piece(None, quoted=True)]
    pieces.append(_Piece(_escaped(raw[at:]), quoted=True))
    return [piece for piece in pieces if piece.text != ""] or [_Piece("", quoted=True)]


def _is_plain_dollar(node: Node, raw: bytes, start: int) -> bool:
    """Return whether a dollar in double quotes begins no expansion, to any shell: `"$.items"`, `"a$"`."""
    after = raw[node.end_byte - start : node.end_byte - start + 1]
    return node.type == "$" and (not after or after in b" \t\n.,:;/%^&)]}=+|<>~\\")


def _escaped(raw: bytes) -> str:
    r"""Within double quotes a backslash quotes `$`, backtick, `"`, itself and the end of a line alone."""
    text = raw.decode(errors="surrogateescape")
    return re.sub(r"\\([$`\"\\\n])", lambda match: "" if match[1] == "\n" else match[1], text)


def _expansion(node: Node, values: Mapping[str, str], *, quoted: bool) -> _Piece:
    """Return the value of `${name}`, and of `${name:-…}` where the variable has one."""
    kinds = [child.type for child in node.children]
    plain = kinds == ["${", "variable_name", "}"]
    if plain or (kinds[1:2] == ["variable_name"] and kinds[2] in {":-", "-"}):
        value = values.get(text_of(node.children[1]))
        if value is not None and (plain or value):
            return _valued(value, quoted=quoted)
    several = re.search(r"[\[:!{]@|@\}|@:", text_of(node)) is not None and kinds[1:2] != ["#"]
    return _Piece(None, quoted=quoted and not several, operand=kinds[1:2] == ["#"])


def _variable(node: Node, values: Mapping[str, str], *, quoted: bool) -> _Piece:
    name = text_of(node)[1:]
    if name in _NUMERIC:
        return _Piece(None, quoted=True, operand=True)
    # `"$@"` is as many words as there are arguments.
    return _valued(values.get(name), quoted=quoted and name != "@")


def _valued(value: str | None, *, quoted: bool) -> _Piece:
    # Without quotes a value is split and may be a pattern; what holds no white space and no pattern stays as it is.
    if value is not None and (quoted or re.fullmatch(r"[\w./:@%+,=-]+", value)):
        return _Piece(value, quoted=True)
    return _Piece(None, quoted=quoted)


def _cells(pieces: Sequence[_Piece]) -> list[tuple[str, bool]]:
    return [(character, piece.quoted) for piece in pieces for character in piece.text or ""]


def _known(raw: str, cells: Sequence[tuple[str, bool]]) -> Word:
    text = "".join(character for character, _ in cells)
    glob = any(character in _GLOB and not quoted for character, quoted in cells)
    return Word(raw=raw, text=text, start=text, glob=glob, many=glob)


def _partly(raw: str, pieces: Sequence[_Piece]) -> Word:
    start = ""
    for piece in pieces:
        if piece.text is None:
            break
        start += piece.text
    loose = any(not piece.quoted and (piece.text is None or "{" in piece.text) for piece in pieces)
    first = pieces[0]
    return Word(raw=raw, start=start, many=loose, operand=first.text is None and first.operand and not loose)


def _braced(cells: list[tuple[str, bool]], raw: str) -> list[list[tuple[str, bool]]]:
    """Expand `a{b,c}d` and leave sequences such as `{1..9}` as a pattern, which they are as good as."""
    made = _expand(cells)
    if made is None:
        return [[("*", False), *cells]]
    return made or [cells]


def _expand(cells: list[tuple[str, bool]]) -> list[list[tuple[str, bool]]] | None:
    """Return the words that braces make; None where they are too many."""
    done: list[list[tuple[str, bool]]] = []
    waiting = [cells]
    while waiting:
        each = waiting.pop(0)
        group = _first_group(each)
        if group is None:
            done.append(each)
            continue
        begin, end, choices = group
        waiting += [[*each[:begin], *choice, *each[end + 1 :]] for choice in choices]
        if len(waiting) + len(done) > MOST_BRACES:
            return None
    return done


def _first_group(
    cells: list[tuple[str, bool]],
) -> tuple[int, int, list[list[tuple[str, bool]]]] | None:
    """Find the first brace that has a comma of its own: where it begins and ends, and its choices."""
    for begin, cell in enumerate(cells):
        if cell != ("{", False):
            continue
        depth, commas = 0, []
        for at in range(begin, len(cells)):
            character, quoted = cells[at]
            if quoted:
                continue
            if character == "{":
                depth += 1
            elif character == "," and depth == 1:
                commas.append(at)
            elif character == "}":
                depth -= 1
                if depth == 0:
                    break
        else:
            continue
        if commas:
            edges = [begin, *commas, at]
            return begin, at, [cells[a + 1 : b] for a, b in itertools.pairwise(edges)]
        inside = cells[begin + 1 : at]
        if _is_sequence(inside):
            return begin, at, [[("*", False)]]
    return None


def _is_sequence(inside: Sequence[tuple[str, bool]]) -> bool:
    return (
        re.fullmatch(r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(\.\.-?\d+)?", "".join(c for c, _ in inside))
        is not None
    )
