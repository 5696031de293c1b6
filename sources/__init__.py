"""Source plugins, a system a file. They know `cockpit.source` and `cockpit.signals`, and no Textual."""
