"""Alt keys of terminals that send an escape before the character, made legible to Textual's parser.

Textual takes an escape for the beginning of a sequence and waits a tenth of a second to be told otherwise; where the
next key comes before that, as when a key repeats, the escape is given out as `^`. Terminals that speak kitty's
protocol send another form, which the parser understands at once: this makes the one of the other.
"""

from __future__ import annotations

import re

_OTHER = r"[^\x00-\x1fOPX\[\\\]^_\x7f-\x9f]"
_ALT = re.compile(rf"\x1b({_OTHER})(?=\x1b{_OTHER}|\Z)")
"""An escape and a character that begins no sequence, at the end of what was read or before another such pair."""


def legible(data: str) -> str:
    """Return what a terminal sent, with alt keys in kitty's form.

    Args:
        data: What was read at once; a paste in it is left alone.
    """
    if "\x1b" not in data or "\x1b[200~" in data:
        return data
    return _ALT.sub(lambda found: f"\x1b[{ord(found[1])};3u", data)
