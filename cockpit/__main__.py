"""`python -m cockpit` is `cockpit`."""

from __future__ import annotations

from cockpit.cli import program

if __name__ == "__main__":
    program()
