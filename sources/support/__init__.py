"""What several sources have in common."""
