"""Help texts as data: remedies for faults, texts of the display."""
