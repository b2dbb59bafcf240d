"""Energy meters of the field: what they measure, how one is reached, and whether it is believed."""
