"""Queries in an engine's own language: `raw:` as the first word of a query, and the rest handed on as it is.

Where several engines could be meant, the word names one: `raw@loki-eu: {app="shop"}`.
"""

from __future__ import annotations

import re

from msgspec import Struct

RAW = "raw:"
"""What such a query begins with as a source is given it."""
_RAW = re.compile(r"\s*raw(?:@(?P<source>[^\s:]*))?:(?P<text>.*)", re.DOTALL)


class RawQuery(Struct, frozen=True):
    """A query in an engine's own language.

    Attributes:
        source: The name of the source that is meant; empty where none is named.
        text: In the engine's language, without blanks around it.
    """

    source: str
    text: str

    @property
    def asked(self) -> str:
        """The query as a source is given it."""
        return f"{RAW} {self.text}"


def read_raw(query: str) -> RawQuery | None:
    """Return what a query says in an engine's own language, or None where it is in ours."""
    found = _RAW.fullmatch(query)
    return None if found is None else RawQuery(found["source"] or "", found["text"].strip())
