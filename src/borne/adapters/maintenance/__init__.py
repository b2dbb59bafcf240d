"""Downloads of firmware, checks of packages, uploads of diagnostics."""
