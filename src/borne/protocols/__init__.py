"""Wire formats and protocols that several adapters share."""
