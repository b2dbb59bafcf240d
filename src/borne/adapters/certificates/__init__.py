"""Certificates of the station: validation and storage."""
