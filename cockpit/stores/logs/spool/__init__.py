"""Bytes of logs that have no file of their own, kept compressed in a private file of bounded size.

A private file has no name, so that nothing is left behind however the cockpit ends; another process of the same user
opens it by its descriptor.
"""
