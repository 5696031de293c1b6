"""What the tests of log engines share: messages and queries of every kind, and an `emit` that counts records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cockpit.signals import LogRecord, Signal
from tests.live.collect import Collected

MESSAGES = (
    "GET /cart 200 took 12ms",
    "GET /cart 500 took 312ms",
    "connection refused by 10.0.0.1",
    "Connection Reset by peer",
    "café ordered: Crème brûlée",
    'quoted "text" with \\ backslash',
    "two\nlines of text",
    "level=error status=500 told in the text",
    'user="Ann Lee" status=404',
    "100% of * and ? and [brackets] and (groups)",
    "nul\x00 and escape \x1b[31m",
    "",
)
QUERIES = (
    "cart", "CART 500", '"connection re"', "-cart", "/took [0-9]{3}ms/", "/^get.*ms$/", "-/cart/", "/b\\b/",
    "level>=warn", "level<warn", "level=info", "level!=error", "level:error cart", "café", "CRÈME",
    "service:sho", "service=shop", "service!=shop", "service=s*p", "host=web-1", "host:web", "-host:web-1",
    "status=500", "status=5*", "status!=500", "status>=400", "status<400", "status=500.0", "took>=100", "took>100ms",
    "user:*", "-user:*", "status:* -cart", "a.b=1", "odd=x", "source:vl", "source=other", "-source:vl", "source:loki",
    "cart or refused", "(cart or refused) -500", "level>=error or cart", "(status>=500 or level>=error) service:shop",
    '"100% of *"', "[brackets]", "'\\", '"quoted \\"', "trace:0123", "trace=00000000000000000123456789abcdef",
    "trace=*cdef", "\x1b", "size>1MiB", "size>1000", "flag=true", "/(?=c)cart/", "-(cart 500)",
    "-(level:error or cart)", "-(cart or refused)", "(cart 500) or refused", "-(service:shop or host:web-1)",
)  # fmt: skip


class Heard(Collected):
    """What was emitted, log records too."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: Counter[str] = Counter()

    async def __call__(self, batch: Sequence[Signal]) -> None:
        await super().__call__(batch)
        self.bodies.update(signal.body for signal in batch if isinstance(signal, LogRecord))


def identity(record: LogRecord) -> tuple[object, ...]:
    """Return what tells a record from another."""
    return (record.at, record.body, record.level, tuple(sorted(record.attributes.items())), record.trace_id)
