"""The cockpit itself: everything between the telemetry sources and the widgets."""

__version__ = "0.1.0"
