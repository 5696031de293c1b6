"""Interactive shells: recorded, their commands itemised, and on production held at Enter where the guard says so."""
