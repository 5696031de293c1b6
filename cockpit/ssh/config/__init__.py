"""Reads ssh_config as OpenSSH does, by ssh_config(5) of its releases 9 and 10.

A file is read once and kept until it changes (`lines`); its options are those of a table (`options`); `reader`
decides which lines count for a host and keeps the first value of each, and `values` makes types of them.
"""

from __future__ import annotations

from cockpit.ssh.config.hosts import Reading, known_names, read, resolve

__all__ = ["Reading", "known_names", "read", "resolve"]
