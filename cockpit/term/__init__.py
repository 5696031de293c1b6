"""A terminal's state behind a protocol of ours. Nothing lives here yet."""
