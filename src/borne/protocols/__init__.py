"""Wire formats and conversations that several adapters share, without flows or adapters."""
