"""How much is read of an inventory: one that is hostile, or that a mistake made endless, ends in an error."""

from __future__ import annotations

MOST_HOSTS = 100_000
"""Hosts of one inventory."""
MOST_GROUPS = 20_000
"""Groups of one inventory."""
MOST_LINKS = 1_000_000
"""Steps from a group to a host or a group below it, all told."""
MOST_FILES = 50_000
"""Files of one inventory, those of variables among them."""
MOST_BYTES = 32 << 20
"""Bytes of one file, or of what a command prints."""
DEEPEST = 64
"""Groups within groups, folders within folders, and values within values."""
