"""Fetching firmware, checking packages, leaving diagnostics."""
