"""Settings that belong to a provider of a backend, as data files (manual 1.3)."""
