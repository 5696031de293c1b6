"""A search over the bytes of logs, made of what the screen asks for."""

from __future__ import annotations

from cockpit.stores.logs.criteria import Criteria
from cockpit.stores.logs.files.scanner import Matching


def query_of(criteria: Criteria) -> bytes:
    """Return criteria as they are sent; empty where they admit all."""
    return b""


def matching_of(query: bytes) -> Matching | None:
    """Return the search that serialised criteria ask for; None where they admit all."""
    return None
