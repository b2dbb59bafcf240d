"""Load management (manual 7): files of hand-checked cases so far."""
