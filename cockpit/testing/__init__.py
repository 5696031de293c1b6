"""The contract of a source as a suite that anybody can run on their own, in one line under pytest:

    async def test_contract():
        await check_source(lambda: QueueSource("queue", QueueOptions(directory="/tmp/queue")))

What `make` returns must work on real input: `check_source` starts it, reads what it emits, cancels it, starts it
again, asks it what it offers to answer, and looks for what it leaves behind. With `reachable=False` the same source
pointed at nothing must fail in a way that a person can act on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from cockpit.source import Source
from cockpit.testing.broken import ContractBroken, demand
from cockpit.testing.declared import check_class, check_offers, check_options, construct
from cockpit.testing.leavings import nothing_left
from cockpit.testing.running import check_check, run_and_ask, run_unreachable

__all__ = ["ContractBroken", "Report", "check_source"]


class Report(Struct, frozen=True, kw_only=True):
    """What a source did while it was checked.

    Attributes:
        answer: What `check` answered; the error's text where it was unreachable.
        signals: How many signals it emitted.
        words: How often it said something, an empty batch included.
        first_word: Seconds to its first word.
        stopped_in: Seconds from cancelling to its end.
        asked: The questions it answered.
    """

    answer: str
    signals: int = 0
    words: int = 0
    first_word: float = 0.0
    stopped_in: float = 0.0
    asked: tuple[str, ...] = ()


async def check_source(
    make: Callable[[], Source[Any]], *, reachable: bool = True, seconds: float = 3.0
) -> Report:
    """Hold a source to its contract.

    Args:
        make: Makes the source, a new one each time.
        reachable: Whether what it looks at is there. Where it is not, the source may raise, but only a
            `CockpitError` that says where and what to do.
        seconds: How long to let it run; longer, up to its own deadline, while it has not said a word.

    Returns:
        What it did.

    Raises:
        ContractBroken: It does not keep the contract.
    """
    source = construct(make)
    check_class(type(source))
    check_options(type(source).options_type)
    check_offers(type(source))
    demand(0 < source.deadline < float("inf"), "deadline must be a positive number of seconds")
    with nothing_left() as settle:
        answer = await check_check(source, reachable=reachable)
        await settle("check")
    if not reachable:
        with nothing_left() as settle:
            await run_unreachable(source, seconds)
            await settle("run")
        return Report(answer=answer)
    with nothing_left() as settle:
        first, asked = await run_and_ask(source, seconds, ask=True)
        await settle("run")
        again, _ = await run_and_ask(source, 0.0, ask=False)
        await settle("a second run")
    return Report(
        answer=answer,
        signals=first.signals + again.signals,
        words=first.words + again.words,
        first_word=first.first_word,
        stopped_in=max(first.stopped_in, again.stopped_in),
        asked=asked,
    )
