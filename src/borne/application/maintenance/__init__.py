"""Care for the station (manual 8, 10): firmware, logs, diagnostics, metrics, the command line."""
