"""One command on many hosts: each host's run an action of its own, and one action above them that lists them."""
