"""Maintenance (manual 8, 10): firmware, logs, diagnostics, metrics, commands of the command
line."""
