"""Textual widgets, a pane a file. They read stores and post messages, and know no vendor."""
