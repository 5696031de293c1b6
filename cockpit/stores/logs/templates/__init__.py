"""What a log's lines have in common: templates, mined as lines come."""

from __future__ import annotations

from cockpit.stores.logs.templates.filter import query_for
from cockpit.stores.logs.templates.report import patterns_of
from cockpit.stores.logs.templates.templates import Change, Template, Templates, Trend

__all__ = ["Change", "Template", "Templates", "Trend", "patterns_of", "query_for"]
