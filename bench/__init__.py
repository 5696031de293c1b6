"""Reproducible measurements of the cockpit, each against a peer or a limit in the same run: `make bench`."""
