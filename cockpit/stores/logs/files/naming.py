"""What logs are called: where there are several, and in questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def short_names(paths: Sequence[str]) -> list[str]:
    """Return the shortest endings of paths that tell them apart."""
    parts = [Path(path).parts for path in paths]
    names = []
    for own in parts:
        for size in range(1, len(own) + 1):
            ending = own[-size:]
            if sum(other[-size:] == ending for other in parts) == 1 or size == len(own):
                names.append(str(Path(*ending)))
                break
    return names


def endings(path: str) -> list[str]:
    """Return what a log may be called in a question: its path, and each ending of that after a slash."""
    parts = Path(path).parts
    return [path, *(str(Path(*parts[place:])) for place in range(1, len(parts)))]
