"""Composition of a station: the only place where services are built and connected."""
