"""Stored facts of the station: read with care, kept as long as allowed, and told when damaged."""
