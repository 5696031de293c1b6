"""What panes read, a file a signal: bounded, filterable, with a version that moves when the content does."""
