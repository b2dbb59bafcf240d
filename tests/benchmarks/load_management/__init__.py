"""B1 to B6: time, quality, imbalance, safety, a day, vectors."""
