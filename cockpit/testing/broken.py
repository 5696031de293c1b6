"""How a broken contract is said."""

from __future__ import annotations


class ContractBroken(AssertionError):
    """A source does not do what the contract says; the message says which part."""


def demand(kept: bool, broken: str) -> None:
    """Hold a source to one sentence of the contract.

    Raises:
        ContractBroken: It is not kept.
    """
    if not kept:
        raise ContractBroken(broken)
