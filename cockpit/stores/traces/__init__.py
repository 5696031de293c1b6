"""Traces: the store of spans, the tree of one trace with its critical path, and the rates of the services."""

from __future__ import annotations

from cockpit.stores.traces.services import ServiceRates, ServiceRow
from cockpit.stores.traces.store import Listing, Order, TraceStore
from cockpit.stores.traces.trace import Trace
from cockpit.stores.traces.tree import TraceTree, build, build_steps

__all__ = [
    "Listing",
    "Order",
    "ServiceRates",
    "ServiceRow",
    "Trace",
    "TraceStore",
    "TraceTree",
    "build",
    "build_steps",
]
