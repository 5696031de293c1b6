"""The rules that users add in cockpit.toml: `[[guard.rules]]`.

One that raises a risk holds everywhere; one that lowers it holds only where the command lands outside production.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from cockpit.guard.findings import Finding, rank, riskiest
from cockpit.guard.settings import OwnRule
from cockpit.guard.words import Word, shown


class OwnRules:
    """Applies users' rules to what was found in one call of a program.

    Args:
        rules: In the order of the file; of those that fit, the first one counts.
        lower: Whether rules that lower a risk hold.
    """

    def __init__(self, rules: Sequence[OwnRule] = (), *, lower: bool = False) -> None:
        self._rules = [(rule.command.split(), rule) for rule in rules]
        self._lower = lower

    def apply(self, words: Sequence[Word], found: list[Finding]) -> list[Finding]:
        """Return the findings about a call after the first rule that fits it."""
        rule = next((rule for pattern, rule in self._rules if _fits(pattern, words)), None)
        if rule is None:
            return found
        own = Finding(
            risk=rule.risk, part=shown(words), why=rule.why or f"is {rule.risk} by a rule in cockpit.toml"
        )
        if rank(rule.risk) >= rank(riskiest(found)):
            return [*found, own]
        return [own] if self._lower else found


def _fits(pattern: Sequence[str], words: Sequence[Word]) -> bool:
    open_ended = pattern[-1:] == ["*"] and len(pattern) > 1
    fixed = pattern[:-1] if open_ended else pattern
    if len(words) < len(fixed) or (not open_ended and len(words) != len(fixed)):
        return False
    return all(
        word.text is not None and fnmatchcase(word.text, each)
        for word, each in zip(words, fixed, strict=False)
    )
