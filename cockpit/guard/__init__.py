"""May this command run? Classification, policy, approval and redaction; the rules are data."""
