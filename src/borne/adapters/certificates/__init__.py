"""Certificates of the station: checks, and files."""
