"""The routes under /api/v1, and those for watchdogs and metrics."""
