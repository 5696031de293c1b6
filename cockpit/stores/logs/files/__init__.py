"""Log files of any size: read in pieces from their end, merged by time, searched by a process apart.

The bytes stay where they are. What is known of each record lies in columns beside a piece of them, and can be made
again from the bytes, so that memory is bounded whatever the files' size. No object a record until one is drawn.
"""
