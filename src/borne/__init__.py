"""Software of an AC charging station."""

__version__ = "0.1.0"
