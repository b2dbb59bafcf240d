"""Ports: what the application needs from outside, as narrow protocols; a file for each
counterpart."""
