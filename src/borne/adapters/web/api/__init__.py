"""Routes under /api/v1, and for watchdogs and metrics."""
