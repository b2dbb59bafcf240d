"""The settings of a running station: read, staged, changed, published."""
