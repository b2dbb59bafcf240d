"""Scripts of the workshop; none of them is installed."""
