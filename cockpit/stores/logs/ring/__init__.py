"""Records that stream in and have their place: kept as bytes with columns beside them, as objects once asked for."""
