"""What was done: an append-only record of every command and decision."""
