"""Telemetry is hostile input: what it may look like by the time a store holds it.

Every signal passes through `clean` between its source and the stores. Control characters become the visible
pictures that Unicode has for them, text is cut to a bound, bytes that were no UTF-8 become U+FFFD, and a signal
whose fields have the wrong types is rejected and counted. Structs are not checked when they are made, so the types
that a plugin promised are checked here too.

A clean signal is passed on as it is, at about a microsecond each; only what needs mending is made anew.
"""

from cockpit.hygiene.batches import BODY_LIMIT, PAIRS_LIMIT, clean
from cockpit.hygiene.fields import IDENTIFIER_LIMIT
from cockpit.hygiene.text import LAST_MOMENT, TEXT_LIMIT, clean_line, clean_text, clean_value

__all__ = [
    "BODY_LIMIT",
    "IDENTIFIER_LIMIT",
    "LAST_MOMENT",
    "PAIRS_LIMIT",
    "TEXT_LIMIT",
    "clean",
    "clean_line",
    "clean_text",
    "clean_value",
]
