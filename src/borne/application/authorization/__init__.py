"""Authorization (manual 5): cards, whitelists, lists of the backend, reservations."""
