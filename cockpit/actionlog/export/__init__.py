"""Exports of the action log: reports for people, rows for programs, recordings, and bundles that prove themselves."""
