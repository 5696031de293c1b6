"""The network interfaces of this host: traffic, errors, links that went down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cockpit.signals import HealthSample, HealthState
from sources.support.readings import Limit, Look, Rates, judge, size, worse

if TYPE_CHECKING:
    from psutil._ntuples import snetio, snicstats

FIELDS = ("bytes_sent", "bytes_recv", "errin", "errout", "dropin", "dropout")


class Interfaces:
    """Every interface that ever carried something."""

    def __init__(self, *, ignore: Sequence[str], load: Limit, errors: Limit) -> None:
        self._ignore = tuple(ignore)
        self._load = load
        self._errors = errors
        self._rates: dict[str, Rates] = {}

    def look(self, look: Look) -> list[HealthSample]:
        """Return `network NAME` for each."""
        import psutil

        counters: Mapping[str, snetio] = psutil.net_io_counters(pernic=True) or {}
        links: Mapping[str, snicstats] = psutil.net_if_stats()
        self._rates = {name: self._rates.get(name) or Rates() for name in counters}
        samples = []
        for name, counted in counters.items():
            if not counted.bytes_recv + counted.bytes_sent or self._ignored(name):
                continue
            rates = self._rates[name]({field: getattr(counted, field) for field in FIELDS}, look.elapsed)
            if rates is not None:
                link = links.get(name)
                samples.append(
                    judged_link(
                        look,
                        name,
                        rates,
                        speed=link.speed if link else 0,
                        up=link is None or link.isup,
                        load=self._load,
                        errors=self._errors,
                    )
                )
        return samples

    def _ignored(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self._ignore)


def judged_link(
    look: Look,
    name: str,
    rates: Mapping[str, float],
    *,
    speed: int,
    up: bool,
    load: Limit,
    errors: Limit,
) -> HealthSample:
    """Return `network NAME` of what it moves a second.

    Args:
        look: When, and whose it is.
        name: The interface's name.
        rates: Bytes, errors and drops a second, by `FIELDS`.
        speed: Its speed in Mbit/s; 0 where it is not known.
        up: Whether the link is.
        load: Percent of its speed that is trouble.
        errors: Errors a second that are.
    """
    received, sent = rates["bytes_recv"], rates["bytes_sent"]
    failed, drops = rates["errin"] + rates["errout"], rates["dropin"] + rates["dropout"]
    state = judge(failed, errors)
    reason = f"{size(received)}/s in, {size(sent)}/s out"
    if failed >= 0.1 or drops >= 0.1:
        reason += f", {failed:.1f} errors/s, {drops:.1f} drops/s"
    if speed > 0:
        percent = max(received, sent) * 8 / (speed * 1e6) * 100
        if (full := judge(percent, load)) is not HealthState.OK:
            state, reason = worse(state, full), f"{reason}: {percent:.0f} % of {speed:,} Mbit/s"
    if not up:
        state, reason = worse(state, HealthState.DEGRADED), "the link is down"
    details = {"received": round(received), "sent": round(sent), "errors": round(failed, 2),
               "drops": round(drops, 2), "Mbit/s": speed}  # fmt: skip
    return look.sample(f"network {name}", "network", state=state, reason=reason,
                       value=round(received + sent), unit="By/s", details=details)  # fmt: skip
