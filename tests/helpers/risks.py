"""Tables of what is judged, a line a case: the risk's first letter, and the text.

In a text `⏎` stands for a line's end, `⇥` for a tab, `⍽` for a space that is none.
"""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding

_RISKS = {"R": Risk.READ, "U": Risk.UNKNOWN, "C": Risk.CHANGE, "D": Risk.DESTRUCTIVE}

_MARKS = str.maketrans({"⏎": "\n", "⇥": "\t", "⍽": "\u00a0"})


def cases(text: str) -> list[tuple[Risk, str]]:
    """Return the cases of a table."""
    found: list[tuple[Risk, str]] = []
    for line in text.split("\n"):
        letter, _, rest = line.strip().partition(" ")
        if letter:
            found.append((_RISKS[letter], rest.translate(_MARKS)))
    return found


def shell(line: str) -> list[Finding]:
    """Judge a line that a client hands to a shell: as nothing but that, so that a test sees it."""
    return [Finding(risk=Risk.CHANGE, part=line, why="is given to a shell")]


def labelled(**lines: Iterable[str]) -> list[tuple[str, str]]:
    """Return each line with the risk that it is expected to have, for a table of cases.

    Args:
        lines: The lines of each risk, by the risk's name.
    """
    return [(line, risk) for risk, each in lines.items() for line in each]
