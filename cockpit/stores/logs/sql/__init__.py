"""SQL over logs, by duckdb: one statement that reads, over tables made of log files."""

from __future__ import annotations

from cockpit.stores.logs.sql.database import Limits
from cockpit.stores.logs.sql.query import SqlResult, query_sql

__all__ = ["Limits", "SqlResult", "query_sql"]
