"""SSH connections as OpenSSH makes them. Nothing lives here yet; the room is kept for the bastions."""
