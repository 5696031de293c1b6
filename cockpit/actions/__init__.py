"""The one door for commands: what is asked, who carries it, and the record around it."""
