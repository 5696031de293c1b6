"""What log lines mean: formats told from content, where records begin, and their times and levels."""
