"""SSH connections as OpenSSH makes them: configuration, host keys, logins, and one pooled connection a hop.

`connections.Connections` is the door of this room; it lives on a thread of its own, so that encryption never holds a
key press. asyncssh takes 184 ms to import: only the modules that connect import it, and they are imported when the
first connection is wanted.
"""
