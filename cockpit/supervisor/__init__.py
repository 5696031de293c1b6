"""Runs the sources: back-off, staleness, bounded queues, drop counts.

Sources live on the event loop of a feed thread, never on the screen's. A source that raises is started again with
back-off; one that says nothing is late, then restarted; one that floods is slowed, then cut; one that blocks its
loop is put in a thread of its own while the others move to a fresh one.
"""

from cockpit.supervisor.status import SourceState, SourceStatus
from cockpit.supervisor.supervisor import Plan, Supervisor

__all__ = ["Plan", "SourceState", "SourceStatus", "Supervisor"]
