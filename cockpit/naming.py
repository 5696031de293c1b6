"""What may be the name of a host, a group or a user: names come from inventories too, and become arguments."""

from __future__ import annotations

LONGEST = 255
"""Characters of a name; DNS allows 253."""
_NEVER = frozenset("'\"`$\\;&|<>(){}")
"""What OpenSSH refuses in a host's name as well."""
_OURS = frozenset(",*?[]!@/#")
"""What a list of targets, a pattern or a group's name is told by, and what no name of a machine holds."""


def name_fault(name: str) -> str:
    """Return what keeps a text from being a host's or a group's name, or an empty string."""
    return _fault(name, _NEVER | _OURS)


def address_fault(address: str) -> str:
    """Return what keeps a text from being an address or a name to connect to, or an empty string."""
    return _fault(address, _NEVER | _OURS)


def user_fault(user: str) -> str:
    """Return what keeps a text from being a user's name, or an empty string. Domains come with `@` or a backslash."""
    return _fault(user, _NEVER - {"\\"})


def _fault(text: str, refused: frozenset[str]) -> str:
    if not text:
        return "is empty"
    if len(text) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if text.startswith("-"):
        return "begins with a dash, as an option does"
    if not text.isprintable() or any(letter.isspace() for letter in text):
        return "holds a space or a character that can't be printed"
    if held := refused.intersection(text):
        return f"holds {' '.join(sorted(held))}"
    return ""
