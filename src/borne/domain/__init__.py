"""The domain: pure state machines and functions without I/O, waiting, clock or randomness."""
