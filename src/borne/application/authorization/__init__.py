"""Who may charge (manual 5): cards, whitelists, lists of the backend, reservations."""
