"""Prose as data: what helps against each fault, what a display says."""
