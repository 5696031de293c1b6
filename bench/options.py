"""How a run of the benchmarks was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import Noise


@dataclass(frozen=True)
class Options:
    """What the benchmarks share.

    Attributes:
        home: A folder that is removed after the run.
        quick: Whether to run with tiny parameters, to see that all works; its figures mean nothing.
        peers: A folder with programs to compare with, besides PATH.
        size: The terminal's size, in words.
        noise: How steady the machine was.
    """

    home: Path
    quick: bool = False
    peers: str = ""
    size: str = "200x50"
    noise: Noise = field(default_factory=Noise)

    def repeat(self, times: int, *, least: int = 1) -> int:
        """Return how often to repeat: as often as asked, or the least when quick."""
        return least if self.quick else times

    def settle(self, seconds: float) -> float:
        """Return how long to let something come to rest: as long as asked, or a fifth of that when quick."""
        return seconds / 5 if self.quick else seconds
