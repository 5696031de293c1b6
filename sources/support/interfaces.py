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
                samples.append(self._sample(look, name, rates, links.get(name)))
        return samples

    def _ignored(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self._ignore)

    def _sample(
        self, look: Look, name: str, rates: Mapping[str, float], link: snicstats | None
    ) -> HealthSample:
        received, sent = rates["bytes_recv"], rates["bytes_sent"]
        errors, drops = rates["errin"] + rates["errout"], rates["dropin"] + rates["dropout"]
        state = judge(errors, self._errors)
        reason = f"{size(received)}/s in, {size(sent)}/s out"
        if errors >= 0.1 or drops >= 0.1:
            reason += f", {errors:.1f} errors/s, {drops:.1f} drops/s"
        speed = link.speed if link else 0
        if speed > 0:
            percent = max(received, sent) * 8 / (speed * 1e6) * 100
            if (full := judge(percent, self._load)) is not HealthState.OK:
                state, reason = worse(state, full), f"{reason}: {percent:.0f} % of {speed:,} Mbit/s"
        if link is not None and not link.isup:
            state, reason = worse(state, HealthState.DEGRADED), "the link is down"
        details = {"received": round(received), "sent": round(sent), "errors": round(errors, 2),
                   "drops": round(drops, 2), "Mbit/s": speed}  # fmt: skip
        return look.sample(f"network {name}", "network", state=state, reason=reason,
                           value=round(received + sent), unit="By/s", details=details)  # fmt: skip
